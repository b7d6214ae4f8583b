"""Tests of unsure verdicts: the most in-distribution orientation of the picture replaces them."""

import numpy as np
import pytest

from catdog_stream.models.engines.backbone import Batch
from catdog_stream.models.stacks.turned_copies import is_unsure, with_turned_copies
from catdog_stream.models.verdict import Verdict


def said(dog: float, familiarity: float | None = None) -> Verdict:
    unknown = familiarity is not None and familiarity < 0.02
    return Verdict({"cat": 1 - dog, "dog": dog}, "pets 1", familiarity, unknown=unknown)


@pytest.mark.parametrize(
    ("verdict", "unsure"),
    [
        (said(0.999), False),
        (said(0.999, 0.5), False),
        (said(0.99, 0.5), True),
        (said(0.999, 0.04), True),
        (said(0.001, 0.5), False),
    ],
)
def test_unsure_is_an_unfamiliar_picture_or_an_improbable_class(
    verdict: Verdict, unsure: bool
) -> None:
    assert is_unsure(verdict) is unsure


class Recorded:
    """Classifier by orientation: each corner that can be light has its verdict."""

    def __init__(self, *verdicts: Verdict) -> None:
        self.verdicts = verdicts
        self.asked: list[int] = []

    def __call__(self, pictures: Batch) -> list[Verdict]:
        self.asked.append(len(pictures))
        return [self.verdicts[_corner(np.asarray(picture))] for picture in pictures]


def _corner(picture: np.ndarray) -> int:
    corners = (picture[0, 0], picture[-1, 0], picture[-1, -1], picture[0, -1])
    return int(np.argmax([corner.sum() for corner in corners]))


def picture(turns: int = 0) -> np.ndarray:
    pixels = np.zeros((4, 4, 3), np.uint8)
    pixels[0, 0] = 255
    return np.rot90(pixels, turns)


def test_a_sure_picture_is_classified_once() -> None:
    classify = Recorded(said(0.999, 0.5), *[said(0.001, 0.9)] * 3)
    assert with_turned_copies([picture()] * 3, classify) == [said(0.999, 0.5)] * 3
    assert classify.asked == [3]


@pytest.mark.parametrize("turns", range(4))
def test_the_most_familiar_orientation_gives_the_verdict(turns: int) -> None:
    classify = Recorded(said(0.9, 0.03), said(1.0, 0.01), said(0.2, 0.6), said(0.9, 0.04))
    (verdict,) = with_turned_copies([picture(turns)], classify)
    assert verdict == said(0.2, 0.6)


def test_without_a_score_the_surest_orientation_gives_the_verdict() -> None:
    classify = Recorded(said(0.6), said(0.1), said(0.999), said(0.4))
    assert with_turned_copies([picture()], classify) == [said(0.999)]


def test_a_verdict_does_not_depend_on_the_rest_of_the_batch() -> None:
    verdicts = said(0.9, 0.03), said(0.999, 0.7), said(0.2, 0.6), said(0.9, 0.04)
    pictures = [picture(turns) for turns in (0, 1, 2, 1, 3)]
    alone = [with_turned_copies([each], Recorded(*verdicts))[0] for each in pictures]
    classify = Recorded(*verdicts)
    assert with_turned_copies(pictures, classify) == alone
    assert classify.asked == [5, 9]


def test_a_picture_unfamiliar_in_all_orientations_stays_unknown() -> None:
    classify = Recorded(*[said(0.9, 0.001 * number) for number in range(4)])
    assert with_turned_copies([picture()], classify)[0].unknown
