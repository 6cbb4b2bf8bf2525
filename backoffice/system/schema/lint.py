"""What is dangerous about a migration: squawk's rules and our own, and waivers with a reason.

A finding is mended, or waived by a comment in the migration: `# safe: <rule> – <reason>`.
"""

from __future__ import annotations

import inspect
import json
import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from alembic.script import Script

from backoffice.system.schema.effects import Lock, Work, effects, effects_of
from backoffice.system.schema.preview import Preview, foreign_imports, preview

# The models bound their texts and choose their integers on purpose.
NOT_OURS = ("ban-char-field", "prefer-bigint-over-int", "prefer-text-field")
POSTGRESQL = "14"  # the oldest that we run on
_WAIVER = re.compile(r"#\s*safe:\s*([a-z-]+)\s*(?:[–—:-]\s*(.*))?")
_NOTHING = {(lambda: None).__code__.co_code}
_CONCURRENTLY = re.compile(r"INDEX CONCURRENTLY", re.I)


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing to mend, or the reason why it may stay."""

    revision: str
    rule: str
    sentence: str
    waiver: str = ""


def squawk() -> Path | None:
    """Return the linter of SQL, which developers have and production need not."""
    path = Path(sys.executable).with_name("squawk")
    return path if path.exists() else None


def lint(script: Script) -> tuple[Finding, ...]:
    """Return what is to be said about a revision; waived findings carry their reason."""
    source = Path(script.path).read_text(encoding="utf-8")
    shown = preview(script, "postgresql")
    found = [*_own_rules(script, source, shown), *_squawk(shown)]
    waivers = {one[1]: (one[2] or "").strip() for one in _WAIVER.finditer(source)}
    findings = [
        Finding(script.revision, rule, sentence, waivers.get(rule, "")) for rule, sentence in found
    ]
    for rule, reason in waivers.items():
        if not reason:
            sentence = f"The waiver of {rule} gives no reason."
        elif squawk() and rule not in {rule for rule, _ in found}:
            sentence = f"Nothing needs the waiver of {rule} any more."
        else:
            continue
        findings.append(Finding(script.revision, "waiver", sentence))
    return tuple(dict.fromkeys(findings))


def _own_rules(script: Script, source: str, shown: Preview) -> Iterator[tuple[str, str]]:
    if does_nothing(script):
        yield "no-way-back", "The downgrade does nothing: say how to go back."
    foreign = foreign_imports(source)
    if foreign:
        yield "not-alone", f"It uses {', '.join(foreign)}, which will change: copy what it needs."
    if shown.refusal and not foreign:
        yield "not-previewable", "It reads rows, so nobody can see beforehand what it will do."
    yield from _about_statements(shown.statements)


def _about_statements(statements: tuple[str, ...]) -> Iterator[tuple[str, str]]:
    met = effects_of(statements)
    for one in met:
        if one.work is Work.ROWS:
            yield (
                "rows-in-one-go",
                f"It changes rows of {one.table} in one transaction: do it in batches.",
            )
        if one.lock is Lock.UNKNOWN:
            yield "unknown-statement", "What a statement of it locks is not known."
    closed = [one.table for one in met if one.lock is Lock.ACCESS_EXCLUSIVE]
    if len(closed) > 1:
        yield (
            "several-tables-locked",
            f"It locks {', '.join(sorted(closed))} together: make it one migration each.",
        )
    aside = [bool(_CONCURRENTLY.search(one)) for one in statements if effects(one)]
    if any(aside) and not all(aside):
        yield (
            "concurrently-not-alone",
            "What is done CONCURRENTLY commits what came before it: give it its own migration.",
        )


def does_nothing(script: Script) -> bool:
    """Whether a revision has no way back."""
    downgrade = getattr(script.module, "downgrade", None)
    return downgrade is None or (
        inspect.isfunction(downgrade) and downgrade.__code__.co_code in _NOTHING
    )


def _squawk(shown: Preview) -> list[tuple[str, str]]:
    tool = squawk()
    if tool is None or not shown.statements:
        return []
    # As the migrator runs it, or squawk asks for what is there.
    text = f"SET lock_timeout='3s';\nSET statement_timeout='1h';\nBEGIN;\n{shown.sql}\nCOMMIT;\n"
    command = [str(tool), "--reporter", "json", "--pg-version", POSTGRESQL, *_excluded()]
    done = subprocess.run(
        command, input=text, capture_output=True, text=True, check=False, timeout=30
    )
    return [(one["rule_name"], _sentence(one)) for one in json.loads(done.stdout)]


def _excluded() -> list[str]:
    return [part for rule in NOT_OURS for part in ("--exclude", rule)]


def _sentence(finding: dict[str, str | None]) -> str:
    parts = (finding["message"], finding["help"])
    return " ".join(part.strip().replace("`", "") for part in parts if part)
