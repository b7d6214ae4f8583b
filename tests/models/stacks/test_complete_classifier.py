"""Tests of stacks without a head, whose network is a complete classifier."""

import json
import os
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest

from catdog_stream.commands.stack_facts import details
from catdog_stream.errors import StackError
from catdog_stream.models.engines.litert import LiteRTBackbone
from catdog_stream.models.preprocessing import Preprocessing
from catdog_stream.models.presets import PRESETS, preset
from catdog_stream.models.stacks.golden import give
from catdog_stream.models.stacks.manifest import (
    EngineOptions,
    describe,
    load_manifest,
    read_manifest,
)
from catdog_stream.models.stacks.repository import Repository, StackId
from catdog_stream.models.stacks.stack import ModelStack
from catdog_stream.models.training.fit_ood import add_ood_score
from catdog_stream.testing import check_classifier
from tests.support.onnx_files import COLOURS, FILE, colour_network, colour_stack, picture_of

RANDOM = np.random.default_rng(0)
PICTURES = [picture_of(colour, RANDOM) for colour in COLOURS]


def loaded(directory: Path, **options: Any) -> ModelStack:
    return ModelStack.load(directory, threads=2, **options)


@pytest.mark.parametrize("output", ["logits", "probabilities"])
@pytest.mark.parametrize("batch", ["batch", 4])
def test_an_onnx_classifier_keeps_the_contract_of_a_classifier(
    tmp_path: Path, output: str, batch: int | str
) -> None:
    directory = colour_stack(tmp_path / "colours", network={"output": output, "batch": batch})
    stack = loaded(directory)
    assert (stack.engine, stack.classes) == ("onnx", COLOURS)
    verdicts = stack.classify([stack.prepare(picture) for picture in PICTURES])
    assert [verdict.label for verdict in verdicts] == list(COLOURS)
    check_classifier(stack, PICTURES)


@pytest.mark.parametrize("name", PRESETS)
def test_every_preset_is_served(tmp_path: Path, name: Any) -> None:
    wanted = preset(name, 32, 48)
    stack = loaded(colour_stack(tmp_path / "colours", wanted), batch=2)
    stack.warm_up()
    verdicts = stack.classify([stack.prepare(picture) for picture in PICTURES])
    assert [verdict.label for verdict in verdicts] == list(COLOURS)
    assert stack.prepare(PICTURES[0]).shape == (32, 48, 3)


def test_a_picture_that_is_not_square_is_also_turned_upside_down(tmp_path: Path) -> None:
    directory = colour_stack(tmp_path / "colours", preset("torchvision", 8, 12))
    stack = loaded(directory, turned_copies=True, batch=2)
    grey = np.full(stack.preprocessing.shape, 128, np.uint8)
    verdicts = stack.classify([stack.prepare(PICTURES[0]), grey])
    assert verdicts[0].label == "red"
    assert len(verdicts) == 2


