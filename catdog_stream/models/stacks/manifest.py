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

``network`` is the architecture that TensorFlow builds; the default is ``inception_v3``. Optional:

- ``calibration``: calibration of the head's probabilities (``calibration.py``).
- ``engine``: the number of pictures in one call of an engine.
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
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any, Literal, get_args

from catdog_stream.errors import StackError
from catdog_stream.models.classes import checked_classes
from catdog_stream.models.engines.networks import NetworkName
from catdog_stream.models.preprocessing import Preprocessing
from catdog_stream.models.stacks.calibration import Calibration
from catdog_stream.models.stacks.ood import FamiliaritySection
from catdog_stream.models.stacks.reference import Reference
from catdog_stream.models.vote_rules import MAX_WEIGHT

FILE_NAME = "manifest.json"

MAX_BATCH = 1024
"""Largest number of pictures in one call of an engine."""
MAX_GOLDEN = 32
"""Largest number of golden pictures; a stack classifies each of them before it is rolled out."""
MAX_BYTES = 4 * 1024 * 1024
"""Largest size of a manifest, in bytes."""

PartName = Literal["litert", "tensorflow", "head", "familiarity"]
EngineName = Literal["litert", "tensorflow"]


@dataclass(frozen=True, slots=True)
class Part:
    """A file of the stack."""

    file: str
    """Name of the file in the stack's directory."""
    sha256: str
    """64 lower-case hexadecimal digits."""


@dataclass(frozen=True, slots=True)
class Golden:
    """A golden picture with its expected scores."""

    picture: Part
    scores: dict[str, float]
    """Class to its probability in 0 to 1, in the stack's order."""


@dataclass(frozen=True, slots=True)
class Manifest:
    """The manifest of a stack."""

    name: str
    version: str
    classes: tuple[str, ...]
    """Two or more, in the order of the label's text."""
    preprocessing: Preprocessing
    """Input format of the network."""
    features: int
    """Number of features between the backbone and the head."""
    parts: dict[PartName, Part]
    calibration: Calibration | None = None
    """Calibration of the head's probabilities, if they need one."""
    network: NetworkName = "inception_v3"
    """Architecture of the backbone."""
    batch: dict[EngineName, int] = field(default_factory=dict)
    """Engine to its fixed number of pictures in one call, 1 to ``MAX_BATCH``."""
    weight: float = 1.0
    """Weight of the stack's vote in a jury; above 0, at most ``MAX_WEIGHT``."""
    golden: tuple[Golden, ...] = ()
    training: dict[str, Any] | None = None
    quality: dict[str, Any] | None = None
    familiarity: FamiliaritySection | None = None
    """OOD threshold; ``None`` if the stack has no OOD score."""
    reference: Reference | None = None

    def part(self, name: PartName) -> Part:
        """Return a part. Raises ``StackError`` if the stack does not have it."""
        if name not in self.parts:
            raise StackError(f"The stack {self.name} has no part for {name}.")
        return self.parts[name]

    def write(self, directory: Path) -> None:
        """Write ``manifest.json`` into ``directory``."""
        document: dict[str, Any] = {
            "name": self.name,
            "version": self.version,
            "classes": self.classes,
            "input": self.preprocessing.as_json(),
            "network": self.network,
            "features": self.features,
            "parts": {name: asdict(part) for name, part in self.parts.items()},
        }
        if self.batch:
            document["engine"] = {name: {"batch": size} for name, size in self.batch.items()}
        if self.calibration:
            document["calibration"] = self.calibration.as_json()
        if self.weight != 1:
            document["weight"] = self.weight
        if self.golden:
            document["golden"] = [as_json(each) for each in self.golden]
        if self.familiarity is not None:
            document["familiarity"] = self.familiarity.as_json()
        document |= {"training": self.training, "quality": self.quality}
        if self.reference is not None:
            document["reference"] = self.reference.as_json()
        text = json.dumps(document, indent=2, ensure_ascii=False)
        (directory / FILE_NAME).write_text(text + "\n", encoding="utf-8")


def as_json(golden: Golden) -> dict[str, Any]:
    """Return an entry of ``golden`` in the manifest."""
    return {**asdict(golden.picture), "scores": golden.scores}


def describe(directory: Path, file: str) -> Part:
    """Return ``file`` in ``directory`` as a part, with its present SHA-256."""
    return Part(file, _sha256(directory / file))


def load_manifest(directory: Path) -> Manifest:
    """Read ``directory``'s manifest and check the listed files. Raises ``StackError``."""
    manifest = read_manifest(directory)
    for part in (*manifest.parts.values(), *(each.picture for each in manifest.golden)):
        _check_file(directory, part)
    return manifest


def read_manifest(directory: Path) -> Manifest:
    """Read ``directory``'s manifest without checking other files. Raises ``StackError``."""
    document = load_document(directory)
    try:
        return _parse(document)
    except (KeyError, TypeError, ValueError) as error:
        reason = f"{error} is missing" if isinstance(error, KeyError) else str(error)
        raise StackError(f"{directory / FILE_NAME} is not a valid manifest: {reason}.") from error


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


