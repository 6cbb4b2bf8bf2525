"""A backup that is not what was written is found out, and nothing is restored from it."""

from __future__ import annotations

import hashlib
import json
import random
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from sqlalchemy.engine import URL

from backoffice.errors import DamagedBackupError
from backoffice.system.backups.settings import BackupSettings
from backoffice.system.backups.work import restore_backup, verify_backup
from tests.db.backups.conftest import Command, databases, execute

PLACES = 20


def dice(seed: int | str) -> random.Random:
    return random.Random(seed)  # noqa: S311


def dump_of(made: Path) -> Path:
    return next(path for path in made.iterdir() if path.name.startswith("database."))


@contextmanager
def spoilt(file: Path, content: bytes) -> Iterator[None]:
    sound = file.read_bytes()
    assert content != sound
    file.write_bytes(content)
    yield
    file.write_bytes(sound)


def flipped(content: bytes, numbers: random.Random) -> bytes:
    place, bit = numbers.randrange(len(content)), numbers.randrange(8)
    return content[:place] + bytes([content[place] ^ 1 << bit]) + content[place + 1 :]


def seal_again(made: Path) -> None:
    """Make the checksums right for what is there now."""
    names = [line.split("  ")[1] for line in (made / "SHA256SUMS").read_text().splitlines()]
    digests = [hashlib.sha256((made / name).read_bytes()).hexdigest() for name in names]
    lines = [f"{digest}  {name}\n" for digest, name in zip(digests, names, strict=True)]
    (made / "SHA256SUMS").write_text("".join(lines))


def test_a_dump_cut_off_anywhere_is_found(made: Path, url: URL, settings: BackupSettings) -> None:
    dump = dump_of(made)
    content = dump.read_bytes()
    places = dice(20261120).sample(range(len(content)), PLACES)

    for place in (0, len(content) - 1, *places):
        for quick in (True, False):
            with (
                spoilt(dump, content[:place]),
                pytest.raises(DamagedBackupError, match="damaged"),
            ):
                verify_backup(url, settings, made.name, quick=quick)


@pytest.mark.parametrize("which", ["dump", "manifest.json", "SHA256SUMS"])
def test_a_flipped_bit_anywhere_is_found(
    made: Path, url: URL, settings: BackupSettings, which: str
) -> None:
    file = dump_of(made) if which == "dump" else made / which
    numbers = dice(which)

    for _ in range(PLACES):
        with (
            spoilt(file, flipped(file.read_bytes(), numbers)),
            pytest.raises(DamagedBackupError, match="damaged"),
        ):
            verify_backup(url, settings, made.name, quick=False)


def test_a_dump_that_was_never_whole_is_found_although_its_checksum_is_right(
    made: Path, url: URL, settings: BackupSettings
) -> None:
    dump = dump_of(made)
    content = dump.read_bytes()

    for place in dice(7).sample(range(len(content)), PLACES):
        dump.write_bytes(content[:place])
        seal_again(made)
        with pytest.raises(DamagedBackupError):
            verify_backup(url, settings, made.name, quick=True)


def test_rows_that_are_missing_are_found_although_everything_can_be_read(
    made: Path, url: URL, settings: BackupSettings
) -> None:
    text = (made / "manifest.json").read_text()
    manifest = json.loads(text)
    tables = manifest["dump"]["contents"]["tables"]
    tables["orders"]["rows"] += 1
    (made / "manifest.json").write_text(json.dumps(manifest))
    seal_again(made)

    with pytest.raises(DamagedBackupError, match=r"The table orders has 120 rows .* not 121\."):
        verify_backup(url, settings, made.name, quick=False)


def test_rows_that_differ_are_found(
    made: Path, url: URL, settings: BackupSettings, backup: Command
) -> None:
    if url.get_backend_name() == "sqlite":
        field, value = "content_sha256", "0" * 64
    else:
        field, value = "contents", ""
    manifest = json.loads((made / "manifest.json").read_text())
    if value:
        manifest["dump"][field] = value
    else:
        manifest["dump"][field]["tables"]["orders"]["digest"] = "1"
    (made / "manifest.json").write_text(json.dumps(manifest))
    seal_again(made)

    with pytest.raises(DamagedBackupError, match=r"differ once restored|is not the one"):
        verify_backup(url, settings, made.name, quick=False)


def test_nothing_is_restored_from_a_damaged_backup(
    made: Path, url: URL, settings: BackupSettings, new_name: str
) -> None:
    before = databases(url)
    dump = dump_of(made)
    dump.write_bytes(flipped(dump.read_bytes(), dice(3)))

    with pytest.raises(DamagedBackupError):
        restore_backup(url, settings, made.name, into=new_name)

    assert databases(url) == before
    assert not Path(new_name).exists()


def test_the_command_says_what_is_damaged_and_the_list_remembers(
    made: Path, backup: Command
) -> None:
    dump = dump_of(made)
    dump.write_bytes(dump.read_bytes()[:-1])

    result = backup("verify")

    (listed,) = json.loads(backup("list", "--json").output)
    assert result.exit_code == 1
    assert result.output == (
        f"Error: {dump.name} of this backup is damaged: its checksum is not the recorded one.\n"
    )
    assert listed["problem"] in result.output
    assert "DAMAGED" in backup("list").output


@pytest.mark.parametrize("name", ["manifest.json", "SHA256SUMS", "dump"])
def test_a_missing_file_is_found(
    made: Path, backup: Command, url: URL, name: str, new_name: str
) -> None:
    (dump_of(made) if name == "dump" else made / name).unlink()

    for arguments in (("verify",), ("restore", "latest", "--into", new_name)):
        result = backup(*arguments)
        assert result.exit_code == 1
        assert len(result.output.splitlines()) == 1
        assert "missing" in result.output


def test_a_damaged_backup_stays_in_the_list_and_is_not_pruned(made: Path, backup: Command) -> None:
    (made / "manifest.json").write_text("{}")
    backup("create")

    backup("prune", "--keep-daily", "0", "--keep-weekly", "0", "--keep-monthly", "0",
           "--min", "1", "--yes")  # fmt: skip

    assert made.is_dir()
    assert "DAMAGED" in backup("list").output


def test_references_to_nothing_are_told_and_can_still_be_restored(
    url: URL, backup: Command, folder: Path, new_name: str
) -> None:
    """SQLite lets them in while its foreign keys are off; such data must not be lost as well."""
    if url.get_backend_name() == "postgresql":
        pytest.skip("PostgreSQL lets no such row in")
    execute(url, "INSERT INTO product_tags (product_id, tag_id) VALUES (999999, 999999)")
    try:
        created = backup("create")
    finally:
        execute(url, "DELETE FROM product_tags WHERE product_id = 999999")

    verified = backup("verify")
    restored = backup("restore", "latest", "--into", new_name)

    assert created.exit_code == 0
    assert verified.exit_code == 1
    assert "refer to rows which are not there" in verified.output
    assert restored.exit_code == 0
    assert (
        execute(
            url.set(database=new_name),
            "SELECT count(*) FROM product_tags WHERE product_id = 999999",
        )
        == 1
    )
