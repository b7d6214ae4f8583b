"""Tests of figures for people and for charts."""

import json
from pathlib import Path

import pytest

from benchmarks.report import milliseconds, report, spread


def test_a_spread_tells_the_median_and_both_ends() -> None:
    assert spread([0.9512, 0.93, 0.96]) == "0.951 (0.93 to 0.96)"
    assert spread([1659.4, 1700, 1500]) == "1,659 (1,500 to 1,700)"


def test_times_are_told_from_the_largest() -> None:
    assert milliseconds({"client": 0.0002, "program": 0.0301}) == "program 30.10, client 0.20"


def test_figures_are_printed_and_written(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "new" / "figures.json"
    report("Title", {"rate": "5"}, {"rate_per_s": 5}, broker="Apache Kafka", output=file)
    assert capsys.readouterr().out == "\nTitle, Apache Kafka\n  rate  5\n"
    document = json.loads(file.read_text())
    assert (document["rate_per_s"], document["broker"]) == (5, "Apache Kafka")
    assert document["machine"]["cores"] >= 1
