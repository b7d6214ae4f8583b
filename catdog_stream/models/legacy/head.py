"""The first system's head, validated and converted to a format that current xgboost reads."""

import math
from dataclasses import dataclass
from pathlib import Path

from catdog_stream.errors import InputError
from catdog_stream.models.classes import checked_classes
from catdog_stream.models.legacy.booster import read_booster
from catdog_stream.models.legacy.booster_json import as_json
from catdog_stream.models.legacy.classifier import PickledClassifier, read_classifier

__all__ = ["CLASSES", "OriginalHead", "read_head"]

CLASSES = ("cat", "dog")
"""The names of the first system's classes 0 and 1."""


@dataclass(frozen=True, slots=True)
class OriginalHead:
    """Boosted trees for two classes."""

    classes: tuple[str, ...]
    """The two classes; the output of the trees is the probability of the second one."""
    features: int
    trees: int
    thresholds: tuple[float, float]
    """The lowest and the highest value that a feature is compared with; both 0 without any."""
    model: bytes
    """The model in xgboost's JSON format."""
    sha256: str
    """SHA-256 of the pickle, in hexadecimal."""

    def write(self, file: Path) -> None:
        """Write ``file`` in xgboost's binary format. Raises ``InputError``."""
        import xgboost

        try:
            booster = xgboost.Booster({"nthread": 1})
            booster.load_model(bytearray(self.model))
            booster.save_model(file)
        except xgboost.core.XGBoostError as error:
            raise InputError(f"{file} cannot be written: {error}.") from error


def read_head(file: Path, classes: tuple[str, ...] | None = None) -> OriginalHead:
    """Read the pickled ``XGBClassifier`` in ``file`` without executing it.

    Args:
        file: the pickle.
        classes: the names of the two classes, in order. Without them, the names come from the
            ``LabelEncoder``; 0 and 1 become cat and dog.

    Raises:
        InputError: the file cannot be read, or the classes are missing or invalid.
    """
    classifier = read_classifier(file)
    names = _classes(file, classifier, classes)
    booster = read_booster(file, classifier.booster)
    said = classifier.base_score
    if said is not None and not math.isclose(said, booster.base_score, rel_tol=1e-5):
        raise InputError(f"{file} is damaged: its base score is {said}, and its trees' another.")
    return OriginalHead(
        names,
        booster.features,
        len(booster.trees),
        booster.thresholds,
        as_json(booster),
        classifier.sha256,
    )


def _classes(
    file: Path, classifier: PickledClassifier, given: tuple[str, ...] | None
) -> tuple[str, ...]:
    if given is None and not classifier.labels:
        raise InputError(f"{file} does not name its classes: set --classes.")
    labels = CLASSES if classifier.labels == (0, 1) else classifier.labels
    try:
        names = checked_classes(given or map(str, labels))
    except ValueError as error:
        whose = "--classes" if given else f"The classes in {file}"
        raise InputError(f"{whose} cannot be used: {error}.") from error
    if len(names) != 2:
        raise InputError(f"The head must have two classes, not {len(names)}.")
    return names