def test_a_missing_onnx_runtime_is_named_with_its_extra(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    directory = colour_stack(tmp_path / "colours")
    monkeypatch.setattr("importlib.util.find_spec", lambda _: None)
    with pytest.raises(StackError, match=r"needs ONNX Runtime: pip install .*\[onnx\]'\.$"):
        loaded(directory)
    with pytest.raises(StackError, match="no part for litert"):
        loaded(directory, engine="litert")


def test_the_facts_of_a_classifier_name_its_output(tmp_path: Path) -> None:
    colour_stack(tmp_path / "colours" / "1")
    lines = list(details(Repository(tmp_path), StackId("colours", "1")))
    assert any(line.split() == ["network", "logits,", "8", "x", "8", "pixels"] for line in lines)


def test_a_network_with_one_score_tells_two_classes_apart(tmp_path: Path) -> None:
    for output in ("logits", "probabilities"):
        directory = colour_stack(
            tmp_path / output, network={"output": output, "values": 1}, classes=("other", "red")
        )
        stack = loaded(directory)
        found = stack.classify([stack.prepare(picture) for picture in PICTURES])
        assert [verdict.label for verdict in found] == ["red", "other", "other"]
        assert sum(found[0].scores.values()) == pytest.approx(1)


def test_golden_pictures_reference_and_an_ood_score_from_a_second_output(tmp_path: Path) -> None:
    directory = colour_stack(
        tmp_path / "colours",
        features=3,
        engine={"onnx": EngineOptions(8, output="scores", features="features")},
    )
    manifest = load_manifest(directory)
    (directory / FILE).write_bytes(colour_network(manifest.preprocessing))
    parts = {"onnx": describe(directory, FILE)}
    manifest = msgspec.structs.replace(manifest, parts=parts)
    manifest.write(directory)
    stack = loaded(directory)
    assert stack.batch_size == 8
    for colour in COLOURS:
        (tmp_path / "pictures" / colour).mkdir(parents=True)
        for number in range(40):
            file = tmp_path / "pictures" / colour / f"{number}.png"
            file.write_bytes(picture_of(colour, RANDOM, 4))
    pictures = tmp_path / "pictures"
    add_ood_score(directory, pictures, validation=pictures, threads=1, progress=False)
    reference = load_manifest(directory).reference
    assert reference is not None
    assert reference.familiarity is not None
    assert sum(reference.verdicts[colour] for colour in COLOURS) > 110
    stack = loaded(directory)
    for colour, picture in zip(COLOURS, PICTURES, strict=True):
        (tmp_path / "golden").mkdir(exist_ok=True)
        (tmp_path / "golden" / f"{colour}.png").write_bytes(picture)
    assert len(give(stack, directory, tmp_path / "golden")) == 3
    again = loaded(directory)
    again.check_golden(directory)
    known, grey = again.classify(
        [again.prepare(PICTURES[0]), np.full(again.preprocessing.shape, 128, np.uint8)]
    )
    assert known.familiarity is not None
    assert (known.label, grey.label) == ("red", "unknown")


def test_an_ood_score_without_features_is_refused(tmp_path: Path) -> None:
    directory = colour_stack(tmp_path / "colours")
    for colour in COLOURS:
        (tmp_path / "pictures" / colour).mkdir(parents=True)
        (tmp_path / "pictures" / colour / "1.png").write_bytes(PICTURES[0])
    with pytest.raises(StackError, match="an OOD score needs features"):
        add_ood_score(directory, tmp_path / "pictures", threads=1, progress=False)


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"output": "features"}, "parts must name a head, or output must be logits or "
         "probabilities"),
        ({"output": "scores"}, "output must be one of features, logits, probabilities, "
         "not 'scores'"),
        ({"parts": {"head": {"file": FILE, "sha256": ""}}}, "parts must name at least one "
         "backbone"),
        ({"engine": {"onnx": {"features": "features"}}}, "engine.onnx.features needs "
         "engine.onnx.output and features"),
        ({"familiarity": {"threshold": 0.1, "pictures": 3}}, "features is missing"),
    ],
)  # fmt: skip
def test_a_manifest_whose_parts_do_not_fit_is_refused(
    tmp_path: Path, fields: dict[str, Any], reason: str
) -> None:
    directory = colour_stack(tmp_path / "colours")
    document = json.loads((directory / "manifest.json").read_bytes())
    (directory / "manifest.json").write_text(json.dumps({**document, **fields}))
    with pytest.raises(StackError) as refused:
        read_manifest(directory)
    assert str(refused.value).endswith(f"is not a valid manifest: {reason}.")


def test_a_manifest_of_an_onnx_classifier_is_short(tmp_path: Path) -> None:
    directory = colour_stack(tmp_path / "colours")
    document = json.loads((directory / "manifest.json").read_bytes())
    assert document.keys() == {"name", "version", "classes", "input", "output", "parts"} | {
        key for key in ("training", "quality") if key in document
    }


@pytest.mark.slow
@pytest.mark.parametrize("dtype", ["uint8", "int8"])
def test_a_quantized_tflite_classifier_is_served(tmp_path: Path, dtype: Any) -> None:
    pytest.importorskip("tensorflow")
    wanted = Preprocessing(16, width=24, dtype=dtype)
    directory = tmp_path / "colours"
    directory.mkdir()
    (directory / "network.tflite").write_bytes(quantized_colours(wanted))
    colour_stack(tmp_path / "onnx", wanted=Preprocessing(16, width=24, layout="NCHW"))
    manifest = msgspec.structs.replace(
        load_manifest(tmp_path / "onnx"),
        preprocessing=wanted,
        output="probabilities",
        parts={"litert": describe(directory, "network.tflite")},
    )
    manifest.write(directory)
    stack, exact = loaded(directory), loaded(tmp_path / "onnx")
    assert stack.engine == "litert"
    for picture in PICTURES:
        (found,) = stack.classify([stack.prepare(picture)])
        (expected,) = exact.classify([exact.prepare(picture)])
        assert found.label == expected.label
        assert found.scores == pytest.approx(dict(expected.scores), abs=0.02)
    check_classifier(stack, PICTURES)


