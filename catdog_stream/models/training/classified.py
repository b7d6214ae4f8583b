"""Verdicts of a classifier on files, as a worker would answer them."""

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from catdog_stream.errors import Reason, RejectedRequest
from catdog_stream.factories import described
from catdog_stream.models.checked_verdicts import checked_verdicts
from catdog_stream.models.classifier import Classifier, Prepared
from catdog_stream.models.training.labelled import Unreadable, read_file
from catdog_stream.models.verdict import Verdict

__all__ = ["classified"]

_BATCH = 64


def classified(
    classifier: Classifier, paths: Sequence[Path], *, threads: int
) -> Iterator[Verdict | Unreadable]:
    """Yield the verdict on each file in order, or the reason why there is none."""
    with ThreadPoolExecutor(threads) as pool:
        for start in range(0, len(paths), _BATCH):
            chunk = paths[start : start + _BATCH]
            prepared = list(pool.map(lambda path: _prepared(classifier, path), chunk))
            readable = [
                (path, picture)
                for path, picture in zip(chunk, prepared, strict=True)
                if not isinstance(picture, Unreadable)
            ]
            verdicts = iter(_verdicts(classifier, readable))
            for picture in prepared:
                yield picture if isinstance(picture, Unreadable) else next(verdicts)


def _prepared(classifier: Classifier, path: Path) -> Prepared | Unreadable:
    try:
        return read_file(path, classifier.prepare)
    except Exception as error:  # noqa: BLE001 - a worker rejects the picture, too
        return _failed(path, f"prepare raises {described(error)}.")


def _verdicts(
    classifier: Classifier, pictures: Sequence[tuple[Path, Prepared]]
) -> list[Verdict | Unreadable]:
    """Classify the pictures together, or each alone if that fails: so only its cause fails."""
    try:
        verdicts = classifier.classify([picture for _, picture in pictures])
        return [*checked_verdicts(verdicts, len(pictures), classifier.classes)]
    except Exception as error:  # noqa: BLE001 - as in a worker
        if len(pictures) > 1:
            return [each for picture in pictures for each in _verdicts(classifier, [picture])]
        ((path, _),) = pictures
        if isinstance(error, RejectedRequest):
            return [Unreadable(str(path), error.reason, error.detail)]
        return [_failed(path, f"classify raises {described(error)}.")]


def _failed(path: Path, detail: str) -> Unreadable:
    return Unreadable(str(path), Reason.INTERNAL_ERROR, detail)
