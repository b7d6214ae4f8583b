"""Tests of training: from a folder of pictures to a stack that serves, with interruptions."""

import re
import signal
import time
from pathlib import Path

import numpy as np
import pytest

from catdog_stream.models.stacks.locate import shipped_stack
from catdog_stream.models.stacks.manifest import load_manifest
from catdog_stream.models.stacks.stack import ModelStack
from tests.commands.test_errors import run, sentence
from tests.models.training.data.pictures import CLASSES, fill, picture
from tests.support.command import Command, Surroundings, catdog_stream, has_ended

#: Seconds for TensorFlow to start, or to end, a training while another one runs.
TRAINING = 300.0
#: Smallest size that the network accepts.
SIZE = 75
TEACHER = shipped_stack("efficientnet_lite2")
#: Message for few pictures.
UNFAMILIAR = "The stack calls nothing unknown: 24 pictures, 8 of the rarest class, are too few"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = fill(tmp_path_factory.mktemp("train") / "pictures", 20)
    (folder / "fine" / "broken.png").write_bytes(b"\x89PNG\r\n\x1a\n")
    return folder


def train(folder: Path, around: Surroundings, output: Path, *more: str) -> Command:
    arguments = ["train", str(folder), "--output", str(output), "--fine-tuning", "--epochs", "2"]
    arguments += ["--size", str(SIZE), "--threads", "2", "--name", "stripes"]
    arguments += ["--teacher", str(TEACHER), *more]
    return Command(catdog_stream(*arguments), around.environment, around.folder)


@pytest.mark.slow
@pytest.mark.long
def test_a_training_that_was_stopped_makes_the_same_stack(folder: Path, tmp_path: Path) -> None:
    around = Surroundings(tmp_path)
    whole, stopped = tmp_path / "whole", tmp_path / "stopped"
    with train(folder, around, whole) as undisturbed:
        with train(folder, around, stopped) as command:
            command.wait_for("phase 2", TRAINING)
            worker = command.descendants() - {command.process.pid}
            began = time.monotonic()
            command.process.send_signal(signal.SIGTERM)
            assert command.wait(20) == 128 + signal.SIGTERM
            assert time.monotonic() - began < 5
            assert all(map(has_ended, worker))
        assert command.output().endswith("--resume goes on from here.\n")
        assert not stopped.exists()

        with train(folder, around, stopped) as command:
            assert command.wait() == 1
        assert "--resume goes on with it" in command.output()
        with train(folder, around, stopped, "--resume") as command:
            assert command.wait(TRAINING) == 0, command.output()
        assert "phase 1:   0%" not in command.output()
        assert re.search(r"Left out: .*broken\.png", command.output())
        assert undisturbed.wait(TRAINING) == 0, undisturbed.output()
        assert UNFAMILIAR in undisturbed.output()
    for file in ("head.ubj", "backbone.tflite"):
        assert (stopped / file).read_bytes() == (whole / file).read_bytes(), file
    assert not (tmp_path / "stopped.training").exists()

    serves(stopped)


def serves(directory: Path) -> None:
    """Check that the stack conforms to its manifest, and has its report."""
    manifest = load_manifest(directory)
    assert manifest.classes == tuple(CLASSES)
    assert manifest.training is not None
    assert manifest.quality is not None
    assert manifest.training["counts"]["backbone"] == dict.fromkeys(CLASSES, 8)
    assert manifest.training["teacher"] == "efficientnet_lite2"
    assert manifest.quality["count"] == 12
    assert manifest.quality["parity"]["pictures"] == 12
    assert len(manifest.golden) == 3
    assert manifest.familiarity is None
    report = (directory / "report.html").read_text()
    assert "broken.png" in report
    assert UNFAMILIAR in report
    stack = ModelStack.load(directory, engine="litert", threads=1)
    stack.check_golden(directory)
    (verdict,) = stack.classify([np.asarray(picture(3, 500, SIZE))])
    assert list(verdict.scores) == list(CLASSES)
    assert verdict.stack == "stripes 1"
    stack.close()


def test_what_would_mislead_is_refused_in_a_sentence(folder: Path, tmp_path: Path) -> None:
    output = tmp_path / "out"
    answer = run("train", str(folder / "nowhere"), "--output", str(output))
    assert answer.returncode == 1
    assert sentence(answer) == f"There is no folder {folder / 'nowhere'}."
    few = fill(tmp_path / "few", 3)
    answer = run("train", str(few), "--output", str(output))
    assert answer.returncode == 1
    assert answer.stderr.splitlines()[-1] == (
        f"Error: {few / 'broad'} has 3 different pictures that can be read, 20 are needed."
    )
    options = ("--output", str(output), "--teacher", str(TEACHER), "--no-fine-tuning")
    answer = run("train", str(folder), *options)
    assert answer.returncode == 1
    assert answer.stderr.splitlines()[-1] == (
        "Error: A teacher is for a backbone that learns: this one does not."
    )
    assert not list(tmp_path.glob("out*"))
