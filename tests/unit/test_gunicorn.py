"""Under gunicorn all workers count together, and a scrape tells the sum, whoever answers it."""

from __future__ import annotations

import http.client
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from prometheus_client.parser import text_string_to_metric_families

from config.base import ROOT

TOKEN = "a-token-for-scrapers-of-32-characters"


@pytest.fixture
def port(tmp_path: Path) -> Iterator[int]:
    """Two workers, each of which is replaced after a few requests."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    environment = {
        "PATH": os.environ["PATH"],
        "APP_ENV": "testing",
        "DATABASE_URL": f"sqlite:///{tmp_path / 'shop.sqlite'}",
        "METRICS_TOKEN": TOKEN,
        "BIND": f"127.0.0.1:{port}",
        "WEB_CONCURRENCY": "2",
    }
    gunicorn = str(Path(sys.executable).with_name("gunicorn"))
    command = [gunicorn, "--max-requests=8", "--max-requests-jitter=0", "wsgi:app"]
    process = subprocess.Popen(command, cwd=ROOT, env=environment, stderr=subprocess.DEVNULL)
    try:
        yield port
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait()


def get(port: int, path: str) -> str:
    """Ask until somebody answers: the server may be starting, a worker may just have gone."""
    until = time.monotonic() + 30
    while True:
        connection = http.client.HTTPConnection("127.0.0.1", port)
        try:
            connection.request("GET", path, headers={"Authorization": f"Bearer {TOKEN}"})
            return connection.getresponse().read().decode()
        except (ConnectionError, http.client.HTTPException):
            assert time.monotonic() < until, "gunicorn does not answer"
            time.sleep(0.05)
        finally:
            connection.close()


def test_no_count_is_lost_when_workers_are_replaced(port: int) -> None:
    for _ in range(30):
        get(port, "/login")

    found = {
        (sample.name, *sample.labels.values()): sample.value
        for family in text_string_to_metric_families(get(port, "/metrics"))
        for sample in family.samples
    }

    assert found["backoffice_http_requests_total", "GET", "/login", "200"] == 30
    assert found["backoffice_http_request_duration_seconds_count", "/login"] == 30
    assert found["backoffice_process_workers",] >= 1
