"""Tests of the times in options."""

from datetime import datetime

import pytest
from click.testing import CliRunner

from catdog_stream.commands.replay import replay
from catdog_stream.commands.times import parse_time
from catdog_stream.errors import SettingError

NOW = 1_700_000_000.5


@pytest.mark.parametrize(
    ("text", "seconds_ago"),
    [("0s", 0), ("90s", 90), ("15m", 900), ("2h", 7200), ("3d", 259200), (" 1w ", 604800)],
)
def test_a_duration_is_counted_back_from_now(text: str, seconds_ago: int) -> None:
    assert parse_time("--since", text, NOW) == int((NOW - seconds_ago) * 1000)


def test_a_duration_longer_than_time_itself_means_everything() -> None:
    assert parse_time("--since", "999999999w", NOW) == 0


@pytest.mark.parametrize(
    "text", ["2024-05-17T12:00:00.250Z", "2024-05-17T14:00:00.250+02:00", "20240517T120000.250Z"]
)
def test_a_time_with_a_zone_is_the_same_everywhere(text: str) -> None:
    assert parse_time("--since", text, NOW) == 1_715_947_200_250


@pytest.mark.parametrize("text", ["2024-05-17", "2024-05-17 12:00"])
def test_a_time_without_a_zone_is_this_machines(text: str) -> None:
    assert parse_time("--since", text, NOW) == int(datetime.fromisoformat(text).timestamp() * 1000)


@pytest.mark.parametrize(
    "text", ["", "yesterday", "2", "h", "-2h", "2.5h", "2H", "2 h", "2024-13-01", "0001-01-01x"]
)
def test_anything_else_is_refused_in_one_sentence(text: str) -> None:
    with pytest.raises(SettingError, match=r"^--since '.*' cannot be used: [^.]*\.$"):
        parse_time("--since", text, NOW)


def test_the_command_refuses_it_before_it_asks_for_a_broker() -> None:
    answer = CliRunner().invoke(replay, ["--since", "yesterday"])
    assert answer.exit_code == 2
    assert answer.stderr.startswith("Error: --since 'yesterday' cannot be used: ")
