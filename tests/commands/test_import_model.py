"""Tests of ``import``: networks of every kind become stacks, and every mistake is one sentence."""

import json
import os
import shutil
import signal
import sys
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from click.testing import CliRunner, Result

from catdog_stream.commands.import_model import import_command
from catdog_stream.commands.import_original import import_original
from catdog_stream.models.preprocessing import Preprocessing
from catdog_stream.models.presets import preset
from catdog_stream.models.stacks.manifest import Manifest, load_manifest
from catdog_stream.models.stacks.stack import ModelStack
from catdog_stream.testing import check_classifier
from catdog_stream.testing.waiting import wait_until
from tests.models.stacks.test_complete_classifier import quantized_colours
from tests.support.command import PATIENCE, Command
from tests.support.onnx_files import (
    COLOURS,
    colour_network,
    convolutional_network,
    one_output,
    picture_of,
)

RANDOM = np.random.default_rng(0)
PICTURES = [picture_of(colour, RANDOM) for colour in COLOURS]
WANTED = preset("torchvision", 32)
NAMED = ("--classes", "red,green,blue")
TORCHVISION = ("--preset", "torchvision")


def run(*arguments: object) -> Result:
    return CliRunner().invoke(import_command, list(map(str, arguments)))


def sentence(*arguments: object) -> str:
    """Return the only line that a refused import prints."""
    answer = run(*arguments)
    assert (answer.exit_code, answer.stdout) == (1, ""), answer.output
    assert answer.stderr.startswith("Error: ")
    assert answer.stderr.count("\n") == 1
    return answer.stderr.removeprefix("Error: ").rstrip("\n")


@pytest.fixture
def model(tmp_path: Path) -> Path:
    """Return an ONNX file whose scores are logits."""
    return write(tmp_path / "colours.onnx", one_output(colour_network(WANTED)))


def write(file: Path, content: bytes, metadata: Mapping[str, str] | None = None) -> Path:
    if metadata is not None:
        network = onnx.load_from_string(content)
        onnx.helper.set_model_props(network, dict(metadata))
        content = network.SerializeToString()
    file.parent.mkdir(exist_ok=True)
    file.write_bytes(content)
    return file


def pictures(folder: Path, count: int, *, with_folders: bool) -> Path:
    for colour in COLOURS:
        for number in range(count):
            file = folder / colour / f"{number}.png"
            if not with_folders:
                file = folder / f"{colour}-{number}.png"
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(picture_of(colour, RANDOM, 8))
    return folder


def served(directory: Path) -> Manifest:
    """Check that a worker can serve the stack, and that it knows the colours."""
    stack = ModelStack.load(directory, threads=2)
    verdicts = stack.classify([stack.prepare(picture) for picture in PICTURES])
    assert [verdict.likeliest for verdict in verdicts] == list(COLOURS)
    check_classifier(stack, PICTURES)
    stack.check_golden(directory)
    stack.close()
    return load_manifest(directory)


def test_an_onnx_network_becomes_a_stack_and_the_next_command_is_printed(
    tmp_path: Path, model: Path
) -> None:
    output = tmp_path / "stacks" / "colours"
    answer = run(model, *NAMED, *TORCHVISION, "--output", output, "--version", "7")
    assert answer.exit_code == 0, answer.output
    lines = answer.stdout.splitlines()
    assert len([line for line in lines if line.endswith("%")]) == 3  # the samples
    assert lines[-2] == (
        f"The stack colours 7 is in {output}: 3 classes (red, green, blue), logits (some are "
        "outside of 0 to 1), read from colours.onnx."
    )
    assert lines[-1] == f"Next: CATDOG_STACK={output} catdog-stream up"
    manifest = served(output)
    assert (manifest.name, manifest.version, manifest.output) == ("colours", "7", "logits")
    assert manifest.preprocessing == WANTED
    assert manifest.golden == ()
    assert sorted(path.name for path in output.parent.iterdir()) == ["colours"]


