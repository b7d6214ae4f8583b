"""Tests of the unit: it starts a worker, and handles its exit status."""

import configparser
import shlex

from catdog_stream import deadlines
from catdog_stream.errors import SettingError, TooManyRejectedError
from tests.ops.environment import refusals
from tests.ops.files import OPS, WORST_CASE

UNIT = OPS / "systemd" / "catdog-stream.service"


def directives() -> dict[str, list[str]]:
    """Return the directives of the service, each with all of its values."""
    found: dict[str, list[str]] = {}
    for line in UNIT.read_text().splitlines():
        name, equals, value = line.partition("=")
        if equals and not line.startswith("#"):
            found.setdefault(name, []).append(value)
    return found


def test_it_starts_a_worker() -> None:
    (command,) = directives()["ExecStart"]
    assert shlex.split(command)[1] == "worker"


def test_every_setting_is_known_and_can_be_used() -> None:
    environment = dict(each.partition("=")[::2] for each in directives()["Environment"])
    assert environment
    assert refusals(environment) == []


def test_a_worker_has_the_time_that_it_takes_to_stop() -> None:
    (seconds,) = directives()["TimeoutStopSec"]
    assert int(seconds) > deadlines.STOP


def test_what_a_person_has_to_mend_is_not_started_again() -> None:
    (statuses,) = directives()["RestartPreventExitStatus"]
    assert set(map(int, statuses.split())) == {
        SettingError.exit_code,
        TooManyRejectedError.exit_code,
    }
    assert directives()["Restart"] == ["on-failure"]


def test_it_has_the_sections_of_a_unit() -> None:
    parser = configparser.ConfigParser(strict=False, interpolation=None)
    parser.read(UNIT)
    assert parser.sections() == ["Unit", "Service", "Install"]


def test_the_worst_case_fits() -> None:
    (most,) = directives()["MemoryMax"]
    assert int(most.removesuffix("M")) << 20 > WORST_CASE
