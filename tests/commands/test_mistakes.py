"""Tests of mistakes in settings and environment: each is named, in one sentence."""

import re
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from catdog_stream import __version__
from catdog_stream.commands.replay import REASONS, replay
from catdog_stream.commands.train_head import train_head
from catdog_stream.errors import SettingError
from catdog_stream.settings import Settings
from tests.commands.test_errors import run, sentence

WIRE = Path(__file__).parents[2] / "docs" / "wire.md"


@pytest.mark.parametrize("value", ["abc", "", "0", "70000", "-1", "²"])
def test_a_port_of_the_page_that_is_none(value: str) -> None:
    answer = run("watch", WEB_PORT=value)
    assert answer.returncode == 2
    assert sentence(answer).startswith(f"WEB_PORT={value!r} cannot be used: ")


@pytest.mark.parametrize("command", ["worker", "up"])
@pytest.mark.parametrize("address", ["256.1.1.1", "203.0.113.1", "host.invalid"])
def test_an_address_of_the_page_that_is_none_is_not_blamed_on_the_port(
    command: str, address: str
) -> None:
    answer = run(command, WEB_BIND=address)
    assert answer.returncode == 2
    assert "WEB_BIND" in sentence(answer)
    assert address in sentence(answer)
    assert "port" not in sentence(answer).lower()


def test_a_setting_with_a_typing_error() -> None:
    answer = run("watch", CATDOG_TREADS="4")
    assert answer.returncode == 2
    assert sentence(answer) == "There is no setting CATDOG_TREADS: is CATDOG_THREADS meant?"


def test_a_setting_that_resembles_none() -> None:
    with pytest.raises(SettingError, match=r"^There is no setting CATDOG_XYZZY\.$"):
        Settings.from_environment({"CATDOG_XYZZY": "1"})


@pytest.mark.parametrize(
    "name",
    [
        "CATDOG_TEST_BROKER",
        "CATDOG_KAFKA_JARS",
        "CATDOG_SECURITY",
        "CATDOG_SERVICE_HOST",  # Kubernetes, for a service "catdog"
        "CATDOG_PORT_6066_TCP_ADDR",
        "CATDOG_PAGE_SERVICE_PORT",
    ],
)
def test_a_name_that_is_read_elsewhere_is_no_mistake(name: str) -> None:
    assert Settings.from_environment({name: ""}) == Settings.from_environment({})


def test_a_reason_code_that_does_not_exist() -> None:
    answer = CliRunner().invoke(replay, ["--reason", "nosuch"])
    assert answer.exit_code == 2
    assert answer.stderr.startswith("Error: There is no reason code 'nosuch': it must be one of ")
    assert answer.stderr.count("\n") == 1


def test_the_reason_codes_are_those_of_the_contract() -> None:
    table = WIRE.read_text().partition("| reason | |")[2].partition("\n\n")[0]
    assert [*re.findall(r"^\| `(\w+)`", table, re.MULTILINE), "unknown"] == list(REASONS)


def test_a_data_folder_that_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    answer = run("worker", APP_DATADIR=str(tmp_path / "file" / "folder"))
    assert answer.returncode == 2
    assert "APP_DATADIR=" in sentence(answer)


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="Linux has it")
def test_a_full_disk() -> None:
    with Path("/dev/full").open("w") as full:
        answer = subprocess.run(
            [sys.executable, "-m", "catdog_stream", "--version"],
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
        )
    assert answer.returncode == 1
    assert answer.stderr == "Error: No space left on device.\n"


def test_too_few_open_files() -> None:
    # Set in the command's own process: this process has more files open than that.
    limited = ["sh", "-c", 'ulimit -n 24 && exec "$@"', "sh"]
    command = [*limited, sys.executable, "-m", "catdog_stream", "watch"]
    answer = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert answer.returncode == 2
    assert sentence(answer).startswith("The limit of 24 open files is too low: ")


def test_the_version_is_this_programs() -> None:
    answer = run("--version")
    assert answer.returncode == 0
    assert answer.stdout == f"catdog-stream {__version__}\n"


def test_a_stack_is_not_replaced_unless_that_is_said(tmp_path: Path) -> None:
    (tmp_path / "manifest.json").write_text("mine")
    arguments = ["nowhere", "--output", str(tmp_path)]
    refused = CliRunner().invoke(train_head, arguments)
    assert refused.exit_code == 1
    assert refused.stderr == (
        f"Error: There is something in {tmp_path} already: --force replaces a stack there.\n"
    )
    forced = CliRunner().invoke(train_head, [*arguments, "--force"])
    assert "nowhere" in forced.stderr, "it gets as far as the pictures"
    assert (tmp_path / "manifest.json").read_text() == "mine"
