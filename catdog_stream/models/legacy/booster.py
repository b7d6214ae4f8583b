"""Reader of xgboost's binary format of boosted trees before 1.0, which xgboost 3 cannot read.

All numbers are little-endian; a ``text`` is its length in eight bytes, and the bytes::

    "binf"                       4 bytes, may be missing
    learner parameters           136 bytes: base score (float32), features (uint32), classes,
                                 has attributes, has metrics (int32), zeros
    objective, booster           two texts: "binary:logistic", "gbtree"
    tree model parameters        160 bytes: trees, roots, features, - (int32), - (int64),
                                 output groups, size of leaf vectors (int32), zeros
    for each tree:
      parameters                 148 bytes: roots, nodes, deleted nodes, depth, features,
                                 size of leaf vectors (int32), zeros
      nodes                      20 bytes each: parent, left, right (int32), feature and default
                                 direction (uint32), threshold or value of a leaf (float32)
      statistics                 16 bytes each: gain, hessian, weight (float32), - (int32)
    group of each tree           int32 each
    attributes                   if there are some: number (8 bytes), two texts for each
    metrics                      if there are some: number (8 bytes), a text for each

A node without a left child is a leaf. The highest bit of the feature states that a missing feature
goes left. A node that cannot be reached from the root is deleted. The base score is the margin to
which the values of the trees are added. ``binary:logistic`` turns the sum into a probability with
the logistic function.

The format has no checksum, and repeats some values, which must agree: the parents of nodes, and in
the highest bit whether a node is a left child; the number of features in each tree; the number of
deleted nodes; the zeros; a node's hessian, which is the sum of those of its children; and the value
of a leaf, which is its weight times a learning rate that is the same for all leaves of a tree.
Nothing repeats the threshold, the feature and the default direction of a node: a changed one of
these can be another valid model.

The reader supports only ``binary:logistic`` by ``gbtree``, which the first system used. For any
bytes, :func:`read_booster` returns valid trees, in which every row reaches a leaf, or raises
``InputError``.
"""

import struct
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from catdog_stream.errors import InputError

__all__ = ["Booster", "Tree", "read_booster"]

_NODE = np.dtype([("parent", "<i4"), ("left", "<i4"), ("right", "<i4"), ("s", "<u4"), ("v", "<f4")])
_STATISTICS = np.dtype([("gain", "<f4"), ("hessian", "<f4"), ("weight", "<f4"), ("-", "<i4")])
_DEFAULT_LEFT = _IS_LEFT = 1 << 31
#: Largest relative differences that rounding explains: of a product, and of sums in any order.
_PRODUCT_ROUNDING, _SUM_ROUNDING = 1e-6, 1e-4
#: Longest text, in bytes; names and sensible attributes are shorter.
_LONGEST_TEXT = 1 << 20


@dataclass(frozen=True, slots=True, eq=False)
class Tree:
    """A tree of n nodes, the root first. All arrays have the shape [n]."""

    left: npt.NDArray[np.int32]
    """Left child; -1 in a leaf."""
    right: npt.NDArray[np.int32]
    parent: npt.NDArray[np.int32]
    """Parent; -1 in the root."""
    feature: npt.NDArray[np.int32]
    """Index of the feature; a row goes left if its feature is less than ``value``; 0 in a leaf."""
    default_left: npt.NDArray[np.bool_]
    """True if a row without the feature goes left."""
    value: npt.NDArray[np.float32]
    """Threshold, or value of a leaf. Finite."""
    gain: npt.NDArray[np.float32]
    hessian: npt.NDArray[np.float32]
    weight: npt.NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Booster:
    """Trees for ``binary:logistic``."""

    base_score: np.float32
    """Probability if the values of the trees add up to 0; between 0 and 1."""
    features: int
    trees: list[Tree]

    @property
    def thresholds(self) -> tuple[float, float]:
        """The lowest and the highest threshold; both 0 without any."""
        found = np.concatenate([tree.value[tree.left != -1] for tree in self.trees])
        return (float(found.min()), float(found.max())) if len(found) else (0.0, 0.0)


def read_booster(source: Path, data: bytes) -> Booster:
    """Read the trees in ``data``, which came from the file ``source``. Raises ``InputError``."""
    try:
        return _read(_Reader(data))
    except _UnreadableError as error:
        raise InputError(f"The trees in {source} cannot be read: {error}.") from error


class _UnreadableError(Exception):
    """Error whose text is the reason: the end of a sentence about the trees."""


