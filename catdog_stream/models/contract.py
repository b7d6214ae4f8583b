"""Check of the contract between a worker and a classifier."""

import math
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

import numpy as np

from catdog_stream.errors import Reason, RejectedRequest
from catdog_stream.factories import described
from catdog_stream.models.checked_verdicts import checked_verdicts
from catdog_stream.models.classes import checked_classes
from catdog_stream.models.classifier import Classifier, Prepared
from catdog_stream.models.verdict import Verdict

__all__ = ["check_contract"]

T = TypeVar("T")

THREADS = 4
#: Maximum difference between the sum of the probabilities and 1.
SUM_TOLERANCE = 1e-6
#: Maximum difference of a score between two batches, where a classifier declares no ``tolerance``.
#: A library may add in another order for another batch size or number of threads: TensorFlow does
#: on some processors.
BATCH_TOLERANCE = 1e-5


def check_contract(classifier: Classifier, files: Sequence[bytes]) -> None:
    """Raise ``AssertionError`` with a description if ``classifier`` breaks its contract.

    Args:
        classifier: a new classifier, which need not be warm.
        files: at least two picture files that it can read. They are classified several times.
    """
    _require(len(files) > 1, "it takes two pictures to see their order")
    _check_identity(classifier)
    for _ in range(2):
        _called("warm_up", classifier.warm_up)
    with ThreadPoolExecutor(THREADS) as pool:

        def prepare(file: bytes) -> Prepared:
            return _called("prepare", classifier.prepare, file)

        def classify(batch: Sequence[Prepared]) -> list[Verdict]:
            return _called("classify", classifier.classify, batch)

        pictures = [prepare(file) for file in files]
        for picture, again in zip(pictures, pool.map(prepare, files), strict=True):
            _require(_same(picture, again), "prepare is not thread-safe, or not repeatable")
        alone = [_checked(classifier, *classify([picture])) for picture in pictures]
        _require(classify([]) == [], "no pictures, no verdicts")
        many = [pictures[n % len(pictures)] for n in range(2 * classifier.batch_size + 1)]
        expected = [alone[n % len(alone)] for n in range(len(many))]
        tolerance: float = getattr(classifier, "tolerance", BATCH_TOLERANCE)
        together = _difference(classify(many), expected)
        _require(
            together <= tolerance,
            f"a verdict depends on the rest of the batch: a score differs by {together:.2g}, and "
            f"the tolerance is {tolerance:g}",
        )
        # Not the reverse, which equals the batch where two pictures alternate.
        shifted, right = many[1:] + many[:1], expected[1:] + expected[:1]
        in_order = _difference(classify(shifted), right) <= tolerance
        _require(in_order, "verdicts are out of order")
        turns = [(many, expected), (shifted, right)] * (THREADS // 2)
        found = pool.map(classify, [batch for batch, _ in turns])
        for verdicts, (_, right) in zip(found, turns, strict=True):
            _require(
                _difference(verdicts, right) <= tolerance,
                "classify is not thread-safe (thread_safe = False of a PictureClassifier lets one "
                "thread call it at a time)",
            )
    _check_damaged(classifier, files[0])


def _require(condition: bool, complaint: str) -> None:
    if not condition:
        raise AssertionError(complaint)


def _called(name: str, function: Callable[..., T], *arguments: object) -> T:
    try:
        return function(*arguments)
    except RejectedRequest as error:
        prefix = "" if error.reason is Reason.BAD_VERDICT else f"{name} rejects a good picture: "
        raise AssertionError(f"{prefix}{error.detail[:-1]}") from error
    except Exception as error:
        raise AssertionError(f"{name} raises {described(error)}") from error


def _check_identity(classifier: Classifier) -> None:
    for text in (classifier.name, classifier.version, classifier.engine):
        _require(bool(text), "name, version and engine are not empty")
        _require(text.isprintable(), f"{text!r} cannot be printed")
        _require(" " not in text, f"{text!r} has a space, which separates words in the headers")
    try:
        checked_classes(classifier.classes)
    except ValueError as error:
        raise AssertionError(str(error)) from error
    _require(classifier.batch_size > 0, "a batch has a picture in it")


def _checked(classifier: Classifier, *verdicts: Verdict) -> Verdict:
    """Return the verdict on one picture, checked."""
    _require(len(verdicts) == 1, f"{len(verdicts)} verdicts on one picture")
    verdict = verdicts[0]
    _require(isinstance(verdict, Verdict), f"{type(verdict).__name__} instead of a verdict")
    _require(list(verdict.scores) == list(classifier.classes), "verdicts are of other classes")
    scores = list(verdict.scores.values())
    _require(not any(map(math.isnan, scores)), "a score is NaN")
    total = sum(scores)
    _require(
        min(scores) >= 0 and abs(total - 1) < SUM_TOLERANCE,
        f"scores must be from 0 to 1 and sum to 1, and they are {_few(scores)}, in sum {total:.6g} "
        "(output = 'logits' of a PictureClassifier applies a softmax)",
    )
    try:
        checked_verdicts([verdict], 1, classifier.classes)
    except RejectedRequest as error:
        raise AssertionError(error.detail[:-1]) from error
    _require(
        verdict.stack == f"{classifier.name} {classifier.version}",
        "a verdict has another name or version",
    )
    return verdict


def _few(scores: Sequence[float]) -> str:
    return ", ".join(f"{score:.3g}" for score in scores[:5]) + (", ..." if scores[5:] else "")


def _check_damaged(classifier: Classifier, file: bytes) -> None:
    """Check that damaged pictures are classified or rejected, and raise nothing else."""
    for damaged in (b"", b"no picture", file[: len(file) // 2], file[:20], bytes(1000)):
        try:
            picture = classifier.prepare(damaged)
        except RejectedRequest:
            continue
        except Exception as error:
            raise AssertionError(
                f"prepare raises {described(error)} for a damaged picture: raise RejectedRequest"
            ) from error
        found = _called("classify", classifier.classify, [picture])
        _require(len(found) == 1, "a damaged picture has no verdict")


def _difference(found: Sequence[Verdict], expected: Sequence[Verdict]) -> float:
    """Return the largest difference of a score between verdicts on the same pictures."""
    if len(found) != len(expected):
        return math.inf
    return max(map(_distance, found, expected))


def _distance(one: Verdict, other: Verdict) -> float:
    """Return the largest difference of a score; infinity if the verdicts differ in more."""
    if (one.stack, list(one.scores)) != (other.stack, list(other.scores)):
        return math.inf
    if (one.familiarity is None) != (other.familiarity is None):
        return math.inf
    pairs = [*zip(one.scores.values(), other.scores.values(), strict=True)]
    pairs.append((one.familiarity or 0, other.familiarity or 0))
    # NaN is no difference that could be tolerated.
    return max(math.inf if math.isnan(a - b) else abs(a - b) for a, b in pairs)


def _same(picture: Prepared, again: Prepared) -> bool:
    """Return true if two prepared pictures are equal: arrays, or collections of arrays."""
    if isinstance(picture, (tuple, list)) and isinstance(again, (tuple, list)):
        return len(picture) == len(again) and all(map(_same, picture, again))
    if isinstance(picture, dict) and isinstance(again, dict):
        return picture.keys() == again.keys() and all(
            _same(picture[name], again[name]) for name in picture
        )
    return np.array_equal(picture, again)
