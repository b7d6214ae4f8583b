"""Tests of the files that Hugging Face, timm and Teachable Machine write beside a model."""

import json
from pathlib import Path
from typing import Any

import pytest

from catdog_stream.errors import InputError
from catdog_stream.models.importing.choices import chosen_classes, input_format
from catdog_stream.models.importing.config_files import facts_beside
from catdog_stream.models.importing.network import Facts, Network
from catdog_stream.models.preprocessing import Preprocessing

HALF = [0.5, 0.5, 0.5]
MEAN, STD = [0.485, 0.456, 0.406], [0.229, 0.224, 0.225]
#: As in google/vit-base-patch16-224.
VIT = {"do_normalize": True, "do_resize": True, "image_mean": HALF, "image_std": HALF,
       "resample": 2, "size": 224}  # fmt: skip
#: As in facebook/dinov2-base.
DINO = {"crop_size": {"height": 224, "width": 224}, "do_center_crop": True, "do_normalize": True,
        "do_rescale": True, "image_mean": MEAN, "image_std": STD, "resample": 3,
        "rescale_factor": 0.00392156862745098, "size": {"shortest_edge": 256}}  # fmt: skip
#: As in facebook/convnext-tiny-224, and in convnext-base-384.
CONVNEXT = {"crop_pct": 0.875, "do_normalize": True, "image_mean": MEAN, "image_std": STD,
            "resample": 3, "size": {"shortest_edge": 224}}  # fmt: skip
#: As in google/mobilenet_v2_1.0_224.
MOBILENET = {"crop_size": {"height": 224, "width": 224}, "do_center_crop": True,
             "image_mean": HALF, "image_std": HALF, "resample": 2,
             "size": {"shortest_edge": 256}}  # fmt: skip
TIMM = {
    "architecture": "resnet18",
    "num_classes": 2,
    "label_names": ["cat", "dog"],
    "pretrained_cfg": {"input_size": [3, 224, 224], "interpolation": "bicubic", "crop_pct": 0.95,
                       "crop_mode": "center", "mean": MEAN, "std": STD},
}  # fmt: skip


def facts(folder: Path, name: str, document: Any) -> Facts:
    (folder / name).write_text(json.dumps(document))
    (found,) = facts_beside(folder / "model.onnx", folder)
    return found


def wanted(found: Facts, **fixed: Any) -> Preprocessing:
    network = Network("onnx", {"dtype": "float32", **fixed}, {}, Facts(""))
    return input_format(network, [found], None, {})


def preprocessing(folder: Path, document: Any) -> Preprocessing:
    return wanted(facts(folder, "preprocessor_config.json", document))


def test_vit_stretches_to_a_square(tmp_path: Path) -> None:
    found = preprocessing(tmp_path, VIT)
    assert found == Preprocessing(224, range=(0, 1), mean=(0.5,) * 3, std=(0.5,) * 3, layout="NCHW")


def test_the_shorter_side_is_resized_and_the_centre_kept(tmp_path: Path) -> None:
    found = preprocessing(tmp_path, DINO)
    assert (found.fit, found.size, found.crop, found.resize) == (
        "shorter_side",
        224,
        0.875,
        "bicubic",
    )
    assert found.range == (0, 1)
    assert found.mean == tuple(MEAN)
    assert preprocessing(tmp_path, MOBILENET).crop == 0.875


def test_convnext_crops_small_pictures_and_stretches_large_ones(tmp_path: Path) -> None:
    found = preprocessing(tmp_path, CONVNEXT)
    assert (found.fit, found.crop) == ("shorter_side", 0.875)
    large = preprocessing(tmp_path, {**CONVNEXT, "size": {"shortest_edge": 384}})
    assert (large.fit, large.crop, large.size) == ("stretch", 1, 384)


def test_values_are_scaled_as_stated(tmp_path: Path) -> None:
    assert preprocessing(tmp_path, {**VIT, "do_rescale": False}).range == (0, 255)
    offset = {**VIT, "rescale_factor": 1 / 127.5, "rescale_offset": True, "do_normalize": False}
    found = preprocessing(tmp_path, offset)
    assert (found.range, found.has_statistics) == ((-1, 1), False)
    twice = preprocessing(tmp_path, {**VIT, "include_top": True})
    assert twice.std == (0.25, 0.25, 0.25)