class _Reader:
    """Reader that takes bytes from the front, never more than there are."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._at = 0

    @property
    def left(self) -> int:
        """The number of remaining bytes."""
        return len(self._data) - self._at

    def skip(self, prefix: bytes) -> bool:
        """Take ``prefix`` if the remaining bytes begin with it; return if they do."""
        found = self._data.startswith(prefix, self._at)
        self._at += len(prefix) if found else 0
        return found

    def take(self, size: int) -> bytes:
        if size > self.left:
            raise _UnreadableError("they are cut off")
        self._at += size
        return self._data[self._at - size : self._at]

    def numbers(self, form: str, size: int) -> tuple[int | float, ...]:
        """Take the next ``size`` bytes, and return the numbers at their front; zeros follow."""
        data = self.take(size)
        if any(data[struct.calcsize("<" + form) :]):
            raise _UnreadableError("they are damaged")
        return struct.unpack_from("<" + form, data)

    def array(self, dtype: npt.DTypeLike, count: int) -> npt.NDArray[np.void]:
        return np.frombuffer(self.take(count * np.dtype(dtype).itemsize), dtype)

    def text(self) -> bytes:
        (size,) = struct.unpack("<Q", self.take(8))
        if size > _LONGEST_TEXT:
            raise _UnreadableError("they are damaged")
        return self.take(size)


def _read(reader: _Reader) -> Booster:
    if reader.skip(b"CONFIG-offset:") or reader.skip(b"{"):
        raise _UnreadableError(
            "they were pickled by xgboost 1 or later, which can save them as .ubj itself"
        )
    reader.skip(b"binf")
    base_margin, features, _, has_attributes, has_metrics, *_ = reader.numbers("fI3i", 136)
    objective, booster = reader.text(), reader.text()
    if (objective, booster) != (b"binary:logistic", b"gbtree"):
        found = " by ".join(
            ascii(text[:40].decode("latin1"))[1:-1] for text in (objective, booster)
        )
        raise _UnreadableError(f"binary:logistic by gbtree is understood, and they are {found}")
    count, roots, again, _, _, groups, leaf_vectors = reader.numbers("4iq2i", 160)
    if (roots, again, groups, leaf_vectors) != (1, features, 1, 0) or count < 1:
        raise _UnreadableError("they are damaged")
    with np.errstate(over="ignore"):  # the probability is then 0, which is refused
        base_score = np.float32(1 / (1 + np.exp(-np.float64(base_margin))))
    if not 0 < base_score < 1:
        raise _UnreadableError("their base score is no chance")
    trees = [_read_tree(reader, int(features)) for _ in range(int(count))]
    if reader.array("<i4", len(trees)).any():
        raise _UnreadableError("they are damaged")
    for present, texts in ((has_attributes, 2), (has_metrics, 1)):
        if present:
            (entries,) = struct.unpack("<Q", reader.take(8))
            if entries > reader.left:
                raise _UnreadableError("they are damaged")
            for _ in range(texts * entries):
                reader.text()
    if reader.left:
        raise _UnreadableError("something follows them")
    return Booster(base_score, int(features), trees)


def _read_tree(reader: _Reader, features: int) -> Tree:
    roots, count, deleted, _, again, leaf_vectors = reader.numbers("6i", 148)
    if (roots, again, leaf_vectors) != (1, features, 0) or count < 1:
        raise _UnreadableError("a tree is damaged")
    nodes = reader.array(_NODE, int(count))
    statistics = reader.array(_STATISTICS, int(count))
    order = _reached(nodes)
    if len(order) + deleted != count:
        raise _UnreadableError("a tree is damaged")
    if not np.isfinite(nodes["v"][order]).all():
        raise _UnreadableError("a tree has numbers that are not finite")
    _check_repeated(nodes, statistics, np.array(order))
    place = np.full(len(nodes), -1, np.int32)
    place[order] = np.arange(len(order))
    nodes, statistics = nodes[order], statistics[order]
    leaf = nodes["left"] == -1
    feature = np.where(leaf, 0, nodes["s"] % _DEFAULT_LEFT).astype(np.int64)
    if (feature >= features).any():
        raise _UnreadableError("a tree asks for a feature that is not there")
    # The children of a leaf may have any value.
    left, right = (
        np.where(leaf, -1, place[np.where(leaf, 0, nodes[side])]).astype(np.int32)
        for side in ("left", "right")
    )
    parent = np.full(len(nodes), -1, np.int32)
    for children in (left, right):
        parent[children[~leaf]] = np.flatnonzero(~leaf)
    return Tree(
        left,
        right,
        parent,
        feature.astype(np.int32),
        default_left=np.where(leaf, 0, nodes["s"] // _DEFAULT_LEFT).astype(np.bool_),
        value=nodes["v"],
        gain=np.nan_to_num(statistics["gain"]),
        hessian=np.nan_to_num(statistics["hessian"]),
        weight=np.nan_to_num(statistics["weight"]),
    )


def _check_repeated(
    nodes: npt.NDArray[np.void], statistics: npt.NDArray[np.void], order: npt.NDArray[np.intp]
) -> None:
    """Raise ``_UnreadableError`` if values of the nodes ``order`` that must agree do not."""
    is_leaf = nodes["left"][order] == -1
    inner, leaves = order[~is_leaf], order[is_leaf]
    left, right = nodes["left"][inner], nodes["right"][inner]
    parents = nodes["parent"].view(np.uint32)
    hessian, weight = statistics["hessian"].astype(float), statistics["weight"].astype(float)
    weighed = leaves[weight[leaves] != 0]
    rates = nodes["v"][weighed] / weight[weighed]
    agrees = (
        nodes["parent"][0] == -1
        and np.array_equal(parents[left], inner | _IS_LEFT)
        and np.array_equal(parents[right], inner)
        and np.allclose(hessian[left] + hessian[right], hessian[inner], rtol=_SUM_ROUNDING, atol=0)
        and np.allclose(
            rates, np.median(rates) if len(rates) else 0, rtol=_PRODUCT_ROUNDING, atol=0
        )
    )
    if not agrees:
        raise _UnreadableError("a tree contradicts itself: the file was changed")


def _reached(nodes: npt.NDArray[np.void]) -> list[int]:
    """Return the nodes that the root reaches, in ascending order.

    Raises ``_UnreadableError`` if a node has two parents.
    """
    children = list(zip(nodes["left"].tolist(), nodes["right"].tolist(), strict=True))
    reached = {0}
    waiting = [0]
    while waiting:
        pair = children[waiting.pop()]
        if pair[0] == -1:
            continue
        for child in pair:
            if not 0 < child < len(nodes) or child in reached:
                raise _UnreadableError("a tree is damaged")
            reached.add(child)
            waiting.append(child)
    return sorted(reached)
