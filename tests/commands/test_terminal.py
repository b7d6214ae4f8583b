"""Tests of real terminals, pipes and machines: closed, narrow, full, without a temporary folder."""

import asyncio
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from faust.cli.base import cli
from tqdm import tqdm

from catdog_stream.app import app
from catdog_stream.commands.send import _Answers
from catdog_stream.commands.stacks import _require_worker
from catdog_stream.errors import SettingError
from catdog_stream.kafka.rollout_status import Running
from catdog_stream.models.stacks.repository import StackId
from tests.commands.test_errors import run, sentence

ROOT = Path(__file__).parents[2]
SECONDS = 60
PREPARE = "from catdog_stream.terminal import prepare_streams; prepare_streams();"


def shell(command: str, **settings: str) -> subprocess.CompletedProcess[str]:
    """Run Python with these arguments in a shell, its streams as the shell leaves them."""
    return subprocess.run(
        ["sh", "-c", f'"$PYTHON" {command}'],
        env={**os.environ, "PYTHON": sys.executable, **settings},
        capture_output=True,
        text=True,
        timeout=SECONDS,
        check=False,
    )


@pytest.mark.parametrize("closed", ["<&-", ">&-", "2>&-", "<&- >&- 2>&-"])
def test_a_closed_stream_is_no_fault(closed: str) -> None:
    answer = shell(f"-m catdog_stream --version {closed}")
    assert answer.returncode == 0
    assert "Traceback" not in answer.stderr


def test_nothing_else_gets_the_number_of_a_closed_stream() -> None:
    answer = shell(f"-c \"{PREPARE} print(open('setup.cfg').fileno())\" 2>&-")
    assert int(answer.stdout) > 2


def test_text_that_the_terminal_has_no_bytes_for_is_escaped() -> None:
    answer = shell(f"-c \"{PREPARE} print('\\u732b')\"", PYTHONIOENCODING="latin-1")
    assert (answer.returncode, answer.stdout) == (0, "\\u732b\n")


def test_a_pipe_that_nobody_reads_ends_the_command_and_not_the_loop(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Simulate ``send --wait PATH | head -1``: each callback would print a traceback."""

    def write(*_: object, **__: object) -> None:
        raise BrokenPipeError

    monkeypatch.setattr(tqdm, "write", write)

    async def scenario() -> None:
        answers, loop = _Answers(), asyncio.get_running_loop()
        complaints: list[Any] = []
        loop.set_exception_handler(lambda _loop, context: complaints.append(context))
        futures = [loop.create_future() for _ in range(2)]
        for future in futures:
            answers.expect(Path("a.png"), future)
            future.set_result(_Reply())
        with pytest.raises(BrokenPipeError):
            await answers.until_settled(SECONDS)
        assert not complaints

    asyncio.run(scenario())


class _Reply:
    label = "cat"


def test_a_machine_without_a_temporary_folder_runs_what_needs_none() -> None:
    code = (
        "import sys, tempfile; tempfile._candidate_tempdir_list = lambda: ['/nowhere']; "
        "sys.argv = ['catdog-stream', 'send', 'nowhere']; "
        "from catdog_stream.__main__ import main; main()"
    )
    answer = shell(f'-c "{code}"')
    assert answer.stderr == "Error: There is no file or folder nowhere.\n"


def test_train_takes_its_folder_behind_two_dashes(tmp_path: Path) -> None:
    answer = run("train", "--output", str(tmp_path / "stack"), "--", "nowhere")
    assert answer.returncode == 1
    assert sentence(answer) == "There is no folder nowhere."


def test_the_help_states_the_defaults_that_hold() -> None:
    app.discover()
    worker = CliRunner().invoke(cli.commands["worker"], ["--help"]).output
    assert "0.0.0.0" not in worker
    assert " ".join(worker.split()).count("or 127.0.0.1") == 2
    assert str(app.conf.web_bind) == "127.0.0.1"
    general = CliRunner().invoke(cli, ["--help"]).output
    assert "{conf.name}" not in general
    assert "[default: aio]" not in " ".join(general.split())


def test_make_help_shows_each_text_in_full() -> None:
    answer = subprocess.run(
        ["make", "-s", "help"], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert "kill workers: build/soak.csv and .png" in answer.stdout


def test_a_stack_that_nobody_knows_is_not_deployed() -> None:
    with pytest.raises(SettingError, match=r"No worker runs .*nope/1.*CATDOG_STACKS"):
        _require_worker(Running(frozenset()), StackId("nope", "1"))
    _require_worker(Running(frozenset({"http://worker:6066"})), StackId("pets", "1"))
