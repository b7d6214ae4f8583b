"""Tests of trees in the format of xgboost 0.x: their output, and invalid files."""

import math
import os
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
import xgboost
from hypothesis import given
from hypothesis import strategies as st

from catdog_stream.errors import InputError
from catdog_stream.models.legacy.booster import read_booster
from catdog_stream.models.legacy.booster_json import as_json
from tests.models.legacy.old_format import Node, leaf, old_booster, split

SOURCE = Path("model.p")
NAN = float("nan")

#: Features 0 and 2 of three decide; a missing feature 0 goes left, a missing feature 2 right.
TREE: list[Node] = [
    split(-1, 1, 2, 0, 0.5, True),
    leaf(0, -1.5),
    split(0, 3, 4, 2, 0.25, False),
    leaf(2, 0.125),
    leaf(2, 2.0),
]
STUMP: list[Node] = [split(-1, 1, 2, 1, 0.0, False), leaf(0, -0.25), leaf(0, 0.75)]

#: Places in a file of one tree; ``models.legacy.booster`` documents the format.
PARAMETERS = 136
TREES = PARAMETERS + 8 + len("binary:logistic") + 8 + len("gbtree")
FIRST = TREES + 160
NODES = FIRST + 148
STATISTICS = NODES + 20 * len(TREE)

#: A row, and the output of TREE and STUMP for it.
BY_HAND = [
    ([0.4, 0.0, 9.0], -1.5, 0.75),
    ([0.5, -1.0, 0.2], 0.125, -0.25),
    ([0.6, 0.0, 0.25], 2.0, 0.75),
    ([NAN, NAN, 9.0], -1.5, 0.75),
    ([0.6, -1.0, NAN], 2.0, -0.25),
]


