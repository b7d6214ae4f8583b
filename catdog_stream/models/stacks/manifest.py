"""``manifest.json``: the description of a stack, with the checksums of its files.

::

    {"name": "inception_v3", "version": "1", "classes": ["cat", "dog"],
     "input": {"size": 299, "channels": "RGB", "resize": "bilinear", "range": [-1, 1]},
     "network": "inception_v3", "features": 2048,
     "parts": {"litert":     {"file": "backbone.tflite", "sha256": "..."},
               "tensorflow": {"file": "backbone.weights.h5", "sha256": "..."},
               "head":       {"file": "head.ubj", "sha256": "..."}},
     "calibration": {"slope": 0.9, "intercept": [0, 0.1]},
     "engine": {"tensorflow": {"batch": 16}}, "weight": 1.5,
     "golden": [{"file": "golden-1.jpg", "sha256": "...", "scores": {"cat": 0.99, "dog": 0.01}}],
     "familiarity": {"threshold": 0.02, "pictures": 3000},
     "training": {...}, "quality": {...}, "reference": {...}}

The head is ``head.ubj``, boosted trees, or ``head.npz``, a linear model (``head.py``).

``network`` is the architecture that TensorFlow builds; the default is ``inception_v3``. Optional:

- ``output``: ``logits`` or ``probabilities`` of a complete classifier, which has no ``head``. The
  default is ``features``.
- ``features``: of a complete classifier: the number of features beside its scores, if there are
  any; an OOD score needs them.
- ``input``: all but ``size``; the example has the defaults (``preprocessing.py``).
- ``calibration``: calibration of the probabilities (``calibration.py``).
- ``engine``: the number of pictures in one call of an engine, and the names of the outputs to read.
- ``weight``: the weight of the stack's vote in a jury; the default is 1.
- ``golden``: pictures with their scores. A stack must reproduce them before it is rolled out
  (``golden.py``).
- ``familiarity``: the OOD threshold, which needs a part of the same name (``ood.py``).
- ``reference``: statistics of the verdicts on held-out pictures (``reference.py``).

``training`` and ``quality`` describe, for people, how the stack was trained and its measured
quality; either may be null.
"""

import hashlib
import json
from pathlib import Path
from typing import Annotated, Any, Literal, get_args

import msgspec
from msgspec import Meta, Struct

from catdog_stream.documents import convert, written
from catdog_stream.errors import StackError
from catdog_stream.models.classes import checked_classes
from catdog_stream.models.engines.networks import NetworkName
from catdog_stream.models.preprocessing import Preprocessing
from catdog_stream.models.stacks.calibration import Calibration
from catdog_stream.models.stacks.ood import FamiliaritySection
from catdog_stream.models.stacks.reference import Reference, Share
from catdog_stream.models.vote_rules import MAX_WEIGHT

FILE_NAME = "manifest.json"

MAX_BATCH = 1024
"""Largest number of pictures in one call of an engine."""
MAX_GOLDEN = 32
"""Largest number of golden pictures; a stack classifies each of them before it is rolled out."""
MAX_BYTES = 4 * 1024 * 1024
"""Largest size of a manifest, in bytes."""

EngineName = Literal["litert", "tensorflow", "onnx"]
OutputKind = Literal["features", "logits", "probabilities"]
PartName = Literal["litert", "tensorflow", "onnx", "head", "familiarity"]


class Part(Struct, frozen=True):
    """A file of the stack."""

    file: str
    """Name of the file in the stack's directory."""
    sha256: str
    """64 lower-case hexadecimal digits."""


class Golden(Part, frozen=True):
    """A golden picture with its expected scores."""

    scores: dict[str, Share]
    """Class to its probability, in the stack's order."""