@pytest.mark.slow
def test_a_whole_keras_model_is_served_and_one_with_code_is_refused(tmp_path: Path) -> None:
    pytest.importorskip("tensorflow")
    import keras

    wanted = preset("keras", 16, 24)
    network = keras.Sequential(
        [
            keras.Input(wanted.shape),
            keras.layers.Rescaling(1 / 127.5, -1),
            keras.layers.GlobalAveragePooling2D(),
            keras.layers.Dense(3, activation="softmax"),
        ]
    )
    network.layers[-1].set_weights([4 * np.eye(3, dtype=np.float32), np.zeros(3, np.float32)])
    directory = colour_stack(tmp_path / "colours")
    network.save(directory / "network.keras")
    manifest = msgspec.structs.replace(
        load_manifest(directory),
        preprocessing=wanted,
        output="probabilities",
        parts={"tensorflow": describe(directory, "network.keras")},
    )
    manifest.write(directory)
    stack = loaded(directory)
    assert stack.engine == "tensorflow"
    verdicts = stack.classify([stack.prepare(picture) for picture in PICTURES])
    assert [verdict.label for verdict in verdicts] == list(COLOURS)
    check_classifier(stack, PICTURES)

    code = keras.Sequential([keras.Input(wanted.shape), keras.layers.Lambda(lambda x: x[:, 0, 0])])
    code.save(directory / "network.keras")
    manifest = msgspec.structs.replace(
        manifest, parts={"tensorflow": describe(directory, "network.keras")}
    )
    manifest.write(directory)
    with pytest.raises(StackError, match=r"Keras cannot read .* as a model that is safe"):
        loaded(directory)
    other = msgspec.structs.replace(manifest, preprocessing=preset("keras", 16, 16))
    network.save(directory / "network.keras")
    parts = {"tensorflow": describe(directory, "network.keras")}
    msgspec.structs.replace(other, parts=parts).write(directory)
    with pytest.raises(StackError, match="its manifest says"):
        loaded(directory)


@pytest.mark.slow
def test_outputs_of_a_tflite_file_are_read_by_their_names(tmp_path: Path) -> None:
    tf = pytest.importorskip("tensorflow")
    import keras

    wanted = Preprocessing(16)
    taken = keras.Input(wanted.shape)
    means = keras.layers.GlobalAveragePooling2D()(taken)
    network = keras.Model(taken, [means, keras.layers.Dense(5)(means)])
    content = tf.lite.TFLiteConverter.from_keras_model(network).convert()
    file = tmp_path / "network.tflite"
    file.write_bytes(content)
    picture = np.random.default_rng(0).integers(0, 256, wanted.shape, np.uint8)
    means_of = picture.mean(axis=(0, 1)) / 127.5 - 1
    with pytest.raises(StackError, match="the manifest must name one") as refused:
        LiteRTBackbone(file, wanted, 3, threads=1)
    names = str(refused.value).partition(" has the outputs ")[2].partition(": the")[0].split(", ")
    found = {}
    for name in names:
        backbone = LiteRTBackbone(file, wanted, (3, 5), outputs=(name,), threads=2)
        found[name] = backbone.features([picture, picture])
        backbone.close()
    both = LiteRTBackbone(file, wanted, 8, outputs=names, threads=2)
    rows = both.features([picture])
    both.close()
    np.testing.assert_array_equal(rows[0], np.concatenate([found[name][0] for name in names]))
    (features,) = (each for each in found.values() if each.shape == (2, 3))
    np.testing.assert_allclose(features[1], means_of, atol=1e-5)


def quantized_colours(wanted: Preprocessing) -> bytes:
    """Return a LiteRT file with integers as input and output, as Teachable Machine exports."""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    import keras
    import tensorflow as tf

    network = keras.Sequential(
        [
            keras.Input(wanted.shape),
            keras.layers.GlobalAveragePooling2D(),
            keras.layers.Dense(3, activation="softmax"),
        ]
    )
    network.set_weights([4 * np.eye(3, dtype=np.float32), np.zeros(3, np.float32)])
    random = np.random.default_rng(0)
    converter = tf.lite.TFLiteConverter.from_keras_model(network)
    converter.optimizations = [tf.lite.Optimize.DEFAULT]
    converter.representative_dataset = lambda: (
        [np.full((1, *wanted.shape), 1, np.float32) * random.uniform(-1, 1, 3).astype(np.float32)]
        for _ in range(50)
    )
    converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS_INT8]
    converter.inference_input_type = converter.inference_output_type = getattr(tf, wanted.dtype)
    return bytes(converter.convert())
