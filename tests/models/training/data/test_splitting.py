"""Tests that the split of pictures depends only on their content and the seed."""

import dataclasses
from collections import Counter, defaultdict
from collections.abc import Sequence
from pathlib import Path

import numpy as np
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


def grouped(sizes: Sequence[int], classes: int = 3) -> list[Example]:
    """Return pictures in groups of these sizes; in a group, the classes take turns."""
    found = []
    for group, size in enumerate(sizes):
        for number in range(size):
            content, label = f"{group} {number}", (group + number // 2) % classes
            found.append(Example(LabelledFile(Path(content), label), content, f"g{group}"))
    return found


@pytest.mark.parametrize("frozen", [False, True])
@pytest.mark.parametrize("seed", range(5))
def test_a_group_is_on_one_side_of_every_split(seed: int, frozen: bool) -> None:
    random = np.random.default_rng(seed)
    pictures = grouped(random.integers(1, 20, 60).tolist())
    found = split(pictures, frozen=frozen, seed=seed)
    names = parts(found)
    sides: dict[str | None, set[object]] = defaultdict(set)
    for each, fold in zip(found.head, folds(found.head, seed), strict=True):
        sides[each.group].add(fold)
    for each in pictures:
        sides[each.group].add(names[each.sha256])
    assert all(len({s for s in side if isinstance(s, str)}) == 1 for side in sides.values())
    assert all(len({s for s in side if isinstance(s, int)}) <= 1 for side in sides.values())
    assert 0.05 < len(found.evaluation) / len(pictures) < 0.25
    by_fold = Counter(folds(found.head, seed))
    assert max(by_fold.values()) <= 1.5 * min(by_fold.values())


@pytest.mark.parametrize("sizes", [[20, 20, 20], [50, 5, 5], [1, 58, 1]])
def test_few_large_groups_leave_no_part_empty(sizes: list[int]) -> None:
    for seed in range(10):
        found = split(grouped(sizes, classes=1), frozen=True, seed=seed)
        assert found.evaluation
        assert found.head


def test_groups_of_one_picture_change_nothing() -> None:
    pictures = examples(60)
    alone = [dataclasses.replace(each, group=each.sha256) for each in pictures]
    assert len(parts(split(alone))) == len(parts(split(pictures)))
    counts = Counter(zip((e.file.label for e in alone), folds(alone), strict=True))
    assert set(counts.values()) == {60 // FOLDS}


def test_folds_are_of_one_size_in_each_class() -> None:
    pictures = examples(25)
    counts = Counter(zip((e.file.label for e in pictures), folds(pictures), strict=True))
    assert set(counts.values()) == {25 // FOLDS}