def test_labelled_pictures_measure_calibrate_and_stay_with_the_stack(
    tmp_path: Path, model: Path
) -> None:
    folder = pictures(tmp_path / "pictures", 40, with_folders=True)
    for number in range(0, 40, 4):  # mistakes of a network that is always sure
        (folder / "red" / f"{number}.png").write_bytes(PICTURES[1])
    (folder / "red" / "text.txt").write_text("no picture")
    output = tmp_path / "stack"
    answer = run(model, *NAMED, *TORCHVISION, "--output", output, "--pictures", folder)
    assert answer.exit_code == 0, answer.output
    assert "accuracy" in answer.stdout
    manifest = served(output)
    assert manifest.quality is not None
    assert 0.85 < manifest.quality["accuracy"] < 1
    assert manifest.quality["count"] == 60
    assert manifest.reference is not None
    assert sum(manifest.reference.verdicts.values()) == 60
    assert [max(each.scores, key=each.scores.__getitem__) for each in manifest.golden] == [*COLOURS]
    assert manifest.calibration is not None
    assert manifest.calibration.slope < 1


def test_without_pictures_of_each_class_nothing_is_calibrated(tmp_path: Path, model: Path) -> None:
    folder = pictures(tmp_path / "pictures", 60, with_folders=True)
    shutil.rmtree(folder / "green")
    output = tmp_path / "stack"
    assert run(model, *NAMED, *TORCHVISION, "--output", output, "--pictures", folder).exit_code == 0
    manifest = served(output)
    assert manifest.quality is not None
    assert (manifest.quality["count"], manifest.calibration) == (120, None)
    (folder / "yellow").mkdir()
    refused = sentence(
        model, *NAMED, *TORCHVISION, "--output", tmp_path / "other", "--pictures", folder
    )
    assert refused == f"{folder / 'yellow'} is no class of the model."


def test_pictures_without_classes_are_a_check_and_some_stay_with_the_stack(
    tmp_path: Path, model: Path
) -> None:
    folder = pictures(tmp_path / "pictures", 4, with_folders=False)
    (folder / "text.txt").write_text("no picture")
    output = tmp_path / "stack"
    answer = run(model, *NAMED, *TORCHVISION, "--output", output, "--pictures", folder)
    assert answer.exit_code == 0, answer.output
    assert f"{folder / 'red-0.png'}: red 100.0%" in answer.stdout
    assert f"Left out: {folder / 'text.txt'}" in answer.stderr
    manifest = served(output)
    assert (len(manifest.golden), manifest.quality, manifest.reference) == (8, None, None)


def test_features_of_a_second_output_give_an_ood_score(tmp_path: Path) -> None:
    model = write(tmp_path / "both.onnx", colour_network(WANTED))
    folder = pictures(tmp_path / "pictures", 40, with_folders=True)
    rest = (model, *NAMED, *TORCHVISION, "--output", tmp_path / "stack", "--pictures", folder)
    assert sentence(*rest) == (
        "Several outputs may have the scores, scores (3 values), features (3 values): --scores "
        "names one."
    )
    refused = sentence(*rest, "--scores", "scores", "--features", "scores")
    assert refused == (
        "--features: 'scores' is none of the other outputs of a fixed size (features)."
    )
    answer = run(*rest, "--scores", "scores", "--features", "features")
    assert answer.exit_code == 0, answer.output
    manifest = load_manifest(tmp_path / "stack")
    assert (manifest.features, manifest.familiarity is not None) == (3, True)
    assert manifest.reference is not None
    assert manifest.reference.familiarity is not None


