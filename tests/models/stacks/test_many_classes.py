"""Tests of a stack of 1,000 classes: its manifest, and its scores with and without a head."""

import time
from pathlib import Path

import numpy as np
import pytest

from catdog_stream.models.preprocessing import Preprocessing
from catdog_stream.models.stacks.calibration import Calibration
from catdog_stream.models.stacks.class_scores import ClassScores
from catdog_stream.models.stacks.manifest import (
    MAX_GOLDEN,
    Golden,
    Manifest,
    describe,
    load_manifest,
)
from catdog_stream.models.stacks.ood import Familiarity, FamiliaritySection
from catdog_stream.models.stacks.reference import Reference
from catdog_stream.models.verdict import Verdict

CLASSES = tuple(f"a class of many, number {number}" for number in range(1000))
FEATURES = 256


def verdicts(count: int) -> list[Verdict]:
    random = np.random.default_rng(0)
    rows = random.dirichlet(np.full(len(CLASSES), 0.05), count)
    return [
        Verdict(dict(zip(CLASSES, row.tolist(), strict=True)), "many 1", random.random())
        for row in rows
    ]


def test_a_manifest_has_everything_for_a_thousand_classes(tmp_path: Path) -> None:
    (tmp_path / "network.onnx").write_bytes(b"network")
    random = np.random.default_rng(0)
    np.savez(
        tmp_path / "familiarity.npz",
        means=random.normal(size=(len(CLASSES), FEATURES)).astype(np.float16),
        directions=np.eye(FEATURES, 64, dtype=np.float16),
        variances=np.ones(64, np.float32),
        rest=np.float32(1),
        distances=np.linspace(0, 9, 101),
    )
    found = verdicts(MAX_GOLDEN)
    part = describe(tmp_path, "network.onnx")
    Manifest(
        name="many",
        version="1",
        classes=CLASSES,
        preprocessing=Preprocessing(32),
        output="logits",
        features=FEATURES,
        parts={"onnx": part, "familiarity": describe(tmp_path, "familiarity.npz")},
        calibration=Calibration.none(len(CLASSES)),
        golden=tuple(Golden(part.file, part.sha256, dict(each.scores)) for each in found),
        familiarity=FamiliaritySection(0.02, 5000),
        reference=Reference.of(found),
    ).write(tmp_path)
    started = time.perf_counter()
    manifest = load_manifest(tmp_path)
    assert time.perf_counter() - started < 5
    assert manifest.classes == CLASSES
    assert manifest.golden[-1].scores == found[-1].scores
    familiarity = Familiarity.load(tmp_path / "familiarity.npz", FEATURES, len(CLASSES))
    assert familiarity.of(random.normal(size=(20, FEATURES)).astype(np.float32)).shape == (20,)


@pytest.mark.parametrize("kind", ["logits", "probabilities"])
def test_a_thousand_scores_add_up_to_one(kind: str) -> None:
    logits = np.random.default_rng(0).normal(0, 4, (8, len(CLASSES)))
    rows = logits if kind == "logits" else Calibration.none(len(CLASSES)).probabilities(logits)
    scores = ClassScores(
        kind,  # type: ignore[arg-type]
        len(CLASSES),
        calibration=Calibration.none(len(CLASSES)),
    ).scores(rows.astype(np.float32))
    assert scores.shape == (8, 1000)
    assert scores.sum(axis=1) == pytest.approx(np.ones(8), abs=1e-6)
    assert (scores.argmax(axis=1) == logits.argmax(axis=1)).all()
