"""Static files: addresses that change with the content, compressed, kept for good."""

from __future__ import annotations

import gzip
import re
from pathlib import Path

import pytest
from flask import Flask
from werkzeug.test import Client
from werkzeug.wrappers import Response

from backoffice.app import create_app
from backoffice.web.assets import Assets, Sources
from config import TestingConfig

CSS = b"body { color: black; }\n" * 50


def application(_environ: object, _start_response: object) -> list[bytes]:
    raise AssertionError("An asset is no business of the application.")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "static" / "css").mkdir(parents=True)
    (tmp_path / "static" / "css" / "a.css").write_bytes(CSS)
    (tmp_path / "static" / "dot.png").write_bytes(b"\x89PNG")
    (tmp_path / "secret.txt").write_text("not yours")
    return tmp_path / "static"


def assets_of(folder: Path, *, watches: bool = False) -> Assets:
    return Assets(application, Sources(folder, {}), watches=watches)


def url_of(assets: Assets, name: str) -> str:
    with Flask("x").test_request_context("/"):
        return assets.url(name)


def get(assets: Assets, url: str, method: str = "GET", **headers: str) -> Response:
    names = {name.replace("_", "-"): value for name, value in headers.items()}
    return Client(assets).open(url, method=method, headers=names)


def test_a_file_is_kept_for_good(folder: Path) -> None:
    assets = assets_of(folder)

    response = get(assets, url_of(assets, "css/a.css"))

    assert (response.status_code, response.data) == (200, CSS)
    assert response.headers["Cache-Control"] == "public, max-age=31536000, immutable"
    assert response.headers["Content-Type"] == "text/css; charset=utf-8"
    assert response.headers["X-Content-Type-Options"] == "nosniff"
    assert response.headers["Vary"] == "Accept-Encoding"
    assert "Set-Cookie" not in response.headers


def test_a_file_is_compressed_when_asked_and_has_the_same_bytes(folder: Path) -> None:
    assets = assets_of(folder)
    url = url_of(assets, "css/a.css")

    response = get(assets, url, Accept_Encoding="gzip, br")

    assert response.headers["Content-Encoding"] == "gzip"
    assert len(response.data) < len(CSS) / 5
    assert gzip.decompress(response.data) == CSS
    assert "Content-Encoding" not in get(assets, url, Accept_Encoding="gzip;q=0").headers


def test_what_compression_would_not_shorten_goes_out_as_it_is(folder: Path) -> None:
    assets = assets_of(folder)

    response = get(assets, url_of(assets, "dot.png"), Accept_Encoding="gzip")

    assert (response.data, response.headers["Content-Type"]) == (b"\x89PNG", "image/png")
    assert "Content-Encoding" not in response.headers


def test_the_head_of_a_file_has_its_length_and_no_body(folder: Path) -> None:
    assets = assets_of(folder)

    response = get(assets, url_of(assets, "css/a.css"), method="HEAD")

    assert (response.status_code, response.data) == (200, b"")
    assert response.headers["Content-Length"] == str(len(CSS))


def test_who_has_the_file_already_is_not_sent_it_again(folder: Path) -> None:
    assets = assets_of(folder)
    url = url_of(assets, "css/a.css")
    tag = get(assets, url, Accept_Encoding="gzip").headers["ETag"]

    again = get(assets, url, Accept_Encoding="gzip", If_None_Match=tag)

    assert (again.status_code, again.data) == (304, b"")
    assert get(assets, url, If_None_Match=tag).status_code == 200


def test_the_address_changes_with_the_content_and_only_with_it(folder: Path) -> None:
    before = url_of(assets_of(folder), "css/a.css")
    same = url_of(assets_of(folder), "css/a.css")
    (folder / "css" / "a.css").write_bytes(CSS + b"\n")
    after = assets_of(folder)

    assert re.fullmatch(r"/assets/[0-9a-f]{16}/css/a\.css", before)
    assert same == before
    assert url_of(after, "css/a.css") != before
    assert get(after, before).status_code == 404


def test_an_edited_file_is_seen_in_development_and_not_in_production(folder: Path) -> None:
    development, production = assets_of(folder, watches=True), assets_of(folder)
    before = url_of(development, "css/a.css")
    assert url_of(production, "css/a.css") == before

    (folder / "css" / "a.css").write_bytes(b"b {}")

    after = url_of(development, "css/a.css")
    assert get(development, after).data == b"b {}"
    assert get(development, before).status_code == 404
    assert get(production, before).data == CSS


@pytest.mark.parametrize(
    "path",
    [
        "../secret.txt",
        "css/../../secret.txt",
        "%2e%2e/secret.txt",
        "..%2fsecret.txt",
        "//etc/passwd",
        "css",
        "",
        "nowhere.css",
    ],
)
def test_nothing_but_the_files_can_be_had(folder: Path, path: str) -> None:
    assets = assets_of(folder)
    edition = url_of(assets, "dot.png").removesuffix("dot.png")

    response = get(assets, edition + path)

    assert response.status_code == 404
    assert response.headers["Cache-Control"] == "no-store"
    assert b"not yours" not in response.data


@pytest.mark.parametrize("url", ["/assets/", "/assets/x", "/assets/0123456789abcdef/css/a.css"])
def test_a_wrong_edition_is_nowhere(folder: Path, url: str) -> None:
    assert get(assets_of(folder), url).status_code == 404


def test_files_can_only_be_read(folder: Path) -> None:
    assets = assets_of(folder)

    response = get(assets, url_of(assets, "css/a.css"), method="POST")

    assert (response.status_code, response.headers["Allow"]) == (405, "GET, HEAD")


def test_a_name_that_does_not_exist_fails_where_it_is_written(folder: Path) -> None:
    with pytest.raises(LookupError, match=r"There is no static file 'css/b\.css'\."):
        url_of(assets_of(folder), "css/b.css")


def test_every_asset_that_a_page_names_is_there_and_keeps_its_mount_point() -> None:
    app = create_app(TestingConfig(SQLALCHEMY_DATABASE_URI="sqlite:///:memory:"))
    client = app.test_client()

    page = client.get("/login").text
    urls = re.findall(r'(?:href|src)="(/[^"]*\.(?:css|js|svg))"', page)
    mounted = client.get("/login", base_url="http://localhost/shop/").text

    assert len(urls) >= 4
    for url in urls:
        assert client.get(url).status_code == 200, url
        assert f'"/shop{url}"' in mounted
