"""Test of ``evaluate --robustness``, which measures the configured stack on views of pictures."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from catdog_stream.app import build_app
from catdog_stream.commands.evaluate import evaluate_command
from catdog_stream.models.stacks.locate import samples
from catdog_stream.settings import Settings
from catdog_stream.testing import InstantClassifier
from tests.support.examples import EXAMPLES


@pytest.fixture
def labelled(tmp_path: Path) -> str:
    for label in ("cat", "dog"):
        (tmp_path / label).mkdir()
        for sample in sorted(samples().glob(f"{label}-*"))[:1]:
            (tmp_path / label / sample.name).write_bytes(sample.read_bytes())
    return str(tmp_path)


def evaluated(arguments: list[str], **environment: str) -> Result:
    """Run the command as in an environment of ``environment`` alone."""
    app = build_app(Settings.from_environment(environment))
    return CliRunner().invoke(evaluate_command(app), arguments)


def test_a_python_classifier_is_measured(
    labelled: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.syspath_prepend(EXAMPLES)
    for old, new in (("cat", "dark"), ("dog", "light")):
        (tmp_path / old).rename(tmp_path / new)
    answer = evaluated([labelled], CATDOG_CLASSIFIER="brightness:Brightness")
    assert answer.exit_code == 0, answer.output
    assert "brightness 1, run by python" in answer.stdout


def test_the_loader_of_a_program_of_ones_own_is_measured(labelled: str) -> None:
    app = build_app(Settings())
    app.inference.load = lambda _: InstantClassifier({"cat": 0.9, "dog": 0.1})
    answer = CliRunner().invoke(evaluate_command(app), [labelled, "--json"])
    assert answer.exit_code == 0, answer.output
    assert json.loads(answer.stdout)["confusion"]["dog"] == {"cat": 1, "dog": 0}


def test_each_view_is_measured_whatever_a_worker_takes(labelled: str) -> None:
    answer = evaluated(
        [labelled, "--robustness", "--json"],
        CATDOG_STACK="efficientnet_lite2",
        CATDOG_MAX_IMAGE_BYTES="1000",
    )
    assert answer.exit_code == 0, answer.output
    views = json.loads(answer.stdout)["views"]
    assert len(views) == 14
    assert views[0] == {
        "view": "as it is", "pictures": 2, "right": 2, "unknown": 0, "accuracy": 1.0,
        "interval": [pytest.approx(0.342, abs=1e-3), 1.0],
    }  # fmt: skip


def test_a_sample_without_views_is_refused(labelled: str) -> None:
    answer = evaluated([labelled, "--sample", "5"])
    assert answer.exit_code == 2
    assert "--sample is for --robustness" in answer.stderr
