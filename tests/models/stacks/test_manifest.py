"""Tests of a stack's manifest: it is accepted only if every field and every file is valid."""

import json
import math
from pathlib import Path
from typing import Any

import pytest

from catdog_stream.errors import StackError
from catdog_stream.models.preprocessing import Preprocessing
from catdog_stream.models.stacks.manifest import (
    EngineOptions,
    Manifest,
    Part,
    describe,
    load_manifest,
)


@pytest.fixture
def stack(tmp_path: Path) -> Path:
    """Return a directory with a valid manifest and small files in place of models."""
    (tmp_path / "backbone.tflite").write_bytes(b"backbone")
    (tmp_path / "head.ubj").write_bytes(b"head")
    Manifest(
        name="small",
        version="7",
        classes=("cat", "dog"),
        preprocessing=Preprocessing(32),
        features=5,
        parts={
            "litert": describe(tmp_path, "backbone.tflite"),
            "head": describe(tmp_path, "head.ubj"),
        },
        engine={"tensorflow": EngineOptions(16)},
        weight=2.5,
        training={"pictures": "train"},
        quality={"accuracy": 0.5},
    ).write(tmp_path)
    return tmp_path


def change(stack: Path, **fields: Any) -> None:
    """Overwrite top-level fields; ``None`` removes one."""
    file = stack / "manifest.json"
    document = json.loads(file.read_text()) | fields
    file.write_text(json.dumps({k: v for k, v in document.items() if v is not None}))


def sentence(stack: Path) -> str:
    with pytest.raises(StackError) as raised:
        load_manifest(stack)
    text = str(raised.value)
    assert text.endswith(".")
    assert "\n" not in text
    return text


def test_what_was_written_is_read_back(stack: Path) -> None:
    manifest = load_manifest(stack)
    assert (manifest.name, manifest.version) == ("small", "7")
    assert (manifest.preprocessing.size, manifest.features) == (32, 5)
    assert manifest.classes == ("cat", "dog")
    assert manifest.part("head").file == "head.ubj"
    assert manifest.engine == {"tensorflow": EngineOptions(16)}
    assert manifest.weight == 2.5
    assert manifest.quality == {"accuracy": 0.5}
    before = (stack / "manifest.json").read_bytes()
    manifest.write(stack)
    assert (stack / "manifest.json").read_bytes() == before


def test_a_missing_directory_is_named(tmp_path: Path) -> None:
    assert str(tmp_path / "nowhere") in sentence(tmp_path / "nowhere")


def test_a_directory_without_manifest_is_no_stack(tmp_path: Path) -> None:
    assert "manifest.json" in sentence(tmp_path)


@pytest.mark.parametrize("text", ["", "{", "\xff", "[" * 100_000, "7", "[]", "null"])
def test_what_is_no_json_object_is_refused(stack: Path, text: str) -> None:
    (stack / "manifest.json").write_text(text, encoding="latin-1")
    sentence(stack)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("name", None),
        ("name", 3),
        ("version", 1),
        ("classes", ["cat"]),
        ("classes", ["cat", "cat"]),
        ("classes", ["cat", "dog "]),
        ("classes", ["cat", 1]),
        ("classes", ["cat", "source"]),
        ("classes", ["cat", "x" * 65]),
        ("classes", "cat dog"),
        ("features", "2048"),
        ("features", 0),
        ("features", True),
        ("input", {"channels": "RGB", "resize": "bilinear", "range": [-1, 1]}),
        ("input", {"size": 32, "channels": "GBR", "resize": "bilinear", "range": [-1, 1]}),
        ("input", {"size": -1, "channels": "RGB", "resize": "bilinear", "range": [-1, 1]}),
        ("parts", {}),
        ("parts", []),
        ("parts", {"head": {"file": "head.ubj", "sha256": "0"}}),
        ("parts", {"head": "head.ubj", "litert": "backbone.tflite"}),
        ("parts", {"head": {"file": "head.ubj"}, "litert": {"file": "backbone.tflite"}}),
        ("parts", {"tail": {"file": "head.ubj", "sha256": "0"}}),
        ("quality", "good"),
        ("weight", 0),
        ("weight", -1),
        ("weight", "2"),
        ("weight", True),
        ("weight", float("nan")),
        ("weight", 10**400),
    ],
)
def test_a_wrong_field_is_refused(stack: Path, field: str, value: Any) -> None:
    change(stack, **{field: value})
    assert "manifest" in sentence(stack)


INPUT = {"size": 32, "channels": "RGB", "resize": "bilinear", "range": [-1, 1]}
CONFIDENCE = {"mean": 0.5, "edges": [0.4], "counts": [1, 2]}


