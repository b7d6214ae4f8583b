"""Reader of the first system's head: the pickle of an ``XGBClassifier`` of xgboost 0.6 to 0.9.

The pickle contains objects of Python 3, xgboost, scikit-learn (the ``LabelEncoder`` with the
classes) and NumPy. The reader calls no code of these packages. The trees are the bytes of the saved
booster (``booster.py``), and the classes are read from the bytes of a NumPy array.
"""

import hashlib
import math
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from catdog_stream.errors import InputError
from catdog_stream.models.legacy.pickled import Global, Unmade, read_pickle

__all__ = ["PickledClassifier", "read_classifier"]

#: Largest file. The first system's file has 122 KB.
MAX_BYTES = 256 * 1024 * 1024

_CLASSIFIER = Global("xgboost.sklearn", "XGBClassifier")
_BOOSTER = Global("xgboost.core", "Booster")
_BYTE_ARRAYS = (Global("builtins", "bytearray"), Global("__builtin__", "bytearray"))
_ENCODE = Global("_codecs", "encode")
_LABEL_ENCODERS = (
    Global("sklearn.preprocessing.label", "LabelEncoder"),
    Global("sklearn.preprocessing._label", "LabelEncoder"),
)
_NUMPY = (
    Global("numpy", "ndarray"),
    Global("numpy", "dtype"),
    Global("numpy.core.multiarray", "_reconstruct"),
    Global("numpy.core.multiarray", "scalar"),
)
_KNOWN = frozenset((_CLASSIFIER, _BOOSTER, *_BYTE_ARRAYS, _ENCODE, *_LABEL_ENCODERS, *_NUMPY))


@dataclass(frozen=True, slots=True)
class PickledClassifier:
    """The useful content of the pickle."""

    booster: bytes
    """The trees, as saved by xgboost."""
    labels: tuple[str, ...] | tuple[int, ...]
    """The classes, in the order of the training; empty if the pickle does not state them."""
    base_score: float | None
    """The base score as the classifier has it; ``None`` if the pickle does not state it."""
    sha256: str
    """SHA-256 of the pickle, in hexadecimal."""


def read_classifier(file: Path) -> PickledClassifier:
    """Read the pickle in ``file`` without executing it. Raises ``InputError``."""
    data = _read(file)
    fields = _state(read_pickle(file, data, _KNOWN), _CLASSIFIER)
    booster = _state(fields.get("_Booster"), _BOOSTER).get("handle")
    try:
        trees = _bytes(booster)
    except (TypeError, ValueError):
        raise InputError(
            f"{file} does not hold a trained XGBClassifier of xgboost 0.6 to 0.9."
        ) from None
    _check_use(file, fields)
    labels = _labels(file, _state(fields.get("_le"), *_LABEL_ENCODERS).get("classes_"))
    if "classes_" in fields and labels and _labels(file, fields["classes_"]) != labels:
        raise InputError(f"{file} is damaged: it names its classes twice, and differently.")
    base = fields.get("base_score")
    stated = float(base) if isinstance(base, (int, float)) else None
    return PickledClassifier(trees, labels, stated, hashlib.sha256(data).hexdigest())


def _read(file: Path) -> bytes:
    try:
        if not file.is_file():
            raise InputError(f"There is no file {file}.")
        if file.stat().st_size > MAX_BYTES:
            raise InputError(f"{file} has more than the {MAX_BYTES} bytes that are read.")
        return file.read_bytes()
    except OSError as error:
        raise InputError(f"{file} cannot be read: {error.strerror}.") from error


def _check_use(file: Path, fields: dict[str, Any]) -> None:
    """Raise ``InputError`` for options that change the predictions of the trees."""
    missing = fields.get("missing")
    if missing is not None and not (isinstance(missing, float) and math.isnan(missing)):
        raise InputError(f"{file} takes a number for a missing feature, which a stack cannot.")
    if "best_ntree_limit" in fields:
        raise InputError(
            f"The training of {file} was stopped early, and versions of xgboost do not agree on "
            "how many of its trees answer then: train it again with so many trees as are wanted."
        )


def _state(value: Any, *kinds: Global) -> dict[str, Any]:
    """Return the attributes of an object of one of ``kinds``; empty for any other value."""
    if isinstance(value, Unmade) and value.of in kinds and isinstance(value.state, dict):
        return value.state
    return {}


def _labels(file: Path, array: Any) -> tuple[str, ...] | tuple[int, ...]:
    """Return the classes in a NumPy array of texts or of whole numbers."""
    if array is None:
        return ()
    try:
        _, _, dtype, _, content = array.state
        kind, order = dtype.arguments[0], dtype.state[1]
        if kind in ("O", "O8"):
            values = content
        elif re.fullmatch(r"U[1-9]\d{0,3}|[iu][1248]", kind) and order in "<>|=":
            values = np.frombuffer(_bytes(content), order + kind).tolist()
        else:
            return ()
    except (AttributeError, TypeError, ValueError, IndexError, KeyError) as error:
        raise InputError(f"{file} is damaged: its classes cannot be read.") from error
    one_kind = {type(value) for value in values} in ({str}, {int})
    return tuple(values) if one_kind else ()


def _bytes(value: Any) -> bytes:
    """Return the content of bytes or of a byte array. Protocol 2 stores bytes as encoded text."""
    if isinstance(value, Unmade) and value.of in _BYTE_ARRAYS:
        (value,) = value.arguments
    if isinstance(value, Unmade) and value.of == _ENCODE:
        text, encoding = value.arguments
        if isinstance(text, str) and encoding == "latin1":
            return text.encode("latin1")
    if not isinstance(value, bytes):
        raise TypeError("no bytes")
    return value
