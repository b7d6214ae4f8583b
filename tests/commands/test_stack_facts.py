"""Tests of the output of ``stacks list`` and ``stacks show`` for valid and hostile stacks."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from catdog_stream.commands.stack_facts import about, serving
from catdog_stream.commands.stacks import stacks
from catdog_stream.kafka.deployments import Report, RolloutState
from catdog_stream.models.stacks.repository import Repository, StackId
from tests.support.stacks import add, quality, with_golden

HOSTILE = "\x1b[2J\x9b\u202e\ud800\n"


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("CATDOG_STACKS", str(tmp_path))
    return tmp_path


def shown(*arguments: str) -> str:
    result = CliRunner().invoke(stacks, ["show", *arguments])
    assert result.exit_code == 0, result.output
    return result.output


def test_a_stack_is_shown_with_all_that_its_manifest_says(folder: Path) -> None:
    with_golden(folder, "pets", "1", cat=1.0, dog=0.0)
    lines = shown("pets/1").splitlines()
    assert lines[0] == "pets/1: cat, dog"
    assert lines[1].endswith(f" accuracy {quality()['accuracy']:.2%} on 2000 pictures")
    for text in (
        "inception_v3, 299 x 299 pixels, 2048 features",
        "backbone.tflite, 2",
        "cat-kitten.jpg",
        "counts {",
        f"calibration_error {quality()['calibration_error']}",
    ):
        assert any(text in line for line in lines), text
    assert json.loads(shown("pets/1", "--json"))["golden"][0]["file"] == "cat-kitten.jpg"


def test_what_a_manifest_says_is_text_on_a_terminal_and_not_without_end(folder: Path) -> None:
    add(
        folder,
        "pets",
        "1",
        training={HOSTILE: HOSTILE, "deep": {"a": [10**40, HOSTILE]}},
        quality={"accuracy": 10**400, "count": HOSTILE},
        training_of=["x" * 10**6],
    )
    for text in (shown("pets/1"), shown("pets/1", "--json")):
        assert all(character.isprintable() or character == "\n" for character in text)
    plain = shown("pets/1")
    assert max(map(len, plain.splitlines())) < 1000
    assert "never measured" in plain
    assert about(Repository(folder), StackId("pets", "1"))["about"] == "never measured"


def test_a_worker_is_told_to_serve_to_load_or_to_refuse() -> None:
    told = RolloutState(
        reports={
            "http://a": Report("http://a", 3, "pets 2"),
            "http://b": Report("http://b", 3, "pets 1", loading="pets/2"),
            "http://c": Report("http://c", 3, "pets 1", "It is damaged."),
        }
    )
    assert [str(serving(f"http://{name}", told)) for name in "abcd"] == [
        "http://a serves pets 2",
        "http://b serves pets 1, and loads pets/2",
        "http://c serves pets 1: It is damaged.",
        "http://d follows no deployments: it has no CATDOG_STACKS, or is starting",
    ]
