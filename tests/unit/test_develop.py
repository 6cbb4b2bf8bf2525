"""`flask develop`, as `make run` starts it: a process of its own on a database of its own."""

from __future__ import annotations

import os
import re
import socket
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from http.cookiejar import CookieJar
from pathlib import Path
from urllib.parse import urlencode

import pytest

from tests.pages import _TOKEN

FLASK = Path(sys.executable).with_name("flask")
ROOT = Path(__file__).resolve().parents[2]


def environment(tmp_path: Path, name: str = "development") -> dict[str, str]:
    kept = {key: os.environ[key] for key in ("PATH", "HOME") if key in os.environ}
    url = f"sqlite:///{tmp_path / 'shop.sqlite'}"
    return kept | {"APP_ENV": name, "FLASK_APP": "wsgi:app", "DATABASE_URL": url}


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    return port


@contextmanager
def developing(tmp_path: Path, port: int) -> Iterator[str]:
    """Start the console; give what it printed, up to the line that says it serves."""
    process = subprocess.Popen(
        [FLASK, "develop", "--port", str(port)],
        cwd=ROOT,
        env=environment(tmp_path) | {"PYTHONUNBUFFERED": "1"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    assert process.stdout is not None
    said = ""
    try:
        for line in process.stdout:
            said += line
            if "Ctrl-C" in line:
                break
        yield said
    finally:
        process.terminate()
        process.wait(10)
        process.stdout.close()


def sign_in(port: int, password: str) -> str:
    """Return the address that a browser ends at after signing in."""
    browser = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(CookieJar()))
    base = f"http://127.0.0.1:{port}"
    with browser.open(base, timeout=10) as page:
        found = _TOKEN.search(page.read().decode())
    assert found
    fields = {"csrf_token": found[1], "username": "admin", "password": password}
    with browser.open(f"{base}/login", urlencode(fields).encode(), timeout=10) as page:
        return str(page.url)


def test_two_runs_lead_to_the_console_and_the_second_reuses_everything(tmp_path: Path) -> None:
    port = free_port()
    with developing(tmp_path, port) as first:
        password = re.findall(r"admin / (\S+)", first)[0]
        assert f"http://127.0.0.1:{port}" in first
        assert "adding a demo shop" in first
        assert sign_in(port, password) == f"http://127.0.0.1:{port}/admin/"

    with developing(tmp_path, port) as second:
        assert "demo shop" not in second
        assert sign_in(port, password) == f"http://127.0.0.1:{port}/admin/"
        assert password in second


def run(tmp_path: Path, port: int, name: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [FLASK, "develop", "--port", str(port)],
        cwd=ROOT,
        env=environment(tmp_path, name),
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )


def test_a_taken_port_is_one_clear_line_and_touches_nothing(tmp_path: Path) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        result = run(tmp_path, other.getsockname()[1], "development")

    assert result.returncode == 1
    assert re.fullmatch(r"Error: Port \d+ of .* make run PORT=\d+\n", result.stderr)
    assert result.stdout == ""
    assert not (tmp_path / "shop.sqlite").exists()


@pytest.mark.parametrize("name", ["testing"])
def test_it_is_for_development_only(tmp_path: Path, name: str) -> None:
    result = run(tmp_path, free_port(), name)

    assert result.returncode == 1
    assert "for APP_ENV=development only" in result.stderr
    assert not (tmp_path / "shop.sqlite").exists()