def test_what_ultralytics_writes_into_a_file_needs_no_option(tmp_path: Path) -> None:
    wanted = preset("ultralytics", 32, 48)
    network = one_output(colour_network(wanted, output="probabilities", batch=1))
    metadata = {
        "author": "Ultralytics",
        "task": "classify",
        "imgsz": "[32, 48]",
        "names": "{0: 'red', 1: 'green', 2: 'blue'}",
    }
    model = write(tmp_path / "best.onnx", network, metadata)
    assert run(model, "--output", tmp_path / "stack").exit_code == 0
    manifest = served(tmp_path / "stack")
    assert (manifest.preprocessing, manifest.output) == (wanted, "probabilities")


@pytest.mark.parametrize(
    "names",
    ["__import__('os').abort()", "{" * 100_000, "{0: 1}", "{0: 'red'", "(" + "1," * 10**6, "\0"],
)
def test_metadata_that_is_no_list_of_names_executes_nothing(tmp_path: Path, names: str) -> None:
    network = one_output(colour_network(WANTED))
    model = write(tmp_path / "model.onnx", network, {"names": names})
    refused = sentence(model, *TORCHVISION, "--output", tmp_path / "stack")
    assert refused == "The model does not name its 3 classes: --classes FILE, or A,B,C, does."


def test_a_folder_of_hugging_face_needs_no_option(tmp_path: Path) -> None:
    folder = tmp_path / "model"
    wanted = Preprocessing(
        32, range=(0, 1), mean=(0.5,) * 3, std=(0.5,) * 3, layout="NCHW", resize="bicubic"
    )
    network = onnx.load_from_string(one_output(colour_network(wanted)))
    for axis, name in enumerate(("batch", "num_channels", "height", "width")):
        network.graph.input[0].type.tensor_type.shape.dim[axis].dim_param = name
    folder.mkdir()
    write(folder / "onnx" / "model.onnx", network.SerializeToString())
    names = dict(enumerate(COLOURS))
    (folder / "config.json").write_text(json.dumps({"id2label": names}))
    half = [0.5, 0.5, 0.5]
    config = {"size": 32, "resample": 3, "image_mean": half, "image_std": half}
    (folder / "preprocessor_config.json").write_text(json.dumps(config))
    (folder / "pytorch_model.bin").write_bytes(b"weights")
    answer = run(folder, "--output", tmp_path / "stack")
    assert answer.exit_code == 0, answer.output
    assert served(tmp_path / "stack").preprocessing == wanted


def test_a_network_that_takes_bytes_needs_no_preset(tmp_path: Path) -> None:
    wanted = Preprocessing(32, layout="NHWC", dtype="uint8", range=(0, 255))
    model = write(tmp_path / "model.onnx", one_output(colour_network(wanted)))
    assert run(model, *NAMED, "--output", tmp_path / "stack").exit_code == 0
    assert served(tmp_path / "stack").preprocessing == wanted


def test_weights_in_a_further_file_become_part_of_the_stack(tmp_path: Path) -> None:
    network = onnx.load_from_string(one_output(colour_network(WANTED)))
    model = tmp_path / "model.onnx"
    onnx.save(
        network, model, save_as_external_data=True, location="model.onnx.data", size_threshold=0
    )
    rest = (model, *NAMED, *TORCHVISION, "--output", tmp_path / "stack")
    assert run(*rest).exit_code == 0
    (tmp_path / "model.onnx.data").unlink()
    served(tmp_path / "stack")
    assert (
        sentence(*rest, "--force") == f"{model} cannot be read as an ONNX network with one input."
    )


