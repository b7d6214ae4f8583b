"""Tests that the split of pictures depends only on their content and the seed."""

from collections import Counter
from pathlib import Path

import pytest

from catdog_stream.models.training.data.checking import Example
from catdog_stream.models.training.data.splitting import FOLDS, Split, folds, split
from catdog_stream.models.training.labelled import LabelledFile


def examples(count: int, classes: int = 3) -> list[Example]:
    contents = [(label, f"{label} {number}") for label in range(classes) for number in range(count)]
    return [Example(LabelledFile(Path(content), label), content) for label, content in contents]


def parts(found: Split) -> dict[str, str]:
    """Return content to the name of its part."""
    return {
        each.sha256: name
        for name in ("backbone", "head", "evaluation")
        for each in getattr(found, name)
    }


@pytest.mark.parametrize("count", [20, 60, 300, 7000])
def test_each_picture_has_a_part_and_each_class_its_share(count: int) -> None:
    found = split(examples(count))
    assert len(parts(found)) == len(found.backbone) + len(found.head) + len(found.evaluation)
    assert len(parts(found)) == 3 * count
    for part in (found.backbone, found.head, found.evaluation):
        assert len(set(Counter(each.file.label for each in part).values())) == 1
    assert len(found.evaluation) <= 0.2 * 3 * count
    assert len(found.head) <= 0.4 * 3 * count


def test_the_order_of_the_files_changes_nothing_and_the_seed_does() -> None:
    found = parts(split(examples(60)))
    assert parts(split(examples(60)[::-1])) == found
    assert parts(split(examples(60), seed=1)) != found


def test_a_picture_more_leaves_nearly_all_where_they_are() -> None:
    before, after = parts(split(examples(200))), parts(split(examples(201)))
    moved = [content for content, part in before.items() if after[content] != part]
    assert len(moved) <= 3 * 2


def test_with_pictures_to_evaluate_on_none_are_taken_for_it() -> None:
    others = examples(10)
    found = split(examples(60), others)
    assert found.evaluation == tuple(others)
    assert len(found.head) + len(found.backbone) == 3 * 60


def test_the_head_gets_all_if_the_backbone_learns_nothing() -> None:
    found = split(examples(60), frozen=True)
    assert not found.backbone
    assert parts(found).keys() == parts(split(examples(60))).keys()
    assert found.evaluation == split(examples(60)).evaluation


def test_folds_are_of_one_size_in_each_class() -> None:
    pictures = examples(25)
    counts = Counter(zip((e.file.label for e in pictures), folds(pictures), strict=True))
    assert set(counts.values()) == {25 // FOLDS}
