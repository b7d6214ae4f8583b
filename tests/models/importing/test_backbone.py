"""Tests of backbones of other libraries: heads are trained on their features, for many classes."""

import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner, Result
from PIL import Image

from catdog_stream.commands.train import AT_WORK, train
from catdog_stream.commands.train_head import train_head
from catdog_stream.errors import InputError
from catdog_stream.models.importing.backbone import described_folder
from catdog_stream.models.preprocessing import Preprocessing
from catdog_stream.models.stacks.locate import default_stack
from catdog_stream.models.stacks.manifest import load_manifest
from catdog_stream.models.stacks.stack import ModelStack
from tests.support.onnx_files import colour_network, convolutional_network, one_output

SIZE = 16


@pytest.fixture
def network(tmp_path: Path) -> Path:
    """Return an ONNX network whose three features are the mean of each channel."""
    file = tmp_path / "means.onnx"
    wanted = Preprocessing(SIZE, layout="NCHW")
    file.write_bytes(one_output(colour_network(wanted), "features"))
    return file


def fill(folder: Path, colours: Sequence[Sequence[int]], count: int) -> Path:
    """Write pictures of stripes that differ, each class with a mean colour of its own."""
    random = np.random.default_rng(0)
    for number, colour in enumerate(colours):
        (folder / f"c{number:03}").mkdir(parents=True)
        for picture in range(count):
            noise = np.repeat(random.normal(0, 25, (SIZE, SIZE // 4)), 4, axis=1)
            pixels = np.array(colour) + (noise - noise.mean())[..., np.newaxis]
            image = Image.fromarray(np.clip(np.rint(pixels), 0, 255).astype(np.uint8))
            image.save(folder / f"c{number:03}" / f"{number}_{picture // 4}_{picture}.png")
    return folder


def run(command: object, *arguments: object) -> Result:
    runner = CliRunner(env={AT_WORK: "1"})
    return runner.invoke(command, [str(each) for each in arguments])  # type: ignore[arg-type]


def test_200_classes_are_trained_in_seconds(network: Path, tmp_path: Path) -> None:
    levels = np.linspace(50, 205, 6).astype(int)
    colours = np.stack(np.meshgrid(levels, levels, levels), axis=-1).reshape(-1, 3)[:200]
    folder = fill(tmp_path / "many", colours.tolist(), 3)
    output = tmp_path / "stack"
    answer = run(
        train_head, folder, "--output", output, "--backbone", network, "--preset", "keras",
        "--validation", folder,
    )  # fmt: skip
    assert answer.exit_code == 0, answer.output
    assert "confusions, the most frequent first" in answer.output
    manifest = load_manifest(output)
    assert manifest.parts["head"].file == "head.npz"
    assert manifest.parts["onnx"].file == "backbone.onnx"
    assert manifest.training is not None
    assert manifest.training["head"] == "linear"
    assert len(manifest.classes) == 200
    assert len(manifest.golden) == 32
    assert manifest.quality is not None
    assert manifest.quality["accuracy"] > 0.3
    stack = ModelStack.load(output, threads=1)
    stack.check_golden(output)
    stack.close()


def test_a_whole_stack_is_trained_on_an_onnx_network(network: Path, tmp_path: Path) -> None:
    folder = fill(tmp_path / "colours", [(200, 60, 60), (60, 200, 60), (60, 60, 200)], 24)
    output = tmp_path / "stack"
    arguments = [folder, "--output", output, "--backbone", network, "--preset", "keras"]
    answer = run(train, *arguments, "--group", r"^(\d+_\d+)_", "--head", "linear")
    assert answer.exit_code == 0, answer.output
    assert "accuracy           100.00% (" in answer.output
    manifest = json.loads((output / "manifest.json").read_bytes())
    assert manifest["training"]["head"] == "linear"
    assert manifest["training"]["counts"]["evaluation"] == {"c000": 4, "c001": 4, "c002": 4}
    assert manifest["input"]["layout"] == "NCHW"
    assert not list(tmp_path.glob("stack.training"))
    answer = run(train, *arguments, "--force", "--fine-tuning")
    assert answer.exit_code == 1
    assert answer.output.splitlines()[-1] == (
        "Error: The backbone has no weights for TensorFlow, which fine-tunes it."
    )


def test_what_a_file_does_not_state_is_asked_for(network: Path, tmp_path: Path) -> None:
    def refused(file: Path, preset: str | None = None) -> str:
        with pytest.raises(InputError) as error, described_folder(file, preset):  # type: ignore[arg-type]
            pass
        return str(error.value)

    assert "does not state how its pictures are prepared: --preset" in refused(network)
    assert refused(default_stack(), "timm").startswith("--preset is for a --backbone that is an")
    two = tmp_path / "two.onnx"
    two.write_bytes(colour_network(Preprocessing(SIZE, layout="NCHW")))
    assert "gives scores (3 values), features (3 values): a backbone has" in refused(two, "timm")
    (tmp_path / "text.onnx").write_text("no network")
    assert "cannot be read as an ONNX network" in refused(tmp_path / "text.onnx", "timm")
    (tmp_path / "text.tflite").write_text("no network")
    assert "LiteRT cannot read" in refused(tmp_path / "text.tflite", "timm")


def test_a_tflite_file_is_a_backbone() -> None:
    """Use the default stack's network, whose file fixes the size."""
    network = default_stack() / "backbone.tflite"
    with described_folder(network, "keras") as folder:
        assert sorted(file.name for file in folder.iterdir()) == [
            "backbone.json",
            "backbone.tflite",
        ]
        document = json.loads((folder / "backbone.json").read_bytes())
    assert (document["features"], document["input"]["size"]) == (2048, 299)
    assert not folder.exists()


def test_scores_can_be_features(tmp_path: Path) -> None:
    file = tmp_path / "random.onnx"
    file.write_bytes(convolutional_network(Preprocessing(SIZE, layout="NCHW"), classes=10))
    with described_folder(file, "torchvision") as folder:
        assert json.loads((folder / "backbone.json").read_bytes())["features"] == 10
