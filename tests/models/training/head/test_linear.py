"""Tests of linear heads: as good as the pictures allow, for any number of classes."""

from pathlib import Path

import numpy as np

from catdog_stream.models.stacks.head import Head
from catdog_stream.models.training.head.features import Seen
from catdog_stream.models.training.head.held_out import forget
from catdog_stream.models.training.head.linear import STRENGTHS, LinearLearner
from tests.models.training.head.seen import FOLDS, seen


def test_noise_gets_the_strongest_penalty() -> None:
    learner = LinearLearner(3, progress=False)
    told, noise = (learner.hold_out(seen(3, told=told), FOLDS, forget) for told in (True, False))
    assert noise.setting == STRENGTHS[0]
    assert told.setting < noise.setting
    assert learner.default_setting(seen(3, told=False)) == STRENGTHS[0]


def test_one_picture_of_each_class_gets_the_strongest_penalty() -> None:
    pictures = Seen(np.eye(40, dtype=np.float32)[:, np.newaxis], np.arange(40), [])
    assert LinearLearner(40, progress=False).default_setting(pictures) == STRENGTHS[0]


def test_the_weights_are_those_with_the_least_loss(tmp_path: Path) -> None:
    """Compare with the gradient of the penalized loss, computed in 64 bits: it is 0."""
    random = np.random.default_rng(0)
    labels = np.arange(300) % 3
    features = random.normal(5, 2, (300, 2, 8)).astype(np.float32)
    features[..., 0] += labels[:, np.newaxis]
    features[..., 7] = 3  # does not vary
    learner, strength = LinearLearner(3, progress=False), 0.01
    learner.write(Seen(features, labels, []), strength, tmp_path)
    head = Head(tmp_path / "head.npz", 8, 3)

    rows = features.reshape(-1, 8)
    wrong = head.scores(rows)
    wrong[np.arange(600), np.repeat(labels, 2)] -= 1
    deviation = rows.std(axis=0)
    with np.load(tmp_path / "head.npz") as arrays:
        weights = arrays["weights"]
    assert not weights[:, 7].any()
    scaled = (rows - rows.mean(axis=0))[:, :7] / deviation[:7]
    gradient = scaled.T @ wrong / 600 + strength * (weights[:, :7] * deviation[:7]).T
    assert np.abs(gradient).max() < 2e-3
    assert np.abs(wrong.mean(axis=0)).max() < 2e-3


def test_two_hundred_classes_take_seconds(tmp_path: Path) -> None:
    classes, features = 200, 40
    random = np.random.default_rng(0)
    labels = np.arange(600) % classes
    means = random.normal(0, 1, (classes, features))
    noise = random.normal(0, 0.5, (600, 1, features))
    pictures = Seen((means[labels][:, np.newaxis] + noise).astype(np.float32), labels, [])
    learner = LinearLearner(classes, progress=False)
    folds = (np.arange(600) // classes % 5).tolist()
    held = learner.hold_out(pictures, folds, forget)
    assert np.mean(held.logits.argmax(axis=1) == labels) > 0.95
    learner.write(pictures, held.setting, tmp_path)
    scores = Head(tmp_path / "head.npz", features, classes).scores(pictures.whole)
    assert np.mean(scores.argmax(axis=1) == labels) > 0.95
