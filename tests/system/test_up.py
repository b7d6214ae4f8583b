"""Tests of ``catdog-stream up``: the whole system with one command, and its end."""

import signal
import socket
import sys
from pathlib import Path

import pytest
import requests

from catdog_stream.broker import HOST, is_ready
from catdog_stream.testing.waiting import wait_until
from tests.support.command import Command, Surroundings, catdog_stream, has_ended
from tests.support.examples import BRIGHTNESS

pytestmark = pytest.mark.integration

#: Program of one's own with another classifier.
MINE = """
from catdog_stream.app import app, main
from catdog_stream.testing import InstantClassifier

if __name__ == "__main__":
    app.inference.load = lambda settings: InstantClassifier({"dark": 0.75, "light": 0.25})
    main()
"""
SAMPLES = {"cat-chelsea.png": "cat", "cat-kitten.jpg": "cat", "dog-beagle.jpg": "dog"}


@pytest.fixture
def around(tmp_path: Path) -> Surroundings:
    return Surroundings(tmp_path)


def command(around: Surroundings, *arguments: str) -> Command:
    return Command(catdog_stream(*arguments), around.environment, around.folder)


def test_it_shows_the_page_labels_the_samples_and_leaves_nothing_behind_after_ctrl_c(
    around: Surroundings,
) -> None:
    with command(around, "up", "--samples") as up:
        up.wait_for("Ctrl-C stops everything.")
        assert f"The page: {around.page}/\n" in up.output()
        for sample, label in SAMPLES.items():
            (line,) = [line for line in up.output().splitlines() if sample in line]
            chances = dict(zip(("cat", "dog"), line.replace("%", "").split()[-3::2], strict=True))
            assert float(chances[label]) > 90, line

        def counted() -> bool:
            return bool(requests.get(f"{around.page}/labels/", timeout=10).json()["total"] == 3)

        wait_until(counted, "the samples to be counted")
        assert "3 pictures classified" in requests.get(around.page, timeout=10).text
        assert up.process.poll() is None
        children = up.descendants()
        assert len(children) >= 2

        up.press_ctrl_c()

        assert up.wait() == 0
        assert up.output().endswith("Stopped.\n")
        assert "Traceback" not in up.output()
        assert all(map(has_ended, children))
        assert not is_ready(HOST, around.broker_port)


def test_what_was_counted_is_there_the_next_time(around: Surroundings) -> None:
    for total in (3, 6):
        with command(around, "up", "--samples") as up:
            up.wait_for("Ctrl-C stops everything.")

            def counted(total: int = total) -> bool:
                answer = requests.get(f"{around.page}/labels/", timeout=10).json()
                return bool(answer["total"] == total)

            wait_until(counted, f"{total} pictures to be counted")
            up.press_ctrl_c()
            assert up.wait() == 0


@pytest.mark.skipif(
    sys.platform != "linux", reason="only Linux tells a process of its parent's end"
)
def test_its_processes_do_not_outlive_it_when_it_is_killed(around: Surroundings) -> None:
    with command(around, "up") as up:
        up.wait_for("Ctrl-C stops everything.")
        children = up.descendants()
        assert len(children) >= 2

        up.process.send_signal(signal.SIGKILL)

        wait_until(lambda: all(map(has_ended, children)), "its processes to end")


@pytest.mark.long
def test_a_second_one_is_told_which_port_to_change_and_then_shares_the_broker(
    around: Surroundings,
) -> None:
    with command(around, "up") as first:
        first.wait_for("Ctrl-C stops everything.")
        with command(around, "up") as second:
            assert second.wait() == 2
            assert only_line(second).startswith(f"Error: Port {around.web_port} for the page")
            assert "--web-port" in only_line(second)

        around.environment["WEB_PORT"] = str(Surroundings(around.folder).web_port)
        with command(around, "up", "--samples") as second:
            second.wait_for("Ctrl-C stops everything.")
            assert "starting" not in second.output()
            second.press_ctrl_c()
            assert second.wait() == 0
        assert first.process.poll() is None


@pytest.mark.parametrize("name", ["up", "worker"])
def test_a_busy_web_port_is_named_with_the_option_to_change_it(
    name: str, around: Surroundings
) -> None:
    with socket.socket() as holder:
        holder.bind((HOST, around.web_port))
        holder.listen()
        with command(around, name) as refused:
            assert refused.wait() == 2
    assert "Traceback" not in refused.output()
    (error,) = [line for line in refused.output().splitlines() if "Error: " in line]
    assert str(around.web_port) in error
    assert "--web-port" in error


@pytest.mark.parametrize(("name", "option"), [("up", "CATDOG_BROKER"), ("broker", "--port")])
def test_a_broker_port_that_another_program_holds_is_named_with_the_option_to_change_it(
    name: str, option: str, around: Surroundings
) -> None:
    with socket.socket() as holder:
        holder.bind((HOST, around.broker_port))
        with command(around, name) as refused:
            assert refused.wait() != 0
    assert str(around.broker_port) in only_line(refused)
    assert option in only_line(refused)


@pytest.mark.parametrize(
    ("program", "more"),
    [
        pytest.param(
            catdog_stream(),
            {"CATDOG_CLASSIFIER": "brightness:Brightness"},
            id="setting",
            marks=pytest.mark.long,
        ),
        pytest.param([sys.executable, "mine.py"], {}, id="program"),
    ],
)
def test_its_worker_serves_the_python_classifier_of_a_setting_or_of_a_program(
    program: list[str], more: dict[str, str], around: Surroundings
) -> None:
    (around.folder / "brightness.py").write_text(BRIGHTNESS)
    (around.folder / "mine.py").write_text(MINE)
    around.environment.update(more)
    arguments = [*program, "up", "--samples"]
    with Command(arguments, around.environment, around.folder) as up:
        up.wait_for("Ctrl-C stops everything.")
        assert "dark" in up.output(), up.output()
        up.press_ctrl_c()
        assert up.wait() == 0


def test_a_worker_names_what_is_wrong_with_the_classifier_of_its_setting(
    around: Surroundings,
) -> None:
    (around.folder / "mine.py").write_text("import no_such_library\n")
    around.environment["CATDOG_CLASSIFIER"] = "mine:Mine"
    with command(around, "worker") as worker:
        assert worker.wait() == 2
    errors = [line for line in worker.output().splitlines() if line.startswith("Error: ")]
    assert len(errors) == 1
    assert "No module named 'no_such_library' (" in errors[0]
    assert f"{around.folder / 'mine.py'}, line 1)." in errors[0]
    assert "Traceback" not in worker.output()


def only_line(refused: Command) -> str:
    """Return the one line that a command prints if it cannot start."""
    (line,) = refused.output().splitlines()
    return line
