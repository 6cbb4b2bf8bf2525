"""How many pages of orders a second two workers serve, next to a stock Flask-Admin view.

    python bench/throughput.py [--database-url URL] [--orders 1000000] [--seconds 10] [--least 200]

Both are served by gunicorn with two workers, in turn, and asked by `wrk -c8` (Debian: wrk) for the
first page of the list; ours with a signed-in session. Exits with 1 below `--least` pages a second.
"""

from __future__ import annotations

import os
import re
import secrets
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from flask import Flask
from scratch import options, shop, signed_in

ROOT = Path(__file__).resolve().parent.parent
CONNECTIONS, WORKERS, START_SECONDS = 8, 2, 30
_RATE = re.compile(r"Requests/sec:\s+([\d.]+)")
_ERRORS = re.compile(r"Non-2xx or 3xx responses: (\d+)")


def main() -> int:
    parser = options(__doc__)
    parser.add_argument("--seconds", type=int, default=10)
    parser.add_argument("--least", type=float, default=200)
    given = parser.parse_args()
    if not shutil.which("wrk"):
        raise SystemExit("wrk is not installed. On Debian: apt-get install wrk")
    with shop(given.database_url, given.orders) as app:
        # The console is signed in to by one key, here and in the workers.
        app.secret_key = secrets.token_urlsafe(48)
        name, cookie = _cookie(app)
        with _served(app, "wsgi:app", ROOT) as address:
            ours = _rate(f"{address}/admin/orders/", given.seconds, f"{name}={cookie}")
        with _served(app, "stock:served()", ROOT / "bench") as address:
            stock = _rate(f"{address}/stock/order/", given.seconds)
    print(f"pages a second: ours {ours:,.0f}, stock Flask-Admin {stock:,.1f}")
    print(f"ratio {ours / stock:,.1f}, at least {given.least:g} pages a second asked for")
    return int(ours < given.least)


def _cookie(app: Flask) -> tuple[str, str]:
    name = app.config["SESSION_COOKIE_NAME"]
    cookie = signed_in(app).get_cookie(name)
    if cookie is None:
        raise SystemExit("Signing in gave no session.")
    return name, cookie.value


@contextmanager
def _served(app: Flask, target: str, folder: Path) -> Iterator[str]:
    """Serve an application by gunicorn until the block ends; give its address."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    environment = os.environ | {
        "APP_ENV": "testing",
        "BIND": f"127.0.0.1:{port}",
        "DATABASE_URL": app.config["SQLALCHEMY_DATABASE_URI"],
        "PYTHONPATH": str(ROOT),
        "SECRET_KEY": str(app.secret_key),
        "WEB_CONCURRENCY": str(WORKERS),
    }
    command = [sys.executable, "-m", "gunicorn", "--config", str(ROOT / "gunicorn.conf.py"), target]
    server = subprocess.Popen(
        command, cwd=folder, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    try:
        _wait_for(port)
        yield f"http://127.0.0.1:{port}"
    finally:
        server.terminate()
        server.wait()


def _wait_for(port: int) -> None:
    until = time.monotonic() + START_SECONDS
    while time.monotonic() < until:
        with socket.socket() as attempt:
            if attempt.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.1)
    raise SystemExit("The server did not start.")


def _rate(url: str, seconds: int, cookie: str = "") -> float:
    """Return the pages a second; every one must be the page itself."""
    request = urllib.request.Request(url, headers={"Cookie": cookie})  # noqa: S310  our own address
    with urllib.request.urlopen(request) as answer:  # noqa: S310
        if answer.url != url:
            raise SystemExit(f"{url} led to {answer.url}.")
    command = ["wrk", f"-c{CONNECTIONS}", "-t2", f"-d{seconds}s", "-H", f"Cookie: {cookie}", url]
    told = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    rate = _RATE.search(told)
    if rate is None or _ERRORS.search(told):
        raise SystemExit(f"wrk was not answered well:\n{told}")
    return float(rate[1])


if __name__ == "__main__":
    sys.exit(main())
