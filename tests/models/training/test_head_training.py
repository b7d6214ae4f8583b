"""Tests of training, from a folder of labelled pictures to a stack that loads and answers."""

import json
from pathlib import Path

import pytest
from PIL import Image

from catdog_stream.errors import InputError, StackError
from catdog_stream.models.engines.description import Description
from catdog_stream.models.preprocessing import Preprocessing
from catdog_stream.models.stacks.locate import default_stack
from catdog_stream.models.stacks.manifest import load_manifest
from catdog_stream.models.stacks.stack import ModelStack
from catdog_stream.models.training.backbone.start import described_backbone
from catdog_stream.models.training.head_training import train_head
from tests.models.derived import derived_pictures


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Return a folder with four pictures of dogs, eight of cats, and one broken file."""
    directory = tmp_path / "pictures"
    for label in ("cat", "dog"):
        (directory / label).mkdir(parents=True)
    for index, picture in enumerate(derived_pictures(12)):
        label = "dog" if index % 3 == 2 else "cat"
        Image.fromarray(picture).save(directory / label / f"{index:02}.png")
    (directory / "dog" / "broken.png").write_bytes(b"\x89PNG\r\n\x1a\n")
    return directory


@pytest.mark.long
def test_training_writes_a_stack_that_answers_and_is_the_same_again(
    folder: Path, tmp_path: Path
) -> None:
    results = [
        train_head(
            folder,
            tmp_path / name,
            backbone=default_stack(),
            validation=folder,
            name="small",
            threads=threads,
            progress=False,
        )
        for name, threads in (("first", 2), ("second", 1))
    ]
    assert results[0].pictures == 12
    assert [Path(file.path).name for file in results[0].unreadable] == ["broken.png"]
    first, second = (tmp_path / name for name in ("first", "second"))
    assert (first / "head.ubj").read_bytes() == (second / "head.ubj").read_bytes()
    assert (first / "NOTICE").is_file()

    manifest = json.loads((first / "manifest.json").read_text())
    assert manifest["training"]["counts"] == {"cat": 8, "dog": 4}
    assert results[0].validation is not None
    assert manifest["quality"]["accuracy"] == results[0].validation.accuracy

    assert [each["file"] for each in manifest["golden"]] == ["golden-cat.png", "golden-dog.png"]

    stack = ModelStack.load(first, threads=1)
    stack.check_golden(first)
    assert stack.name == "small"
    (verdict,) = stack.classify(derived_pictures(1))
    assert 0 < verdict.scores["dog"] < 1
    stack.close()


def test_training_without_pictures_names_what_is_missing(tmp_path: Path) -> None:
    def train(directory: Path, validation: Path | None = None) -> None:
        train_head(
            directory,
            tmp_path / "out",
            backbone=default_stack(),
            validation=validation,
            name="small",
            threads=1,
            progress=False,
        )

    with pytest.raises(InputError, match="no folder"):
        train(tmp_path / "nowhere")
    for label in ("cat", "dog"):
        (tmp_path / label).mkdir()
        (tmp_path / label / "1.png").write_bytes(b"no picture")
    with pytest.raises(InputError, match="no readable picture of cat"):
        train(tmp_path)
    with pytest.raises(InputError, match="no folder"):
        train(tmp_path, validation=tmp_path / "elsewhere")
    assert not (tmp_path / "out").exists()


def test_training_without_a_backbone_is_refused(folder: Path, tmp_path: Path) -> None:
    with pytest.raises(StackError, match="backbone"):
        train_head(
            folder, tmp_path / "out", backbone=tmp_path, name="small", threads=1, progress=False
        )


def test_stack_takes_pictures_as_its_backbone_does(folder: Path, tmp_path: Path) -> None:
    backbone = tmp_path / "backbone"
    backbone.mkdir()
    (backbone / "backbone.tflite").symlink_to(default_stack() / "backbone.tflite")
    wanted = Preprocessing(299, resize="bicubic", range=(-127 / 128, 1.0))
    Description("inception_v3", wanted, 2048).write(backbone)
    train_head(
        folder, tmp_path / "first", backbone=backbone, name="pets", threads=2, progress=False
    )
    manifest = load_manifest(tmp_path / "first")
    assert (manifest.name, manifest.network) == ("pets", "inception_v3")
    assert (manifest.preprocessing, manifest.features) == (wanted, 2048)

    # A stack serves as the backbone of the next one; a description by ``convert`` has precedence.
    assert described_backbone(tmp_path / "first")[0].preprocessing == wanted
    newer = Description("efficientnet_lite2", Preprocessing(260), 1280)
    newer.write(tmp_path / "first")
    assert described_backbone(tmp_path / "first")[0] == newer
