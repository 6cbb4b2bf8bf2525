"""How gunicorn serves the application: `gunicorn wsgi:app` reads this file by itself."""

from __future__ import annotations

import atexit
import gc
import os
import shutil
import tempfile
from pathlib import Path
from typing import Any

bind = os.environ.get("BIND", "127.0.0.1:8000")
workers = int(os.environ.get("WEB_CONCURRENCY", "2"))
worker_class = "gthread"
threads = int(os.environ.get("WEB_THREADS", "4"))
timeout = 60
graceful_timeout = 30
keepalive = 5
# Workers are replaced now and then, not all at once, so that no leak can grow for ever.
max_requests = 10_000
max_requests_jitter = 1_000

# The application is loaded once, before the workers: a refused configuration ends the start with
# its message instead of a row of dying workers.
preload_app = True

# The application logs each request itself, and gunicorn's own messages come out in its format.
accesslog = None
errorlog = "-"

# Nothing is written to the disk: heartbeats live in memory, and there is no control socket.
_MEMORY = "/dev/shm" if Path("/dev/shm").is_dir() else None  # noqa: S108  it is for this
worker_tmp_dir = _MEMORY
control_socket_disable = True

# Only the application, which knows PROXY_HOPS, decides what a proxy may say.
forwarded_allow_ips = ""


# Where the workers count together. A new one each time: old counts must not be added to new ones.
_STORE = tempfile.mkdtemp(prefix="backoffice-metrics-", dir=_MEMORY)
os.environ["PROMETHEUS_MULTIPROC_DIR"] = _STORE


def _remove_counts(master: int = os.getpid()) -> None:
    """Remove them when the master ends, also by refusing to start; not when a worker ends."""
    if os.getpid() == master:
        shutil.rmtree(_STORE, ignore_errors=True)


atexit.register(_remove_counts)


def pre_fork(server: Any, worker: Any) -> None:
    """Keep what was loaded once out of every later collection of garbage, and give a place.

    Under its place a worker counts: the first that no living one has. Workers are replaced for
    ever, and by their process ids the counts would grow as long.
    """
    gc.freeze()
    taken = {other.place for other in server.WORKERS.values()}
    worker.place = next(place for place in range(len(taken) + 1) if place not in taken)


def post_fork(server: Any, worker: Any) -> None:
    """Forget connections that were opened before the fork: two processes cannot share one."""
    app = server.app.wsgi()
    app.extensions["become_worker"](worker.place)
    with app.app_context():
        for engine in app.extensions["sqlalchemy"].engines.values():
            engine.dispose(close=False)
