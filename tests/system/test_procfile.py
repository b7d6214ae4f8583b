"""Test of the Procfile, run by honcho."""

import signal
import sys
from pathlib import Path

import pytest
import requests

from catdog_stream.testing.waiting import wait_until
from catdog_stream.testing.worker import PATIENCE
from tests.support.command import Command, Surroundings, has_ended

pytestmark = pytest.mark.integration

PROCFILE = Path(__file__).parents[2] / "Procfile"


def test_honcho_runs_the_broker_and_a_worker_and_stops_both(tmp_path: Path) -> None:
    around = Surroundings(tmp_path)
    scripts = Path(sys.executable).parent
    around.environment["PATH"] = f"{scripts}:{around.environment['PATH']}"
    honcho = [sys.executable, "-m", "honcho", "--no-colour", "--procfile", str(PROCFILE), "start"]
    with Command(honcho, around.environment, tmp_path) as running:

        def ready() -> bool:
            assert running.process.poll() is None, running.output()
            try:
                return requests.get(f"{around.page}/readyz", timeout=10).status_code == 200
            except requests.ConnectionError:
                return False

        wait_until(ready, f"the worker to be ready, see {running.log}", PATIENCE)
        assert "The broker listens on" in running.output()
        children = running.descendants()

        running.process.send_signal(signal.SIGTERM)

        running.wait()
        wait_until(lambda: all(map(has_ended, children)), "all processes to end")
        assert "Traceback" not in running.output()