@pytest.mark.slow
def test_a_quantized_tflite_file_with_labels_in_it_needs_no_option(tmp_path: Path) -> None:
    pytest.importorskip("tensorflow")
    model = tmp_path / "model.tflite"
    model.write_bytes(quantized_colours(Preprocessing(16, width=24, dtype="uint8")))
    assert sentence(model, "--output", tmp_path / "stack").startswith("The model does not name")
    other = tmp_path / "other.tflite"
    shutil.copyfile(model, other)
    with zipfile.ZipFile(model, "a") as archive:
        archive.writestr("labels.txt", "red\ngreen\nblue\n")
    with zipfile.ZipFile(other, "a") as archive:
        metadata = {"author": "Ultralytics", "names": dict(enumerate(COLOURS)), "imgsz": [16, 24]}
        archive.writestr("metadata.json", json.dumps({**metadata, "end2end": False}))
    assert run(other, "--output", tmp_path / "other").exit_code == 0
    wanted = load_manifest(tmp_path / "other").preprocessing
    assert (wanted.fit, wanted.layout, wanted.shape) == ("shorter_side", "NHWC", (16, 24, 3))
    answer = run(model, "--output", tmp_path / "stack")
    assert answer.exit_code == 0, answer.output
    manifest = served(tmp_path / "stack")
    assert manifest.output == "probabilities"
    assert (manifest.preprocessing.range, manifest.preprocessing.dtype) == ((-1, 1), "uint8")


def keras_colours(shape: tuple[int | None, int | None, int], **last: Any) -> Any:
    import keras

    network = keras.Sequential(
        [
            keras.Input(shape),
            keras.layers.Rescaling(1 / 127.5, -1),
            keras.layers.GlobalAveragePooling2D(),
            keras.layers.Dense(3, **last),
        ]
    )
    network.layers[-1].set_weights([4 * np.eye(3, dtype=np.float32), np.zeros(3, np.float32)])
    return network


@pytest.mark.slow
def test_keras_models_become_stacks_for_both_engines(tmp_path: Path) -> None:
    pytest.importorskip("tensorflow")
    network = keras_colours((16, 24, 3), activation="softmax")
    network.save(tmp_path / "model.keras")
    network.save(tmp_path / "model.h5")
    network.export(tmp_path / "saved")
    for model, parts in (
        ("model.keras", {"litert", "tensorflow"}),
        ("model.h5", {"litert"}),
        ("saved", {"litert"}),
    ):
        output = tmp_path / f"stack of {model}"
        rest = ("--preset", "keras", "--output", output, "--name", "colours")
        answer = run(tmp_path / model, *NAMED, *rest)
        assert answer.exit_code == 0, answer.output
        manifest = served(output)
        assert (set(manifest.parts), manifest.output) == (parts, "probabilities")
        assert manifest.preprocessing == preset("keras", 16, 24)
    stack = ModelStack.load(tmp_path / "stack of model.keras", engine="tensorflow", threads=1)
    found = stack.classify([stack.prepare(picture) for picture in PICTURES])
    assert [verdict.label for verdict in found] == list(COLOURS)


@pytest.mark.slow
def test_a_keras_model_for_any_size_gets_one(tmp_path: Path) -> None:
    pytest.importorskip("tensorflow")
    model = tmp_path / "model.keras"
    keras_colours((None, None, 3)).save(model)
    rest = (model, *NAMED, "--preset", "keras", "--output", tmp_path / "stack")
    asked = "The model does not state the size of its pictures: --input '{\"size\": 224}' does."
    assert sentence(*rest) == asked
    assert run(*rest, "--input", '{"size": 16, "width": 20}').exit_code == 0
    assert served(tmp_path / "stack").preprocessing == preset("keras", 16, 20)
    stack = ModelStack.load(tmp_path / "stack", engine="tensorflow", threads=1)
    assert stack.classify([stack.prepare(PICTURES[0])])[0].label == "red"


