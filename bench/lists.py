"""How long the pages about orders take, next to a stock Flask-Admin view of the same tables.

    python bench/lists.py [--database-url URL] [--orders 1000000] [--rounds 20] [--slow-rounds 3]

Both applications run in this process, over the same database, asked in turn through Flask's test
client: the time of the server without that of the network. The stock view has no sign-in, no change
log and no counts that give up; it has the same columns, the same page size and the same search.
"""

from __future__ import annotations

import html
import re
import statistics
import sys
import time
from collections.abc import Callable
from typing import Any

from flask.testing import FlaskClient
from scratch import PAGE, options, shop, signed_in
from stock import COLUMNS, stock_app

from backoffice.admin.listing.columns import sort_column
from backoffice.admin.listing.keyset import Cursors
from backoffice.admin.listing.keyset import Order as ListOrder
from backoffice.db import db
from backoffice.models import Order

SLOW_MS = 1000
_EMAIL = "customer4711@example.com"


def main() -> int:
    parser = options(__doc__)
    parser.add_argument("--rounds", type=int, default=20)
    parser.add_argument("--slow-rounds", type=int, default=3, help="of what takes over a second")
    given = parser.parse_args()
    with shop(given.database_url, given.orders) as app:
        ours, stock = signed_in(app), stock_app(app.config).test_client()
        pages = given.orders // PAGE
        middle = db.session.get_one(Order, given.orders // 2)
        by_date = ListOrder(sort_column(Order, "placed_at"), True, Order.id)
        after = Cursors(str(app.secret_key), "orders").write(by_date, (middle.placed_at, middle.id))
        last = _linked(ours, "/admin/orders/?sort=-placed_at", "last")
        date, amount = COLUMNS.index("placed_at"), COLUMNS.index("total_amount")
        latest = f"/stock/order/?sort={date}&desc=1"
        db.session.remove()
        screens = {
            "first page": ("/admin/orders/", latest),
            "page at half depth": (
                f"/admin/orders/?sort=-placed_at&after={after}", f"{latest}&page={pages // 2}",
            ),
            "last page": (last, f"{latest}&page={pages - 1}"),
            "sort by date": ("/admin/orders/?sort=placed_at", f"/stock/order/?sort={date}"),
            "sort by amount": (
                "/admin/orders/?sort=-total_amount", f"/stock/order/?sort={amount}&desc=1",
            ),
            "filter by status": ("/admin/orders/?status=paid", f"{latest}&flt0_0=PAID"),
            "search by e-mail": (f"/admin/orders/?search={_EMAIL}", f"{latest}&search={_EMAIL}"),
            "order form": (
                f"/admin/orders/edit/?id={middle.id}", f"/stock/order/edit/?id={middle.id}",
            ),
        }  # fmt: skip
        print(f"{'ms, p50 (p95)':20} {'ours':>16} {'stock':>18} {'ratio':>8} {'kB':>6} {'kB':>7}")
        for name, (mine, theirs) in screens.items():
            print(_line(name, (ours, mine), (stock, theirs), given.rounds, given.slow_rounds))
    return 0


def _linked(client: FlaskClient, page: str, relation: str) -> str:
    """Return the address that a page's link of this relation leads to."""
    found = re.search(rf'rel="{relation}" href="([^"]+)"', client.get(page).text)
    if not found:
        raise SystemExit(f"{page} has no link to its {relation} page.")
    return html.unescape(found[1])


def _line(
    name: str, ours: tuple[FlaskClient, str], stock: tuple[FlaskClient, str], most: int, slow: int
) -> str:
    """Ask both in turn; fewer times when the first answer took long."""
    first = [_ask(*ours), _ask(*stock)]  # also warms both up
    rounds = slow if max(ms for ms, _ in first) > SLOW_MS else most
    asked = [(_ask(*ours), _ask(*stock)) for _ in range(rounds)]
    mine, theirs = ([one[side][0] for one in asked] for side in (0, 1))
    ratio = statistics.median(theirs) / statistics.median(mine)
    sizes = [size / 1000 for _, size in first]
    return (
        f"{name:20} {_shown(mine):>16} {_shown(theirs):>18} {ratio:7.1f}x "
        f"{sizes[0]:6.0f} {sizes[1]:7.0f}"
    )


def _ask(client: FlaskClient, url: str) -> tuple[float, int]:
    started = time.perf_counter()
    answer: Any = client.get(url)
    size = len(answer.data)
    seconds = time.perf_counter() - started
    if answer.status_code != 200:
        raise SystemExit(f"{url} was answered with {answer.status_code}.")
    return seconds * 1000, size


def _shown(times: list[float]) -> str:
    ordered = sorted(times)
    worst: Callable[[int], int] = lambda n: min(n - 1, round(0.95 * n))  # noqa: E731
    return f"{statistics.median(times):,.1f} ({ordered[worst(len(ordered))]:,.1f})"


if __name__ == "__main__":
    sys.exit(main())