def test_mobilevit_takes_blue_first(tmp_path: Path) -> None:
    document = {"crop_size": {"height": 256, "width": 256}, "do_center_crop": True,
                "do_flip_channel_order": True, "resample": 3,
                "size": {"shortest_edge": 288}}  # fmt: skip
    found = preprocessing(tmp_path, document)
    assert (found.channels, found.has_statistics, found.range) == ("BGR", False, (0, 1))
    assert found.crop == pytest.approx(256 / 288)


def test_a_size_of_two_sides(tmp_path: Path) -> None:
    found = preprocessing(tmp_path, {**VIT, "size": {"height": 32, "width": 48}})
    assert found.shape == (32, 48, 3)
    crop = {**VIT, "size": {"height": 256, "width": 256}, "do_center_crop": True, "crop_size": 224}
    assert (preprocessing(tmp_path, crop).size, preprocessing(tmp_path, crop).crop) == (224, 0.875)


def test_names_of_hugging_face(tmp_path: Path) -> None:
    document = {"id2label": {"0": "cat", "1": "dog"}, "label2id": {"cat": 0, "dog": 1}}
    assert facts(tmp_path, "config.json", document).classes == ("cat", "dog")


def test_names_and_input_of_timm(tmp_path: Path) -> None:
    found = facts(tmp_path, "config.json", TIMM)
    assert found.classes == ("cat", "dog")
    assert wanted(found) == Preprocessing(
        224,
        fit="shorter_side",
        crop=0.95,
        resize="bicubic",
        range=(0, 1),
        mean=tuple(MEAN),  # type: ignore[arg-type]
        std=tuple(STD),  # type: ignore[arg-type]
        layout="NCHW",
    )
    squash = {**TIMM, "pretrained_cfg": {**TIMM["pretrained_cfg"], "crop_mode": "squash"}}  # type: ignore[dict-item]
    assert wanted(facts(tmp_path, "config.json", squash)).fit == "stretch"


def test_labels_of_teachable_machine(tmp_path: Path) -> None:
    (tmp_path / "labels.txt").write_text("0 cat\n1 dog\n")
    (found,) = facts_beside(tmp_path / "model.tflite", tmp_path / "model.tflite")
    assert found.classes == ("cat", "dog")


def test_labels_are_the_last_word(tmp_path: Path) -> None:
    facts(tmp_path, "config.json", {"id2label": {"0": "LABEL_0", "1": "LABEL_1"}})
    (tmp_path / "labels.txt").write_text("cat\ndog\n")
    found = list(facts_beside(tmp_path / "model.onnx", tmp_path))
    network = Network("onnx", {}, {}, Facts(""))
    assert chosen_classes(network, found, None) == ("cat", "dog")


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("config.json", "{"),
        ("config.json", "[]"),
        ("config.json", "[" * 100_000),
        ("config.json", '{"id2label": {"0": "cat", "7": "dog"}}'),
        ("config.json", json.dumps({"pretrained_cfg": {**TIMM["pretrained_cfg"],  # type: ignore[dict-item]
                                                       "crop_mode": "border"}})),
        ("config.json", '{"pretrained_cfg": {"crop_pct": 1, "interpolation": "bicubic"}}'),
        ("preprocessor_config.json", '{"do_normalize": true}'),
        ("preprocessor_config.json", json.dumps({**VIT, "resample": 5})),
        ("preprocessor_config.json", json.dumps({**VIT, "resample": [2]})),
        ("preprocessor_config.json", json.dumps({**VIT, "size": {"longest_edge": 9}})),
        ("preprocessor_config.json", json.dumps({**VIT, "rescale_factor": "x"})),
        ("labels.txt", "\udcff"),
    ],
)  # fmt: skip
def test_a_damaged_file_is_refused_by_its_name(tmp_path: Path, name: str, text: str) -> None:
    file = tmp_path / name
    file.write_bytes(text.encode(errors="surrogateescape"))
    with pytest.raises(InputError, match=f"{file} cannot be used: .") as refused:
        list(facts_beside(tmp_path / "model.onnx", tmp_path))
    assert "\n" not in str(refused.value)


def test_a_filter_that_does_not_exist_is_refused(tmp_path: Path) -> None:
    odd = {**TIMM, "pretrained_cfg": {**TIMM["pretrained_cfg"], "interpolation": "random"}}  # type: ignore[dict-item]
    with pytest.raises(InputError, match="resize must be one of"):
        wanted(facts(tmp_path, "config.json", odd))