@pytest.mark.slow
def test_keras_models_that_are_damaged_or_contain_code_are_refused(tmp_path: Path) -> None:
    tf = pytest.importorskip("tensorflow")
    import keras

    rest = (*NAMED, "--preset", "keras", "--output", tmp_path / "stack")
    code = keras.Sequential([keras.Input((8, 8, 3)), keras.layers.Lambda(lambda x: x[:, 0, 0])])
    code.save(tmp_path / "code.keras")
    network = keras_colours((8, 8, 3))
    network.save(tmp_path / "half.keras")
    content = (tmp_path / "half.keras").read_bytes()
    (tmp_path / "half.keras").write_bytes(content[: len(content) // 2])
    (tmp_path / "noise.keras").write_bytes(RANDOM.bytes(5000))
    network.export(tmp_path / "half")
    content = (tmp_path / "half" / "saved_model.pb").read_bytes()
    (tmp_path / "half" / "saved_model.pb").write_bytes(content[: len(content) // 2])
    code.save(tmp_path / "code.h5")
    for name in ("code.keras", "code.h5", "half.keras", "noise.keras", "half"):
        reason = f"TensorFlow cannot convert {tmp_path / name}, as a model that is safe, to LiteRT:"
        assert sentence(tmp_path / name, *rest).startswith(reason)

    class Writer(tf.Module):  # type: ignore[misc, name-defined]
        @tf.function(input_signature=[tf.TensorSpec((None, 8, 8, 3))])  # type: ignore[untyped-decorator]
        def __call__(self, pictures: Any) -> Any:
            tf.io.write_file(str(tmp_path / "written"), "by the model")
            return tf.reduce_mean(pictures, (1, 2))

    tf.saved_model.save(Writer(), str(tmp_path / "writer"))
    assert sentence(tmp_path / "writer", *rest) == (
        f"{tmp_path / 'writer'} uses files by WriteFile: it is not run."
    )
    assert not (tmp_path / "written").exists()
    assert not (tmp_path / "stack").exists()


@pytest.mark.parametrize("name", ["model.pt", "model.pth", "model.ckpt", "model.pkl", "a.bin"])
def test_a_pickle_is_refused_with_three_lines_that_export_it(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_bytes(b"cos\nabort\n(tR.")
    for given in (tmp_path / name, tmp_path):
        answer = run(given, *NAMED, *TORCHVISION, "--output", tmp_path / "stack")
        assert answer.exit_code == 1
        first, *lines = answer.stderr.splitlines()
        assert first.startswith(f"Error: {tmp_path / name} is not read: it may be a pickle")
        assert len(lines) == 3
        assert "torch.onnx.export(" in lines[1]
        compile("\n".join(line[2:] for line in lines), name, "exec")


@pytest.mark.parametrize("suffix", [".onnx", ".tflite"])
@pytest.mark.parametrize("damage", ["empty", "noise", "half", "other"])
def test_damaged_files_are_refused_in_a_sentence(
    tmp_path: Path, model: Path, suffix: str, damage: str
) -> None:
    whole = model.read_bytes()
    if suffix == ".tflite":
        whole = Path("weights/efficientnet_lite2/backbone.tflite").read_bytes()[:100_000]
    content = {
        "empty": b"",
        "noise": RANDOM.bytes(5000),
        "half": whole[: len(whole) // 2],
        "other": PICTURES[0],
    }[damage]
    file = write(tmp_path / f"damaged{suffix}", content)
    refused = sentence(file, *NAMED, *TORCHVISION, "--output", tmp_path / "stack")
    assert refused.startswith((f"{file} cannot be read", f"LiteRT cannot read {file}"))
    assert sorted(path.name for path in tmp_path.iterdir()) == ["colours.onnx", file.name]


def test_every_changed_byte_of_a_network_is_a_stack_or_a_sentence(
    tmp_path: Path, model: Path
) -> None:
    whole = model.read_bytes()
    for place in range(0, len(whole), len(whole) // 25):
        changed = bytearray(whole)
        changed[place] ^= 0x55
        model.write_bytes(changed)
        answer = run(model, *NAMED, *TORCHVISION, "--output", tmp_path / "stack", "--force")
        assert answer.exit_code in (0, 1), (place, answer.output, answer.exception)
        assert "Traceback" not in answer.stderr
        assert answer.exit_code == 0 or answer.stderr.startswith("Error: ")


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (NAMED, "The model does not state how its pictures are prepared: --preset names the "
         "library that trained it (torchvision, timm, keras, ultralytics, teachable-machine), or "
         "--input has the values."),
        (TORCHVISION, "The model does not name its 3 classes: --classes FILE, or A,B,C, does."),
        ((*TORCHVISION, "--classes", "red,green"), "No output has a score for each of 2 classes "
         "(there are scores (3 values)): --classes must name all classes, in the network's "
         "order."),
        ((*TORCHVISION, "--classes", "red,green,verdict"), "The classes of --classes cannot be "
         "used: 'verdict' cannot be a class: labels have another header of that name; --classes "
         "names others."),
        ((*NAMED, *TORCHVISION, "--scores", "logits"), "No output logits has a score for each of "
         "3 classes (there are scores (3 values)): --classes must name all classes, in the "
         "network's order."),
        ((*NAMED, *TORCHVISION, "--input", '{"mean": 3}'), "The input of the model cannot be "
         "used: mean must be a list of 3, not 3."),
        ((*NAMED, *TORCHVISION, "--input", '{"size": 40}'), ""),
        ((*NAMED, *TORCHVISION, "--pictures", "nowhere"), "There is no folder nowhere."),
        ((*NAMED, *TORCHVISION, "--output-kind", "probabilities"), ""),
    ],
)  # fmt: skip
def test_what_is_not_told_is_asked_for_by_the_name_of_an_option(
    tmp_path: Path, model: Path, arguments: tuple[str, ...], expected: str
) -> None:
    refused = sentence(model, *arguments, "--output", tmp_path / "stack")
    assert refused == expected if expected else refused
    assert sorted(path.name for path in tmp_path.iterdir()) == ["colours.onnx"]


def test_a_network_without_a_fixed_size_needs_one(tmp_path: Path) -> None:
    network = onnx.load_from_string(one_output(colour_network(WANTED)))
    for axis in (2, 3):
        network.graph.input[0].type.tensor_type.shape.dim[axis].dim_param = "side"
    model = write(tmp_path / "model.onnx", network.SerializeToString())
    rest = (*NAMED, *TORCHVISION, "--output", tmp_path / "stack")
    asked = "The model does not state the size of its pictures: --input '{\"size\": 224}' does."
    assert sentence(model, *rest) == asked
    assert run(model, *rest, "--input", '{"size": 16, "width": 20}').exit_code == 0
    assert served(tmp_path / "stack").preprocessing == preset("torchvision", 16, 20)


def test_one_score_for_two_classes(tmp_path: Path) -> None:
    for output in ("probabilities", "logits"):
        network = one_output(colour_network(WANTED, output=output, values=1))
        model = write(tmp_path / f"{output}.onnx", network)
        rest = ("--classes", "other,red", *TORCHVISION, "--output", tmp_path / output)
        answer = run(model, *rest)
        assert answer.exit_code == 0, answer.output
        assert load_manifest(tmp_path / output).output == output
        stack = ModelStack.load(tmp_path / output, threads=1)
        found = stack.classify([stack.prepare(picture) for picture in PICTURES])
        assert [verdict.label for verdict in found] == ["red", "other", "other"]


def test_a_network_of_independent_scores_asks_how_to_read_them(tmp_path: Path) -> None:
    network = onnx.load_from_string(one_output(colour_network(WANTED, output="probabilities")))
    for node in network.graph.node:
        if node.op_type == "Softmax":
            node.op_type = "Sigmoid"
    model = write(tmp_path / "model.onnx", network.SerializeToString())
    rest = (model, *NAMED, *TORCHVISION, "--output", tmp_path / "stack")
    assert sentence(*rest) == (
        "The scores may be logits or probabilities: --output-kind states which of them. A picture "
        "may have several classes."
    )
    assert run(*rest, "--output-kind", "logits").exit_code == 0


@pytest.mark.parametrize("shape", [[1, 1, 28, 28], [1, 784], [1, 3, 8, 32, 32]])
def test_another_input_than_a_picture_is_refused(tmp_path: Path, shape: list[int]) -> None:
    taken = onnx.helper.make_tensor_value_info("x", onnx.TensorProto.FLOAT, shape)
    given = onnx.helper.make_tensor_value_info("y", onnx.TensorProto.FLOAT, shape)
    graph = onnx.helper.make_graph(
        [onnx.helper.make_node("Identity", ["x"], ["y"])], "g", [taken], [given]
    )
    model = write(tmp_path / "model.onnx", onnx.helper.make_model(graph).SerializeToString())
    refused = sentence(model, *NAMED, *TORCHVISION, "--output", tmp_path / "stack")
    assert refused == (
        f"{model} takes float32 {shape}: a stack's network takes pictures of three channels, [n, "
        "3, height, width] or [n, height, width, 3]."
    )


def test_what_is_no_model_is_refused(tmp_path: Path, model: Path) -> None:
    rest = (*NAMED, *TORCHVISION, "--output", tmp_path / "stack")
    assert (
        sentence(tmp_path / "nowhere.onnx", *rest) == f"There is no model {tmp_path}/nowhere.onnx."
    )
    (tmp_path / "model.pb").touch()
    assert sentence(tmp_path / "model.pb", *rest) == (
        f"{tmp_path}/model.pb is not read as a model: .onnx, .tflite, .keras, .h5 and SavedModel "
        "are."
    )
    folder = tmp_path / "empty"
    folder.mkdir()
    assert sentence(folder, *rest) == (
        f"{folder} has no .onnx, .tflite, .keras or .h5 file and is no SavedModel."
    )
    shutil.copyfile(model, tmp_path / "other.onnx")
    assert sentence(tmp_path, *rest) == (
        f"{tmp_path} has several models, colours.onnx, other.onnx: name one of them."
    )


def test_a_stack_is_replaced_only_with_force(tmp_path: Path, model: Path) -> None:
    output = tmp_path / "stack"
    rest = (model, *NAMED, *TORCHVISION, "--output", output)
    assert run(*rest).exit_code == 0
    assert sentence(*rest) == (
        f"There is something in {output} already: --force replaces a stack there."
    )
    before = (output / "manifest.json").read_bytes()
    model.write_bytes(b"damaged")
    sentence(*rest, "--force")
    assert (output / "manifest.json").read_bytes() == before
    answer = run(*rest, "--input", "3")
    assert answer.exit_code == 2
    assert answer.stderr.endswith("'3' is no object of JSON, such as {\"size\": 224}.\n")


def test_a_signal_ends_an_import_at_once_and_leaves_nothing_behind(tmp_path: Path) -> None:
    wanted = preset("torchvision", 512)
    model = write(tmp_path / "model.onnx", convolutional_network(wanted, channels=64, classes=3))
    arguments = ["import", model, *NAMED, *TORCHVISION, "--output", tmp_path / "stack"]
    command = [sys.executable, "-m", "catdog_stream", *map(str, arguments)]
    with Command(command, dict(os.environ), tmp_path) as running:
        wait_until(lambda: any(tmp_path.glob(".stack-*/network.onnx")), "the import", PATIENCE)
        running.process.send_signal(signal.SIGTERM)
        assert running.wait(10) == 128 + signal.SIGTERM
    assert "Traceback" not in running.output()
    assert not list(tmp_path.glob("*stack*"))


def test_the_import_of_the_first_system_has_its_own_options(tmp_path: Path) -> None:
    rest = ["--head", "nowhere.p", "--checkpoint", "x", "--output", str(tmp_path / "stack")]
    old = CliRunner().invoke(import_original, rest)
    new = run("--legacy", *rest)
    assert (old.exit_code, old.stderr) == (1, "Error: There is no file nowhere.p.\n")
    assert (new.exit_code, new.stderr) == (1, old.stderr)
    assert "--checkpoint" in run("--legacy", "--help").stdout
    assert "--preset" in run("--help").stdout
    assert import_original.hidden
