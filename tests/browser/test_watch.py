"""The watch sees what it is there for; otherwise every other test here would prove little."""

from __future__ import annotations

import pytest

from backoffice.access import Role
from tests.browser.conftest import Browse
from tests.browser.watch import Watch


@pytest.mark.parametrize(
    ("script", "told"),
    [
        ("console.error('broken')", "broken"),
        ("console.warn('doubtful')", "doubtful"),
        ("setTimeout(() => { throw new Error('thrown') })", "thrown"),
        ("fetch('/no-such-thing')", "404 GET"),
        ("document.body.setAttribute('style', 'color: red')", "violates"),
        ("fetch('http://127.0.0.1:1/').catch(() => {})", "violates"),
    ],
)
def test_a_fault_is_seen(browse: Browse, watch: Watch, script: str, told: str) -> None:
    page = browse(Role.ADMIN)
    assert watch.faults == []

    page.evaluate(f"() => {{ {script} }}")
    for _ in range(40):
        if watch.faults:
            break
        page.wait_for_timeout(50)
    faults = watch.faults
    watch.forgive()

    assert any(told in fault for fault in faults)