def probabilities(booster: bytes, rows: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    model = xgboost.Booster({"nthread": 1})
    model.load_model(bytearray(as_json(read_booster(SOURCE, booster))))
    found: npt.NDArray[np.float32] = model.inplace_predict(rows)
    return found


@pytest.mark.parametrize("base", [0.0, -0.8473])
def test_trees_answer_what_is_computed_by_hand(base: float) -> None:
    rows = np.array([row for row, *_ in BY_HAND], np.float32)
    expected = [1 / (1 + math.exp(-(base + one + two))) for _, one, two in BY_HAND]
    found = probabilities(old_booster([TREE, STUMP], 3, base_margin=base), rows)
    np.testing.assert_allclose(found, expected, rtol=1e-6)


def test_what_else_is_saved_changes_nothing() -> None:
    rows = np.array([row for row, *_ in BY_HAND], np.float32)
    plain = old_booster([TREE, STUMP], 3)
    more = old_booster([TREE, STUMP], 3, attributes={"best_iteration": "1"}, metrics=("auc",))
    np.testing.assert_array_equal(probabilities(more, rows), probabilities(plain, rows))
    np.testing.assert_array_equal(probabilities(b"binf" + plain, rows), probabilities(plain, rows))


def test_nodes_that_were_pruned_are_left_out() -> None:
    # Node 2 was pruned and its children are still stored; the root's children are 1 and 2.
    pruned = [*STUMP, leaf(2, 8.0), (-1, 3, 9, 2**31 - 1, True, NAN)]
    (tree,) = read_booster(SOURCE, old_booster([pruned], 3, deleted=2)).trees
    assert len(tree.value) == 3
    rows = np.array([row for row, *_ in BY_HAND], np.float32)
    np.testing.assert_array_equal(
        probabilities(old_booster([pruned], 3, deleted=2), rows),
        probabilities(old_booster([STUMP], 3), rows),
    )


def test_what_a_leaf_has_for_its_right_child_is_not_looked_at() -> None:
    rows = np.array([row for row, *_ in BY_HAND], np.float32)
    odd = [STUMP[0], (0, -1, 2**31 - 1, 2**31 - 1, True, -0.25), (0, -1, 1, 0, False, 0.75)]
    np.testing.assert_array_equal(
        probabilities(old_booster([odd], 3), rows), probabilities(old_booster([STUMP], 3), rows)
    )


@pytest.mark.parametrize(
    ("booster", "sentence"),
    [
        (old_booster([TREE], 3, objective="multi:softprob"), "they are multi:softprob by gbtree"),
        (old_booster([TREE], 3, booster="dart"), "they are binary:logistic by dart"),
        (b'CONFIG-offset:{"...', "by xgboost 1 or later"),
        (old_booster([TREE], 2), "a feature that is not there"),
        (old_booster([[leaf(-1, NAN)]], 3), "not finite"),
        (old_booster([[split(-1, 1, 1, 0, 0.5, True), leaf(0, 1)]], 3), "a tree is damaged"),
        (old_booster([[split(-1, 0, 1, 0, 0.5, True), leaf(0, 1)]], 3), "a tree is damaged"),
        (old_booster([[split(-1, 1, 7, 0, 0.5, True), leaf(0, 1)]], 3), "a tree is damaged"),
        (old_booster([[split(-1, 1, -1, 0, 0.5, True), leaf(0, 1)]], 3), "a tree is damaged"),
        (old_booster([], 3), "damaged"),
        (old_booster([TREE], 3, base_margin=math.inf), "no chance"),
        (old_booster([TREE], 3, base_margin=-1e30), "no chance"),
        (old_booster([TREE], 3) + b"\0", "something follows"),
        (b"", "cut off"),
    ],
)
def test_what_cannot_be_read_is_told_in_one_sentence(booster: bytes, sentence: str) -> None:
    with pytest.raises(InputError, match=sentence) as raised:
        read_booster(SOURCE, booster)
    assert str(raised.value).startswith("The trees in model.p cannot be read: ")


@pytest.mark.parametrize(
    "place",
    [
        pytest.param(PARAMETERS - 1, id="zeros of the learner"),
        pytest.param(TREES + 8, id="features of the trees"),
        pytest.param(FIRST + 8, id="deleted nodes"),
        pytest.param(FIRST + 16, id="features of a tree"),
        pytest.param(FIRST + 147, id="zeros of a tree"),
        pytest.param(NODES, id="parent of the root"),
        pytest.param(NODES + 20, id="parent of a leaf"),
        pytest.param(NODES + 23, id="side of a leaf"),
        pytest.param(NODES + 20 + 18, id="value of a leaf"),
        pytest.param(STATISTICS + 16 + 7, id="hessian of a leaf"),
        pytest.param(STATISTICS + 16 + 10, id="weight of a leaf"),
    ],
)
def test_a_changed_byte_that_contradicts_another_is_found(place: int) -> None:
    content = bytearray(old_booster([TREE], 3))
    read_booster(SOURCE, bytes(content))
    content[place] ^= 0x41
    with pytest.raises(InputError, match=r"damaged|contradicts itself"):
        read_booster(SOURCE, bytes(content))


def test_a_file_that_is_cut_off_anywhere_is_told() -> None:
    whole = old_booster([TREE, STUMP], 3, attributes={"a": "b"}, metrics=("auc",))
    for length in range(len(whole)):
        with pytest.raises(InputError):
            read_booster(SOURCE, whole[:length])


@given(st.data())
def test_whatever_the_bytes_are_there_is_a_model_or_a_sentence(data: st.DataObject) -> None:
    content = bytearray(old_booster([TREE, STUMP], 3, attributes={"a": "b"}))
    for _ in range(data.draw(st.integers(1, 4))):
        content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    try:
        booster = read_booster(SOURCE, bytes(content))
    except InputError:
        return
    if booster.features < 1000:
        probabilities(bytes(content), np.zeros((1, booster.features), np.float32))


ORIGINAL = Path(
    os.environ.get("CATDOG_TEST_ORIGINAL", Path(__file__).parents[4] / "shared/original")
)


@pytest.mark.skipif(not ORIGINAL.is_dir(), reason="the original's pickle is not at hand")
def test_the_originals_trees_answer_as_they_did_in_their_time(tmp_path: Path) -> None:
    from catdog_stream.models.legacy.head import read_head
    from catdog_stream.models.stacks.head import Head

    head = read_head(ORIGINAL / "xgboost_model.p")
    assert (head.classes, head.features, head.trees) == (("cat", "dog"), 1001, 100)
    head.write(tmp_path / "head.ubj")
    with np.load(ORIGINAL / "reference.npz") as reference:
        found = Head(tmp_path / "head.ubj", 1001, 2).scores(reference["X"])[:, 1]
        difference = np.abs(found - reference["p"])
    print(f"largest difference over {len(difference)} rows: {difference.max()}")
    assert len(difference) == 1201
    assert difference.max() == 0.0
