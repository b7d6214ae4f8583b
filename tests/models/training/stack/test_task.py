"""Tests of a training's identity: it is the same while all that decides the result is the same."""

from dataclasses import replace
from pathlib import Path

import pytest

from catdog_stream.models.preprocessing import Preprocessing
from catdog_stream.models.stacks.locate import default_stack
from catdog_stream.models.training.backbone.start import Start
from catdog_stream.models.training.data.checking import Checked, Example
from catdog_stream.models.training.data.splitting import split
from catdog_stream.models.training.labelled import WORKER_LIMITS, LabelledFile
from catdog_stream.models.training.stack.task import Options, Task


def examples(folder: str) -> tuple[Example, ...]:
    contents = [(label, f"{label} {number}") for label in range(2) for number in range(60)]
    return tuple(
        Example(LabelledFile(Path(folder) / content, label), content) for label, content in contents
    )


@pytest.fixture
def start(tmp_path: Path) -> Start:
    litert = tmp_path / "backbone.tflite"
    litert.write_bytes(b"weights")
    return Start(tmp_path, "inception_v3", Preprocessing(299), 2048, litert=litert)


def task(start: Start, *, frozen: bool = False, folder: str = "pictures") -> Task:
    found = examples(folder)
    return Task(
        pictures=Path(folder),
        evaluation=Path(folder),
        checked=Checked(("cat", "dog"), found, (), (), ()),
        parts=split(found, frozen=frozen),
        start=start,
        teacher=None,
        options=Options("pets", epochs=8, seed=3),
        limits=WORKER_LIMITS,
        threads=1,
        progress=False,
    )


def test_other_folders_and_threads_make_no_other_training(start: Start) -> None:
    moved = replace(task(start, folder="elsewhere"), threads=8, progress=True)
    assert moved.about() == task(start).about()


def test_other_pictures_options_and_weights_do(start: Start) -> None:
    one = task(start)
    before = one.about()
    fewer = replace(one.checked, training=one.checked.training[1:])
    assert replace(one, checked=fewer).about() != before
    assert replace(one, options=replace(one.options, seed=4)).about() != before
    assert task(start, frozen=True).about() != before
    grouped = [replace(each, group="g") for each in one.checked.training]
    assert replace(one, checked=replace(one.checked, training=tuple(grouped))).about() != before
    assert replace(one, options=replace(one.options, head="linear")).about() != before
    assert replace(one, teacher=start).about() != before
    start.file.write_bytes(b"others")
    assert one.about() != before


def test_a_network_with_pictures_of_its_own_learns_as_the_options_say(start: Start) -> None:
    plan = task(start).plan
    assert plan is not None
    assert plan.seed == 3
    assert sum(phase.epochs for phase in plan.phases) == 8
    assert task(start).unchanged is None


def test_one_without_is_taken_as_it_is_if_litert_runs_it(start: Start) -> None:
    frozen = task(start, frozen=True)
    assert frozen.plan is None
    assert frozen.unchanged == start.litert
    assert replace(frozen, start=replace(start, litert=None)).unchanged is None


def test_another_size_of_the_input_needs_another_litert_file() -> None:
    start = Start.find(default_stack(), None, 160)
    assert (start.preprocessing.size, start.litert) == (160, None)
    assert Start.find(default_stack(), None, 299).litert is not None
