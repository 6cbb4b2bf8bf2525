"""Encrypted backups: nobody reads them without the key, and with it they come back."""

from __future__ import annotations

import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy.engine import URL

from tests.db.backups.conftest import Command, beside, contents_of, databases

Keys = dict[str, object]


@pytest.fixture(params=["age", "gpg"])
def keys(
    request: pytest.FixtureRequest,
    tmp_path: Path,
    shop: Flask,
    folder: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[str]:
    """Configure a fresh pair of keys; give the program, or skip where it is not installed."""
    program: str = request.param
    if shutil.which(program) is None:
        pytest.skip(f"{program} is not installed")
    if program == "age":
        for name, value in _age_keys(tmp_path / "age.key").items():
            monkeypatch.setitem(shop.config, name, value)
        yield program
        return
    with tempfile.TemporaryDirectory(prefix="bo-gpg-") as home:  # a socket's path must be short
        monkeypatch.setenv("GNUPGHOME", home)
        monkeypatch.setitem(shop.config, "BACKUP_GPG_RECIPIENTS", [_gpg_key()])
        yield program
        _run("gpgconf", "--kill", "gpg-agent")


def _age_keys(identity: Path) -> Keys:
    _run("age-keygen", "-o", str(identity))
    told = identity.read_text().split("# public key: ")[1]
    return {
        "BACKUP_AGE_RECIPIENTS": [told.split()[0]],
        "BACKUP_AGE_IDENTITY_FILE": str(identity),
    }


def _gpg_key() -> str:
    _run("gpg", "--batch", "--pinentry-mode", "loopback", "--passphrase", "",
         "--quick-generate-key", "shop@example.com", "future-default", "default",
         "never")  # fmt: skip
    told = _run("gpg", "--with-colons", "--list-keys")
    return next(line.split(":")[9] for line in told.splitlines() if line.startswith("fpr"))


def _run(*command: str) -> str:
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


def test_an_encrypted_backup_comes_back(
    keys: str, folder: Path, backup: Command, url: URL, new_name: str
) -> None:
    created = backup("create")
    verified = backup("verify")
    quick = backup("verify", "--quick")
    restored = backup("restore", "latest", "--into", new_name)

    assert created.exit_code == 0, created.output
    assert verified.exit_code == 0, verified.output
    assert quick.exit_code == 0, quick.output
    assert restored.exit_code == 0, restored.output
    assert f"encrypted: {keys}" in created.output
    assert contents_of(beside(url, new_name)) == contents_of(url)


def test_nothing_of_it_lies_about_in_the_clear(keys: str, folder: Path, backup: Command) -> None:
    backup("create")

    (made,) = folder.iterdir()
    files = {path.name: path.read_bytes() for path in made.iterdir()}
    assert sorted(name.split(".")[-1] for name in files) == sorted(["SHA256SUMS", keys, "json"])
    assert not any(
        mark in content
        for name, content in files.items()
        for mark in (b"PGDMP", b"SQLite format 3", b"@example.com")
    )


def test_without_the_key_it_is_a_sentence_and_nothing_is_made(
    keys: str,
    shop: Flask,
    tmp_path: Path,
    backup: Command,
    url: URL,
    new_name: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    backup("create")
    monkeypatch.setitem(shop.config, "BACKUP_AGE_IDENTITY_FILE", "")
    monkeypatch.setenv("GNUPGHOME", str(tmp_path))
    before = databases(url)

    verified = backup("verify")
    restored = backup("restore", "latest", "--into", new_name)

    for result in (verified, restored):
        assert result.exit_code == 1
        assert result.output.startswith("Error: ")
        assert len(result.output.splitlines()) == 1
    assert databases(url) == before
    assert not Path(new_name).exists()
