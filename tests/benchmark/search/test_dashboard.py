"""optuna-dashboard on the suite's own store, as docs/cluster.md shows it."""

import json
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path

import pytest

from tests.benchmark.search.fake_search import make_search, search_here

pytest.importorskip("optuna_dashboard", reason="optuna-dashboard is not installed; pip install -e .[test]")

START = 60
"""Seconds until the server must answer; on a free machine it takes about three."""


@pytest.mark.slow
def test_the_dashboard_lists_the_searches_of_a_store(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/results.sqlite"
    search = make_search(points=3)
    search_here(url, search)
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    command = (Path(sys.executable).with_name("optuna-dashboard"), url, "--host", "127.0.0.1", "--port", str(port))
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as server:
        try:
            page = _read(f"http://127.0.0.1:{port}/dashboard/")
            studies = json.loads(_read(f"http://127.0.0.1:{port}/api/studies"))["study_summaries"]
            script = _read(f"http://127.0.0.1:{port}/static/bundle.js")
        finally:
            server.terminate()
    assert "bundle.js" in page
    assert len(script) > 10_000
    assert [study["study_name"] for study in studies] == [search.key]


def _read(address: str) -> str:
    """What the server answers, once it does."""
    until = time.monotonic() + START
    while True:
        try:
            with urllib.request.urlopen(address, timeout=START) as answer:
                return str(answer.read().decode())
        except urllib.error.HTTPError:
            raise
        except OSError:
            if time.monotonic() > until:
                raise
            time.sleep(0.1)