@pytest.mark.parametrize(
    ("field", "value", "reason"),
    [
        ("name", 3, "name must be a text, not 3"),
        ("features", 0, "features must be a whole number of at least 1, not 0"),
        ("features", True, "features must be a whole number of at least 1, not True"),
        ("network", "abacus", "network must be one of efficientnet_lite2, inception_v3, "
         "inception_v3_slim, not 'abacus'"),
        ("classes", ["cat", 1], "classes[1] must be a text, not 1"),
        ("input", 7, "input must be an object, not 7"),
        ("input", {**INPUT, "size": "x" * 5000}, "input.size must be a whole "
         f"number of at least 1, not '{'x' * 37}...{'x' * 38}'"),
        ("input", {"resize": "bilinear"}, "input.size is missing"),
        ("input", {**INPUT, "\nmore": 1}, "input has the unknown '\\nmore'"),
        ("input", {**INPUT, "crop": 2},
         "input.crop must be a number above 0 and of at most 1, not 2"),
        ("input", {**INPUT, "range": [1]}, "input.range must be a list of 2, not [1]"),
        ("input", {**INPUT, "range": [1, -1]}, "input.range must begin with the smaller number"),
        ("parts", {"tail": {}}, "parts: each name must be one of familiarity, head, litert, "
         "onnx, tensorflow, not {'tail': {}}"),
        ("parts", {"head": {"file": 7}}, "parts[...].file must be a text, not "
         "{'head': {'file': 7}}"),
        ("calibration", {"slope": 0, "intercept": [0, 0]},
         "calibration.slope must be a number above 0 and of at most 1000, not 0"),
        ("calibration", {"slope": 1, "intercept": [0]},
         "calibration.intercept must have a number for each class"),
        ("golden", [{"file": "a.jpg", "sha256": None, "scores": {}}],
         "golden[0].sha256 must be a text, not None"),
        ("golden", [{"file": "a.jpg", "sha256": "", "scores": {"cat": 1}}],
         "golden a.jpg must have a score for each class"),
        ("familiarity", {"threshold": 1, "pictures": 3},
         "familiarity.threshold must be a number of at least 0 and below 1, not 1"),
        ("reference", {"verdicts": {"cat": -1}, "confidence": CONFIDENCE},
         "reference.verdicts[...] must be a whole number of at least 0 and below "
         "9007199254740992, not {'cat': -1}"),
        ("reference", {"verdicts": {"cat": 1}, "confidence": {**CONFIDENCE, "edges": [1, 0]}},
         "reference.confidence.edges must ascend"),
        ("weight", 10**400, "weight must be a number above 0 and of at most 1000, "
         f"not 1{'0' * 17}...{'0' * 19}"),
        ("quality", "good", "quality must be an object or null, not 'good'"),
    ],
)  # fmt: skip
def test_the_sentence_names_file_field_value_and_what_is_expected(
    stack: Path, field: str, value: Any, reason: str
) -> None:
    change(stack, **{field: value})
    assert sentence(stack) == f"{stack / 'manifest.json'} is not a valid manifest: {reason}."


def test_a_manifest_that_is_read_today_is_read_with_nan_and_with_further_fields(
    stack: Path,
) -> None:
    change(stack, quality={"accuracy": float("nan"), "note": "\ud800"}, further={"a": [10**400]})
    quality = load_manifest(stack).quality
    assert quality is not None
    assert math.isnan(quality["accuracy"])


@pytest.mark.parametrize(
    "value",
    [
        [],
        {"abacus": {"batch": 8}},
        {"tensorflow": 8},
        {"tensorflow": {"output": 7}},
        {"tensorflow": {"batch": 0}},
        {"tensorflow": {"batch": 1025}},
        {"tensorflow": {"batch": "8"}},
        {"tensorflow": {"batch": True}},
        {"tensorflow": {"batch": 8, "threads": 2}},
    ],
)
def test_a_pinned_batch_that_cannot_be_is_refused(stack: Path, value: Any) -> None:
    change(stack, engine=value)
    assert "not a valid manifest: engine" in sentence(stack)


def test_a_stack_may_leave_the_batch_to_the_engine(stack: Path) -> None:
    change(stack, engine=None)
    manifest = load_manifest(stack)
    assert manifest.engine == {}
    manifest.write(stack)
    assert "engine" not in json.loads((stack / "manifest.json").read_text())


@pytest.mark.parametrize("file", ["../head.ubj", "/etc/passwd", "sub/head.ubj", "", ".", ".."])
def test_a_file_outside_the_directory_is_refused(stack: Path, file: str) -> None:
    part = {"file": file, "sha256": "0" * 64}
    change(stack, parts={"head": part, "litert": part})
    assert repr(file) in sentence(stack)


def test_a_missing_file_is_named(stack: Path) -> None:
    (stack / "head.ubj").unlink()
    assert "head.ubj is missing" in sentence(stack)


def test_a_changed_file_is_called_damaged(stack: Path) -> None:
    (stack / "backbone.tflite").write_bytes(b"backbonf")
    text = sentence(stack)
    assert "backbone.tflite" in text
    assert "damaged" in text


def test_a_part_that_is_not_there_is_refused_when_asked_for(stack: Path) -> None:
    with pytest.raises(StackError, match="tensorflow"):
        load_manifest(stack).part("tensorflow")


def test_a_part_is_described_by_its_hash(tmp_path: Path) -> None:
    (tmp_path / "empty").touch()
    empty = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
    assert describe(tmp_path, "empty") == Part("empty", empty)
