"""Test of ``evaluate --robustness``, which measures the configured stack on views of pictures."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from catdog_stream.commands.evaluate import evaluate
from catdog_stream.models.stacks.locate import samples


@pytest.fixture
def labelled(tmp_path: Path) -> str:
    for label in ("cat", "dog"):
        (tmp_path / label).mkdir()
        for sample in sorted(samples().glob(f"{label}-*"))[:1]:
            (tmp_path / label / sample.name).write_bytes(sample.read_bytes())
    return str(tmp_path)


def test_each_view_is_measured_whatever_a_worker_takes(labelled: str) -> None:
    answer = CliRunner().invoke(
        evaluate,
        [labelled, "--robustness", "--json"],
        env={"CATDOG_STACK": "efficientnet_lite2", "CATDOG_MAX_IMAGE_BYTES": "1000"},
    )
    assert answer.exit_code == 0, answer.output
    views = json.loads(answer.stdout)["views"]
    assert len(views) == 14
    assert views[0] == {
        "view": "as it is", "pictures": 2, "right": 2, "unknown": 0, "accuracy": 1.0,
        "interval": [pytest.approx(0.342, abs=1e-3), 1.0],
    }  # fmt: skip


def test_a_sample_without_views_is_refused(labelled: str) -> None:
    answer = CliRunner().invoke(evaluate, [labelled, "--sample", "5"])
    assert answer.exit_code == 2
    assert "--sample is for --robustness" in answer.stderr