class EngineOptions(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """Options of an engine for this stack."""

    batch: Annotated[int, Meta(ge=1, le=MAX_BATCH)] | None = None
    """Fixed number of pictures in one call."""
    output: str | None = None
    """Name of the network's output; ``None``: the only one."""
    features: str | None = None
    """Name of the output with the features of a complete classifier."""

    @property
    def outputs(self) -> tuple[str, ...]:
        """The names of the outputs to read."""
        return tuple(name for name in (self.output, self.features) if name is not None)


class Manifest(
    Struct, frozen=True, kw_only=True, omit_defaults=True, rename={"preprocessing": "input"}
):
    """The manifest of a stack."""

    name: str
    version: str
    classes: tuple[str, ...]
    """Two or more, in the order of the label's text."""
    preprocessing: Preprocessing
    """Input format of the network."""
    network: NetworkName = "inception_v3"
    """Architecture of the backbone, for TensorFlow."""
    output: OutputKind = "features"
    """Kind of the values that the network computes."""
    features: Annotated[int, Meta(ge=1)] = 0
    """Number of features for a picture; 0 for a complete classifier without features."""
    parts: dict[PartName, Part]
    engine: dict[EngineName, EngineOptions] = {}
    calibration: Calibration | None = None
    """Calibration of the probabilities, if they need one."""
    weight: Annotated[float, Meta(gt=0, le=MAX_WEIGHT)] = 1.0
    """Weight of the stack's vote in a jury."""
    golden: tuple[Golden, ...] = ()
    familiarity: FamiliaritySection | None = None
    """OOD threshold; ``None`` if the stack has no OOD score."""
    training: dict[str, Any] | None = written(None)
    quality: dict[str, Any] | None = written(None)
    reference: Reference | None = None

    def part(self, name: PartName) -> Part:
        """Return a part. Raises ``StackError`` if the stack does not have it."""
        if name not in self.parts:
            raise StackError(f"The stack {self.name} has no part for {name}.")
        return self.parts[name]

    @property
    def columns(self) -> tuple[int, ...]:
        """The numbers of values that the network may compute for a picture."""
        if self.output == "features":
            return (self.features,)
        scores = (1, 2) if len(self.classes) == 2 else (len(self.classes),)
        return tuple(each + self.features for each in scores)

    def write(self, directory: Path) -> None:
        """Write ``manifest.json`` into ``directory``."""
        # NumPy's float64, a float in quality, is unknown to msgspec.
        document = msgspec.to_builtins(self, enc_hook=float)
        text = json.dumps(document, indent=2, ensure_ascii=False)
        (directory / FILE_NAME).write_text(text + "\n", encoding="utf-8")


def describe(directory: Path, file: str) -> Part:
    """Return ``file`` in ``directory`` as a part, with its present SHA-256."""
    return Part(file, _sha256(directory / file))


def load_manifest(directory: Path) -> Manifest:
    """Read ``directory``'s manifest and check the listed files. Raises ``StackError``."""
    manifest = read_manifest(directory)
    for part in (*manifest.parts.values(), *manifest.golden):
        _check_file(directory, part)
    return manifest


def read_manifest(directory: Path) -> Manifest:
    """Read ``directory``'s manifest without checking other files. Raises ``StackError``."""
    document = load_document(directory)
    try:
        manifest = convert(document, Manifest)
        _check(manifest)
    except ValueError as error:
        raise StackError(f"{directory / FILE_NAME} is not a valid manifest: {error}.") from error
    return manifest


def load_document(directory: Path) -> Any:
    """Return the JSON of ``directory``'s manifest, not validated. Raises ``StackError``."""
    file = directory / FILE_NAME
    if not directory.is_dir():
        raise StackError(f"There is no model stack at {directory}.")
    if not file.is_file():  # a pipe is refused, too: reading it would block
        raise StackError(f"{directory} is no model stack: it has no {FILE_NAME}.")
    try:
        with file.open("rb") as stream:
            text = stream.read(MAX_BYTES + 1)
        document = json.loads(text) if len(text) <= MAX_BYTES else None
    except (OSError, ValueError, RecursionError) as error:
        raise StackError(f"{file} cannot be read as JSON: {error}.") from error
    if len(text) > MAX_BYTES:
        raise StackError(f"{file} is larger than {MAX_BYTES} bytes.")
    return document


def _check(manifest: Manifest) -> None:
    """Raise ``ValueError`` if sections of the manifest do not fit each other."""
    classes, reference = checked_classes(manifest.classes), manifest.reference
    if not manifest.parts.keys() & set(get_args(EngineName)):
        raise ValueError("parts must name at least one backbone")
    if manifest.output == "features" and "head" not in manifest.parts:
        raise ValueError("parts must name a head, or output must be logits or probabilities")
    if manifest.output != "features" and "head" in manifest.parts:
        raise ValueError(f"output must be features, not {manifest.output}, for a head")
    if not manifest.features and (manifest.output == "features" or manifest.familiarity):
        raise ValueError("features is missing")
    for name, options in manifest.engine.items():
        if options.features is not None and (options.output is None or not manifest.features):
            raise ValueError(f"engine.{name}.features needs engine.{name}.output and features")
    if manifest.calibration is not None and len(manifest.calibration.intercept) != len(classes):
        raise ValueError("calibration.intercept must have a number for each class")
    if len(manifest.golden) > MAX_GOLDEN:
        raise ValueError(f"golden must have at most {MAX_GOLDEN} pictures")
    for each in manifest.golden:
        if tuple(each.scores) != classes:
            raise ValueError(f"golden {each.file} must have a score for each class")
    if reference is not None:
        reference.check(classes)
        if (reference.familiarity is None) != (manifest.familiarity is None):
            raise ValueError("reference and familiarity must both tell of familiarity, or neither")
    if (manifest.familiarity is None) != ("familiarity" not in manifest.parts):
        raise ValueError("familiarity must be there both by itself and in parts, or in neither")


def _check_file(directory: Path, part: Part) -> None:
    if Path(part.file).name != part.file or part.file in ("", ".", ".."):
        raise StackError(f"The manifest in {directory} names {part.file!r}, not a file beside it.")
    file = directory / part.file
    if not file.is_file():
        raise StackError(f"The stack in {directory} is incomplete: {part.file} is missing.")
    try:
        found = _sha256(file)
    except OSError as error:
        raise StackError(f"{file} cannot be read: {error.strerror}.") from error
    if found != part.sha256:
        raise StackError(f"{file} is damaged: its SHA-256 is not the one in the manifest.")


def _sha256(file: Path) -> str:
    with file.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()
