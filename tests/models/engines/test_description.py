"""Tests that ``train-head`` reads the description of a backbone that ``convert`` writes."""

import json
from pathlib import Path
from typing import Any

import pytest

from catdog_stream.errors import StackError
from catdog_stream.models.engines.description import Description
from catdog_stream.models.engines.networks import NETWORKS, NetworkName


@pytest.mark.parametrize("network", list(NETWORKS))
def test_description_is_read_as_it_was_written(tmp_path: Path, network: NetworkName) -> None:
    known = NETWORKS[network]
    written = Description(network, known.preprocessing, known.features)
    written.write(tmp_path)
    assert Description.read(tmp_path) == written


@pytest.mark.parametrize(
    ("change", "match"),
    [
        ({"network": "alexnet"}, "efficientnet_lite2, inception_v3, inception_v3_slim"),
        ({"network": ["inception_v3"]}, "network must be"),
        ({"features": 0}, "at least 1"),
        ({"features": True}, "whole number"),
        ({"input": None}, "input must be"),
    ],
)
def test_description_that_makes_no_sense_is_one_sentence(
    tmp_path: Path, change: dict[str, Any], match: str
) -> None:
    known = NETWORKS["inception_v3"]
    Description("inception_v3", known.preprocessing, known.features).write(tmp_path)
    file = tmp_path / "backbone.json"
    file.write_text(json.dumps({**json.loads(file.read_text()), **change}))
    with pytest.raises(StackError, match=match):
        Description.read(tmp_path)


@pytest.mark.parametrize("content", ["", "[]", "{}", "[" * 100_000])
def test_what_is_no_description_is_refused(tmp_path: Path, content: str) -> None:
    (tmp_path / "backbone.json").write_text(content)
    with pytest.raises(StackError, match=r"backbone\.json"):
        Description.read(tmp_path)
