"""Split of the pictures into parts for the backbone, the head and the evaluation.

The split depends on the hash of a picture's content and on the seed. The names and the order of the
files have no effect, and an additional picture leaves nearly all others in their parts. Pictures of
a group stay together.
"""

import hashlib
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
import numpy.typing as npt

from catdog_stream.models.training.data.checking import Example

__all__ = ["FOLDS", "Split", "even_folds", "folds", "split"]

FOLDS = 5
"""Number of parts of the head's pictures; each part is held out once."""

#: Pictures of each class for a part: (``least``, ``share``, ``most``, ``enough``). The part gets
#: ``share`` of them, but at least ``least`` (as long as this is at most the share ``most``), and
#: at most ``enough``.
_EVALUATION = (12, 0.1, 0.2, 1000)
_HEAD = (25, 0.2, 0.4, 3000)


@dataclass(frozen=True, slots=True)
class Split:
    """The parts of the pictures; no picture is in two parts."""

    backbone: tuple[Example, ...]
    """Pictures to train the backbone; empty if the backbone stays unchanged."""
    head: tuple[Example, ...]
    """Pictures to train the head, which the backbone was not trained on."""
    evaluation: tuple[Example, ...]
    """Held-out pictures; no training and no choice of parameters uses them."""


def split(
    training: Sequence[Example],
    evaluation: Sequence[Example] = (),
    *,
    frozen: bool = False,
    seed: int = 0,
) -> Split:
    """Split ``training`` into parts.

    Args:
        training: the pictures to split.
        evaluation: the pictures for the evaluation. Without them, some of ``training`` are used.
        frozen: True if the backbone is not trained; the head then gets its pictures.
        seed: seed of the split.
    """
    counts = Counter(each.file.label for each in training)
    sizes = {
        "evaluation": {c: 0 if evaluation else _size(n, *_EVALUATION) for c, n in counts.items()},
        "head": {c: n if frozen else _size(n, *_HEAD) for c, n in counts.items()},
    }
    parts: dict[str, list[Example]] = {"evaluation": [], "head": [], "backbone": []}
    placed = {part: Counter[int]() for part in parts}
    for group in _groups(training, seed):
        labels = Counter(each.file.label for each in group)
        part = next((p for p in sizes if _has_room(placed[p], sizes[p], labels)), "backbone")
        placed[part] += labels
        parts[part] += group
    for members in parts.values():
        members.sort(key=lambda each: (each.file.label, _draw(seed, each.sha256)))
    return Split(
        tuple(parts["backbone"]), tuple(parts["head"]), tuple(evaluation or parts["evaluation"])
    )


def folds(examples: Sequence[Example], seed: int = 0) -> list[int]:
    """Return the fold of each example, 0 to ``FOLDS`` - 1; classes are spread evenly."""
    numbers: dict[Path, int] = {}
    placed = [Counter[int]() for _ in range(FOLDS)]
    for group in sorted(_groups(examples, seed), key=len, reverse=True):
        labels = Counter(each.file.label for each in group)
        fold = min(range(FOLDS), key=lambda n: sum(placed[n][label] for label in labels))
        placed[fold] += labels
        numbers |= {each.file.path: fold for each in group}
    return [numbers[example.file.path] for example in examples]


def even_folds(labels: npt.NDArray[np.intp]) -> npt.NDArray[np.intp]:
    """Return the fold of each picture by chance; classes are spread evenly."""
    random = np.random.default_rng(0)
    fold = np.empty(len(labels), np.intp)
    for label in np.unique(labels):
        (members,) = np.nonzero(labels == label)
        fold[members] = random.permutation(len(members)) % FOLDS
    return fold


def _groups(examples: Sequence[Example], seed: int) -> list[list[Example]]:
    """Return the groups of pictures, in an order that depends on the seed."""
    groups: dict[str, list[Example]] = {}
    for each in examples:
        groups.setdefault(each.sha256 if each.group is None else f"group {each.group}", []).append(
            each
        )
    return [groups[key] for key in sorted(groups, key=partial(_draw, seed))]


def _has_room(placed: Counter[int], sizes: Mapping[int, int], group: Mapping[int, int]) -> bool:
    """Return if a group brings a part nearer to its sizes, or has its first picture of a class."""
    if any(sizes[label] and not placed[label] for label in group):
        return True
    return all(placed[label] + count / 2 <= sizes[label] for label, count in group.items())


def _draw(seed: int, content: str) -> bytes:
    return hashlib.sha256(f"{seed} {content}".encode(errors="surrogateescape")).digest()


def _size(count: int, least: int, share: float, most: float, enough: int) -> int:
    """Return the number of pictures for a part, from a class with ``count`` pictures."""
    return min(enough, max(round(count * share), min(least, round(count * most))))
