"""Check of the contract between a worker and a classifier."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

import numpy as np

from catdog_stream.errors import RejectedRequest
from catdog_stream.models.classes import checked_classes
from catdog_stream.models.classifier import Classifier, Prepared
from catdog_stream.models.verdict import Verdict

__all__ = ["check_classifier"]

THREADS = 4
#: Maximum difference between the sum of the probabilities and 1.
TOLERANCE = 1e-6
#: Maximum difference of a score between two batches. A library may add in another order for another
#: batch size or number of threads: TensorFlow does on some processors.
BATCH_TOLERANCE = 1e-5


def check_classifier(classifier: Classifier, files: Sequence[bytes]) -> None:
    """Raise ``AssertionError`` with a description if ``classifier`` breaks its contract.

    Args:
        classifier: a new classifier, not warmed up. It is closed at the end.
        files: at least two picture files that it can read. They are classified several times.
    """
    assert len(files) > 1, "it takes two pictures to see their order"
    _check_identity(classifier)
    classifier.warm_up()
    classifier.warm_up()
    with ThreadPoolExecutor(THREADS) as pool:
        pictures = [classifier.prepare(file) for file in files]
        for picture, again in zip(pictures, pool.map(classifier.prepare, files), strict=True):
            assert _same(picture, again), "prepare is not thread-safe, or not repeatable"
        many = [pictures[n % len(pictures)] for n in range(2 * classifier.batch_size + 1)]
        alone = [classifier.classify([picture])[0] for picture in pictures]
        expected = [alone[n % len(alone)] for n in range(len(many))]
        assert classifier.classify([]) == [], "no pictures, no verdicts"
        together, reversed_ = classifier.classify(many), classifier.classify(many[::-1])
        assert _agree(together, expected), "a verdict depends on the rest of the batch"
        assert _agree(reversed_, expected[::-1]), "verdicts are out of order"
        for found in pool.map(classifier.classify, [many] * THREADS):
            assert _agree(found, expected), "classify is not thread-safe"
    _check_damaged(classifier, files[0])
    for verdict in alone:
        assert list(verdict.scores) == list(classifier.classes), "verdicts are of other classes"
        scores = verdict.scores.values()
        assert all(0 <= score <= 1 for score in scores), "a score is not from 0 to 1"
        assert abs(sum(scores) - 1) < TOLERANCE, "scores must sum to 1"
        assert verdict.stack == f"{classifier.name} {classifier.version}", (
            "a verdict has another name or version"
        )
    classifier.close()


def _check_identity(classifier: Classifier) -> None:
    for text in (classifier.name, classifier.version, classifier.engine):
        assert text, "name, version and engine are not empty"
        assert text.isprintable(), f"{text!r} cannot be printed"
        assert " " not in text, f"{text!r} has a space, which separates words in the headers"
    try:
        checked_classes(classifier.classes)
    except ValueError as error:
        raise AssertionError(str(error)) from error
    assert classifier.batch_size > 0, "a batch has a picture in it"


def _check_damaged(classifier: Classifier, file: bytes) -> None:
    """Check that damaged pictures are classified or rejected, and raise nothing else."""
    for damaged in (b"", b"no picture", file[: len(file) // 2], file[:20], bytes(1000)):
        try:
            picture = classifier.prepare(damaged)
        except RejectedRequest:
            continue
        except Exception as error:
            raise AssertionError(
                f"prepare raises {error!r} for a damaged picture: raise RejectedRequest"
            ) from error
        assert len(classifier.classify([picture])) == 1, "a damaged picture has no verdict"


def _agree(found: Sequence[Verdict], expected: Sequence[Verdict]) -> bool:
    return len(found) == len(expected) and all(map(_are_close, found, expected))


def _are_close(one: Verdict, other: Verdict) -> bool:
    """Return true if two verdicts on a picture differ only by rounding."""
    return (
        (one.stack, list(one.scores)) == (other.stack, list(other.scores))
        and np.allclose(
            list(one.scores.values()), list(other.scores.values()), rtol=0, atol=BATCH_TOLERANCE
        )
        and (one.familiarity is None) == (other.familiarity is None)
        and abs((one.familiarity or 0) - (other.familiarity or 0)) <= BATCH_TOLERANCE
    )


def _same(picture: Prepared, again: Prepared) -> bool:
    """Return true if two prepared pictures are equal: arrays, or tuples of one per member."""
    if isinstance(picture, tuple) and isinstance(again, tuple):
        return len(picture) == len(again) and all(map(_same, picture, again))
    return np.array_equal(picture, again)
