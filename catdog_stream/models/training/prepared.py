"""Batches of labelled pictures, prepared for a classifier."""

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from catdog_stream.models.classifier import Classifier, Prepared
from catdog_stream.models.training.labelled import LabelledFile, Unreadable, read_file

__all__ = ["PreparedBatch", "prepared_batches"]

_BATCH = 64


@dataclass(frozen=True, slots=True)
class PreparedBatch:
    """A batch of prepared pictures, and the files that the classifier rejects."""

    files: list[LabelledFile]
    """File of each picture."""
    pictures: list[Prepared]
    unreadable: list[Unreadable]


def prepared_batches(
    classifier: Classifier, files: Sequence[LabelledFile], *, threads: int
) -> Iterator[PreparedBatch]:
    """Yield the prepared pictures of ``files`` in order, batch by batch."""
    with ThreadPoolExecutor(threads) as pool:
        for start in range(0, len(files), _BATCH):
            chunk = files[start : start + _BATCH]
            results = list(pool.map(lambda file: read_file(file.path, classifier.prepare), chunk))
            pairs = [
                (file, result)
                for file, result in zip(chunk, results, strict=True)
                if not isinstance(result, Unreadable)
            ]
            yield PreparedBatch(
                files=[file for file, _ in pairs],
                pictures=[picture for _, picture in pairs],
                unreadable=[result for result in results if isinstance(result, Unreadable)],
            )
