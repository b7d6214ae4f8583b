"""Which pictures the backbone learns from, which the head, and which neither.

What decides is the hash of a picture's content and the seed, so that the names and the order of the
files change nothing, and a picture more leaves nearly all others where they are.
"""

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import islice

from catdog_stream.models.training.data.checking import Example

__all__ = ["FOLDS", "Split", "folds", "split"]

FOLDS = 5
"""Parts of the head's pictures, each of which is held out once."""

#: Of each class: at least so many, if that is no more than the share ``most``; else ``share``,
#: but no more than ``enough``.
_EVALUATION = (12, 0.1, 0.2, 1000)
_HEAD = (25, 0.2, 0.4, 3000)


@dataclass(frozen=True, slots=True)
class Split:
    """Pictures by what they are for; no picture is in two of them."""

    backbone: tuple[Example, ...]
    """Empty if the network stays as it is."""
    head: tuple[Example, ...]
    """Not seen by the backbone when it learned."""
    evaluation: tuple[Example, ...]
    """Nothing is learned from these, nor chosen by them."""


def split(
    training: Sequence[Example],
    evaluation: Sequence[Example] = (),
    *,
    frozen: bool = False,
    seed: int = 0,
) -> Split:
    """Divide ``training``; without ``evaluation``, that is taken from it, too.

    ``frozen`` says that the backbone learns nothing: the head gets its pictures.
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
    """The fold of each of ``examples``, 0 to ``FOLDS`` - 1, as many of a class in each."""
    numbers = {
        example.file.path: number % FOLDS
        for members in _by_class(examples, seed)
        for number, example in enumerate(members)
    }
    return [numbers[example.file.path] for example in examples]


def _by_class(examples: Sequence[Example], seed: int) -> Iterator[list[Example]]:
    """The pictures of each class, in an order of the seed's."""
    for label in sorted({each.file.label for each in examples}):
        members = [each for each in examples if each.file.label == label]
        yield sorted(members, key=partial(_draw, seed))


def _draw(seed: int, example: Example) -> bytes:
    return hashlib.sha256(f"{seed} {example.sha256}".encode()).digest()


def _size(count: int, least: int, share: float, most: float, enough: int) -> int:
    """Pictures of a class with ``count``."""
    return min(enough, max(round(count * share), min(least, round(count * most))))
