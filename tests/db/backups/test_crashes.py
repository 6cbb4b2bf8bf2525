"""Killed at the worst moment, a command leaves nothing that looks whole; the next one tidies up.

The programs on PATH are wrapped so that the moment is the same every time.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
import pytest
from sqlalchemy.engine import URL

from backoffice.system.backups.folder import list_backups, sweep
from backoffice.system.backups.programs import postgres_program
from backoffice.system.backups.sessions import SCRATCH, conninfo
from tests.db.backups.conftest import Command, beside, contents_of, databases

Shell = Callable[..., subprocess.Popen[str]]
PATIENCE_SECONDS = 60


@contextmanager
def killed(process: subprocess.Popen[str], ready: Callable[[], bool]) -> Iterator[None]:
    """Kill the command, and what it has started, once it is so far."""
    until = time.monotonic() + PATIENCE_SECONDS
    while not ready():
        assert process.poll() is None, process.communicate()
        assert time.monotonic() < until
        time.sleep(0.02)
    os.killpg(process.pid, signal.SIGKILL)
    process.communicate()
    yield


def wrapper(folder: Path, name: str, url: URL, body: str) -> str:
    """Put a program of that name first on PATH; `$REAL` is the true one."""
    with psycopg.connect(conninfo(url)) as connection:
        version = connection.info.server_version // 10000
    real, _ = postgres_program(name, at_least=version, because="")
    folder.mkdir()
    script = folder / name
    script.write_text(
        f'#!/bin/sh\nREAL="{real}"\n[ "$1" = --version ] && exec "$REAL" --version\n{body}\n'
    )
    script.chmod(0o755)
    return f"{folder}{os.pathsep}{os.environ['PATH']}"


def bytes_in(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.rglob("database.*") if path.is_file())


def scratch_databases(url: URL) -> set[str]:
    with psycopg.connect(conninfo(url, "postgres")) as connection:
        names = connection.execute("SELECT datname FROM pg_database").fetchall()
    return {name for (name,) in names if SCRATCH.fullmatch(name)}


def test_a_killed_dump_leaves_no_backup(
    shell: Shell, folder: Path, url: URL, tmp_path: Path, backup: Command
) -> None:
    if url.get_backend_name() == "sqlite":
        pytest.skip("the next test kills it at every stage")
    path = wrapper(tmp_path / "bin", "pg_dump", url, '"$REAL" "$@"; sleep 60')

    with killed(shell("create", PATH=path), lambda: bytes_in(folder) >= 2000):
        left = [entry.name for entry in folder.iterdir()]

    assert len(left) == 1
    assert left[0].startswith(".partial-")
    assert list_backups(folder) == []
    assert backup("create").exit_code == 0
    assert len(list(folder.iterdir())) == 1


STAGES = {
    "while it is written": "folder.sha256 = lambda _: die()",
    "before it gets its name": "folder._publish = lambda *_: die()",
    "when it has its name": "folder._load = lambda *_: die()",
}
PROGRAM = """
import os, signal, sys
from pathlib import Path
from backoffice.app import create_app
from backoffice.system.backups import folder, work
def die():
    os.kill(os.getpid(), signal.SIGKILL)
{change}
app = create_app()
app.test_cli_runner().invoke(args=["backup", *sys.argv[1:]])
"""


def run_and_die(change: str, url: URL, folder: Path, *arguments: str) -> None:
    """Run a command in a process of its own, in which `change` makes one function kill it."""
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM.format(change=change), *arguments],
        env={
            **os.environ,
            "DATABASE_URL": url.render_as_string(hide_password=False),
            "BACKUP_FOLDER": str(folder),
        },
        check=False,
        capture_output=True,
        cwd=Path(__file__).parents[3],
    )
    assert done.returncode == -signal.SIGKILL, done.stderr


@pytest.mark.parametrize("stage", STAGES)
def test_a_killed_create_leaves_all_or_nothing(
    folder: Path, url: URL, stage: str, backup: Command
) -> None:
    run_and_die(STAGES[stage], url, folder, "create")

    backups = list_backups(folder)
    if stage == "when it has its name":
        assert [one.problem for one in backups] == [""]
        assert backup("verify").exit_code == 0
    else:
        assert backups == []
        assert [path.name[:9] for path in folder.iterdir()] == [".partial-"]
    sweep(folder)
    assert list(folder.iterdir()) == [one.path for one in backups]


def test_a_killed_restore_leaves_no_database_of_that_name(
    made: Path, shell: Shell, url: URL, tmp_path: Path, new_name: str, backup: Command
) -> None:
    if url.get_backend_name() == "sqlite":
        pytest.skip("the next test kills it")
    before = contents_of(url)
    mark = tmp_path / "filled"
    path = wrapper(tmp_path / "bin", "pg_restore", url, f'"$REAL" "$@"; touch {mark}; sleep 60')
    known = scratch_databases(url)

    with killed(shell("restore", "latest", "--into", new_name, PATH=path), mark.exists):
        left = scratch_databases(url) - known

    assert len(left) >= 1
    assert new_name not in databases(url)
    assert backup("restore", "latest", "--into", new_name).exit_code == 0
    assert not left & scratch_databases(url)
    assert contents_of(beside(url, new_name)) == before


def test_a_killed_restore_leaves_no_file_of_that_name(
    made: Path, url: URL, folder: Path, new_name: str, backup: Command
) -> None:
    if url.get_backend_name() == "postgresql":
        pytest.skip("the test before kills it")
    change = "Path.hardlink_to = lambda *_: die()"
    run_and_die(change, url, folder, "restore", "latest", "--into", new_name)

    assert not Path(new_name).exists()
    assert backup("restore", "latest", "--into", new_name).exit_code == 0
    assert not list(Path(new_name).parent.glob(".*"))
    assert contents_of(url.set(database=new_name)) == contents_of(url)


def test_a_killed_replace_leaves_the_database_as_it_was(
    made: Path, url: URL, folder: Path, backup: Command
) -> None:
    before, known = contents_of(url), databases(url)
    change = (
        "from backoffice.system.backups import postgresql, sqlite\n"
        "postgresql._rename = lambda *_: die()\n"
        "sqlite.sync = lambda *_: die()"
    )
    run_and_die(change, url, folder, "restore", "latest", "--replace")

    assert contents_of(url) == before
    assert {name for name in databases(url) - known if not name.startswith(".")} == set()


def test_what_a_running_command_holds_is_not_swept(
    shell: Shell, folder: Path, url: URL, tmp_path: Path
) -> None:
    if url.get_backend_name() == "sqlite":
        pytest.skip("there is no program to hold up")
    path = wrapper(tmp_path / "bin", "pg_dump", url, '"$REAL" "$@"; sleep 60')
    process = shell("create", PATH=path)

    def is_dumping() -> bool:
        return bytes_in(folder) >= 2000

    until = time.monotonic() + PATIENCE_SECONDS
    while not is_dumping():
        assert time.monotonic() < until
        time.sleep(0.02)
    sweep(folder)
    assert is_dumping()

    with killed(process, is_dumping):
        sweep(folder)
    assert list(folder.iterdir()) == []


def test_no_password_is_on_a_command_line(
    shell: Shell, folder: Path, url: URL, tmp_path: Path
) -> None:
    if url.get_backend_name() == "sqlite":
        pytest.skip("SQLite has no passwords")
    if url.password:
        pytest.skip("the server's own password would be replaced")
    seen = tmp_path / "seen"
    path = wrapper(
        tmp_path / "bin", "pg_dump", url,
        f'{{ echo "arguments: $*"; echo "environment: $PGPASSWORD"; }} > {seen}; exec "$REAL" "$@"',
    )  # fmt: skip
    process = shell(
        "create",
        PATH=path,
        DATABASE_URL=url.set(password="hunter2").render_as_string(hide_password=False),
    )
    output, _ = process.communicate(timeout=PATIENCE_SECONDS)

    arguments, environment = seen.read_text().splitlines()
    assert process.returncode == 0, output
    assert "--format=custom" in arguments
    assert "hunter2" not in arguments
    assert "hunter2" not in output
    assert environment == "environment: hunter2"
    assert all(b"hunter2" not in path.read_bytes() for path in folder.rglob("*") if path.is_file())


def test_backups_at_once_do_not_disturb_each_other(
    shell: Shell, folder: Path, backup: Command
) -> None:
    running = [shell("create") for _ in range(3)]

    told = [(process.communicate(), process.returncode) for process in running]

    assert [code for _, code in told] == [0, 0, 0], told
    listed = json.loads(backup("list", "--json").output)
    assert len(listed) == 3
    assert not any(one.get("problem") for one in listed)