def _parse(document: Any) -> Manifest:
    fields = _typed("the document", document, dict)
    classes = checked_classes(_typed("classes", fields["classes"], list))
    manifest = Manifest(
        name=_typed("name", fields["name"], str),
        version=_typed("version", fields["version"], str),
        classes=classes,
        preprocessing=Preprocessing.parse(fields["input"]),
        features=_positive("features", fields["features"]),
        network=_one_of("network", fields.get("network", "inception_v3"), get_args(NetworkName)),
        parts=_parse_parts(_typed("parts", fields["parts"], dict)),
        calibration=(
            Calibration.parse(fields["calibration"], len(classes))
            if "calibration" in fields
            else None
        ),
        batch=_parse_batches(_typed("engine", fields.get("engine", {}), dict)),
        weight=_weight(fields.get("weight", 1.0)),
        golden=tuple(map(_parse_golden, _typed("golden", fields.get("golden", []), list))),
        training=_typed("training", fields.get("training"), dict, type(None)),
        quality=_typed("quality", fields.get("quality"), dict, type(None)),
        familiarity=FamiliaritySection.parse(fields["familiarity"])
        if "familiarity" in fields
        else None,
    )
    if len(manifest.golden) > MAX_GOLDEN:
        raise ValueError(f"golden must have at most {MAX_GOLDEN} pictures")
    if "reference" in fields:
        reference = Reference.parse(fields["reference"], manifest.classes)
        manifest = replace(manifest, reference=reference)
        if (reference.familiarity is None) != (manifest.familiarity is None):
            raise ValueError("reference and familiarity must both tell of familiarity, or neither")
    if (manifest.familiarity is None) != ("familiarity" not in manifest.parts):
        raise ValueError("familiarity must be there both by itself and in parts, or in neither")
    for each in manifest.golden:
        if tuple(each.scores) != manifest.classes:
            raise ValueError(f"golden {each.picture.file} must have a score for each class")
    return manifest


def _parse_parts(fields: dict[str, Any]) -> dict[PartName, Part]:
    parts: dict[PartName, Part] = {}
    names: tuple[PartName, ...] = get_args(PartName)
    for name in names:
        if name in fields:
            field = _typed(f"parts.{name}", fields[name], dict)
            parts[name] = Part(
                file=_typed(f"parts.{name}.file", field["file"], str),
                sha256=_typed(f"parts.{name}.sha256", field["sha256"], str),
            )
    if unknown := set(fields) - set(names):
        raise ValueError(f"parts has the unknown {sorted(unknown)}")
    if "head" not in parts or not parts.keys() & set(get_args(EngineName)):
        raise ValueError("parts must name a head and at least one backbone")
    return parts


def _parse_golden(entry: Any) -> Golden:
    fields = _typed("golden", entry, dict)
    scores = _typed("golden.scores", fields["scores"], dict)
    return Golden(
        Part(
            file=_typed("golden.file", fields["file"], str),
            sha256=_typed("golden.sha256", fields["sha256"], str),
        ),
        {name: _chance("golden.scores", value) for name, value in scores.items()},
    )


def _parse_batches(fields: dict[str, Any]) -> dict[EngineName, int]:
    names: tuple[EngineName, ...] = get_args(EngineName)
    if unknown := set(fields) - set(names):
        raise ValueError(f"engine has the unknown {sorted(unknown)}")
    batches: dict[EngineName, int] = {}
    for name in names:
        if name in fields:
            options = _typed(f"engine.{name}", fields[name], dict)
            if unknown := set(options) - {"batch"}:
                raise ValueError(f"engine.{name} has the unknown {sorted(unknown)}")
            batches[name] = _positive(f"engine.{name}.batch", options.get("batch"))
            if batches[name] > MAX_BATCH:
                raise ValueError(f"engine.{name}.batch must be at most {MAX_BATCH}")
    return batches


def _weight(value: Any) -> float:
    if not 0 < _typed("weight", value, float, int) <= MAX_WEIGHT:
        raise ValueError(f"weight must be above 0 and at most {MAX_WEIGHT:g}")
    return float(value)


def _typed(name: str, value: Any, *types: type) -> Any:
    if not isinstance(value, types) or isinstance(value, bool):
        raise TypeError(f"{name} must be {' or '.join(_JSON_NAMES[kind] for kind in types)}")
    return value


def _one_of(name: str, value: Any, choices: tuple[Any, ...]) -> Any:
    if value not in choices:
        raise ValueError(f"{name} must be one of {', '.join(choices)}")
    return value


def _positive(name: str, value: Any) -> int:
    number: int = _typed(name, value, int)
    if number < 1:
        raise ValueError(f"{name} must be at least 1")
    return number


def _chance(name: str, value: Any) -> float:
    if not 0 <= (number := _typed(name, value, float, int)) <= 1:  # refuses NaN, too
        raise ValueError(f"{name} must be from 0 to 1")
    return float(number)


_JSON_NAMES = {
    dict: "an object",
    list: "a list",
    str: "a text",
    int: "a whole number",
    float: "a number",
    type(None): "null",
}


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
