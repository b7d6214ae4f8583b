"""The first system's head, checked and in a form that xgboost of today reads."""

from dataclasses import dataclass
from pathlib import Path

from catdog_stream.errors import InputError
from catdog_stream.models.classes import checked_classes
from catdog_stream.models.legacy.booster import read_booster
from catdog_stream.models.legacy.booster_json import as_json
from catdog_stream.models.legacy.classifier import PickledClassifier, read_classifier

__all__ = ["CLASSES", "OriginalHead", "read_head"]

CLASSES = ("cat", "dog")
"""What the first system's classes 0 and 1 are."""


@dataclass(frozen=True, slots=True)
class OriginalHead:
    """Boosted trees for two classes."""

    classes: tuple[str, ...]
    """The trees' answer is the chance of the second of the two."""
    features: int
    trees: int
    model: bytes
    """A model in xgboost's JSON."""
    sha256: str
    """Of the pickle, in hexadecimal."""

    def write(self, file: Path) -> None:
        """Write ``file`` as xgboost does, in its own binary format. Raises ``InputError``."""
        import xgboost

        try:
            booster = xgboost.Booster({"nthread": 1})
            booster.load_model(bytearray(self.model))
            booster.save_model(file)
        except xgboost.core.XGBoostError as error:
            raise InputError(f"{file} cannot be written: {error}.") from error


def read_head(file: Path, classes: tuple[str, ...] | None = None) -> OriginalHead:
    """Read the pickled ``XGBClassifier`` in ``file``, executing nothing in it.

    ``classes`` names its two classes in order; without it, it is what its ``LabelEncoder`` says, or
    cat and dog for 0 and 1. Raises ``InputError``.
    """
    classifier = read_classifier(file)
    names = _classes(file, classifier, classes)
    booster = read_booster(file, classifier.booster)
    return OriginalHead(
        names, booster.features, len(booster.trees), as_json(booster), classifier.sha256
    )


def _classes(
    file: Path, classifier: PickledClassifier, given: tuple[str, ...] | None
) -> tuple[str, ...]:
    if given is None and not classifier.labels:
        raise InputError(f"{file} does not say what it tells apart: --classes has to.")
    labels = CLASSES if classifier.labels == (0, 1) else classifier.labels
    try:
        names = checked_classes(given or map(str, labels))
    except ValueError as error:
        whose = "--classes" if given else f"What {file} tells apart"
        raise InputError(f"{whose} cannot be used: {error}.") from error
    if len(names) != 2:
        raise InputError(f"The head tells two classes apart, not {len(names)}.")
    return names
