"""Split of the pictures into parts for the backbone, the head and the evaluation.

The split depends on the hash of a picture's content and on the seed. The names and the order of the
files have no effect, and an additional picture leaves nearly all others in their parts.
"""

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import islice

from catdog_stream.models.training.data.checking import Example

__all__ = ["FOLDS", "Split", "folds", "split"]

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
    parts: dict[str, list[Example]] = {"evaluation": [], "head": [], "backbone": []}
    for members in _by_class(training, seed):
        count = len(members)
        ends = {
            "evaluation": 0 if evaluation else _size(count, *_EVALUATION),
            "head": count if frozen else _size(count, *_HEAD),
            "backbone": count,
        }
        rest = iter(members)
        for part, size in ends.items():
            parts[part] += islice(rest, size)
    return Split(
        tuple(parts["backbone"]), tuple(parts["head"]), tuple(evaluation or parts["evaluation"])
    )


def folds(examples: Sequence[Example], seed: int = 0) -> list[int]:
    """Return the fold of each example, 0 to ``FOLDS`` - 1; classes are spread evenly."""
    numbers = {
        example.file.path: number % FOLDS
        for members in _by_class(examples, seed)
        for number, example in enumerate(members)
    }
    return [numbers[example.file.path] for example in examples]


def _by_class(examples: Sequence[Example], seed: int) -> Iterator[list[Example]]:
    """Yield the pictures of each class, in an order that depends on the seed."""
    for label in sorted({each.file.label for each in examples}):
        members = [each for each in examples if each.file.label == label]
        yield sorted(members, key=partial(_draw, seed))


def _draw(seed: int, example: Example) -> bytes:
    return hashlib.sha256(f"{seed} {example.sha256}".encode()).digest()


def _size(count: int, least: int, share: float, most: float, enough: int) -> int:
    """Return the number of pictures for a part, from a class with ``count`` pictures."""
    return min(enough, max(round(count * share), min(least, round(count * most))))
