"""Tests of both kinds of heads: they are measured on pictures that they were not trained on."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from catdog_stream.models.stacks.head import Head
from catdog_stream.models.training.head.held_out import Arrays, forget
from catdog_stream.models.training.head.learner import Learner, learners, write_head
from catdog_stream.models.training.head.options import MOST_TO_BOOST, HeadKind, HeadOption
from tests.models.training.head.seen import FOLDS, seen

KINDS: tuple[HeadKind, ...] = ("boosted", "linear")


def learner_of(kind: HeadKind, classes: int) -> Learner:
    (learner,) = learners(kind, classes, threads=2, progress=False)
    return learner


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("classes", [2, 3])
def test_what_is_held_out_is_known_if_it_can_be(kind: HeadKind, classes: int) -> None:
    learner = learner_of(kind, classes)
    told, noise = (
        learner.hold_out(seen(classes, told=told), FOLDS, forget) for told in (True, False)
    )
    labels = seen(classes, told=True).labels
    assert told.logits.shape == (150, classes)
    assert np.mean(told.logits.argmax(axis=1) == labels) > 0.95
    # A head that was trained on these pictures would have learned the noise.
    assert np.mean(noise.logits.argmax(axis=1) == labels) < 1 / classes + 0.15


@pytest.mark.parametrize("kind", KINDS)
def test_finished_folds_are_not_computed_again(kind: HeadKind) -> None:
    learner, pictures, stored = learner_of(kind, 2), seen(2, told=True), dict[str, Arrays]()

    def stop_after_three(name: str, compute: Callable[[], Arrays]) -> Arrays:
        if len(stored) == 3:
            raise InterruptedError
        stored[name] = compute()
        return stored[name]

    with pytest.raises(InterruptedError):
        learner.hold_out(pictures, FOLDS, stop_after_three)
    kept, computed = list(stored), list[str]()

    def go_on(name: str, compute: Callable[[], Arrays]) -> Arrays:
        if name not in stored:
            computed.append(name)
            stored[name] = compute()
        return stored[name]

    resumed, whole = (learner.hold_out(pictures, FOLDS, each) for each in (go_on, forget))
    assert len(kept) >= 3
    assert len(computed) == 5 - len(kept)
    assert not {*computed} & {*kept}
    assert resumed.setting == whole.setting
    np.testing.assert_array_equal(resumed.logits, whole.logits)


@pytest.mark.parametrize(
    ("option", "classes", "kinds"),
    [
        ("auto", 2, ["boosted", "linear"]),
        ("auto", MOST_TO_BOOST, ["boosted", "linear"]),
        ("auto", MOST_TO_BOOST + 1, ["linear"]),
        ("boosted", 200, ["boosted"]),
        ("linear", 2, ["linear"]),
    ],
)
def test_the_kinds_to_compare(option: HeadOption, classes: int, kinds: list[HeadKind]) -> None:
    found = learners(option, classes, threads=1, progress=False)
    assert [learner.kind for learner in found] == kinds


def test_a_head_replaces_one_of_the_other_kind(tmp_path: Path) -> None:
    kinds: list[HeadKind] = ["boosted", "linear", "boosted"]
    for kind in kinds:
        file = "head.ubj" if kind == "boosted" else "head.npz"
        learner = learner_of(kind, 2)
        write_head(learner, seen(2, told=True), 0.01 if kind == "linear" else 60, tmp_path)
        assert [each.name for each in tmp_path.iterdir()] == [file]
        scores = Head(tmp_path / file, 30, 2).scores(seen(2, told=True).whole)
        assert np.mean(scores.argmax(axis=1) == seen(2, told=True).labels) > 0.9
