"""Tests of resizing: against what the source libraries compute with Pillow, and by hand."""

import io
import math
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from PIL import Image, ImageOps

from catdog_stream.models.pictures import Picture, PictureLimits, decode
from catdog_stream.models.preprocessing import Preprocessing, Resize
from catdog_stream.models.presets import PresetName, preset
from tests.models.derived import derived_pictures

BILINEAR, BICUBIC = Image.Resampling.BILINEAR, Image.Resampling.BICUBIC


def png(image: Image.Image, orientation: int = 1) -> bytes:
    buffer, exif = io.BytesIO(), Image.Exif()
    exif[0x0112] = orientation
    image.save(buffer, "PNG", exif=exif, compress_level=0)
    return buffer.getvalue()


def prepared(image: Image.Image, wanted: Preprocessing, orientation: int = 1) -> Picture:
    return decode(png(image, orientation), wanted, PictureLimits())


def photographs(count: int) -> list[Image.Image]:
    """Return photographs of random sizes, wide and high."""
    random = np.random.default_rng(224)
    return [
        Image.fromarray(picture).resize((int(width), int(height)))
        for picture, (width, height) in zip(
            derived_pictures(count), random.integers(60, 1200, (count, 2)), strict=True
        )
    ]


def shorter_side(image: Image.Image, size: int, crop: float, by: Image.Resampling) -> Image.Image:
    """Return the picture as torchvision's ``Resize`` and ``CenterCrop`` leave it, with Pillow."""
    side = math.floor(size / crop)
    width, height = image.size
    if width <= height:
        image = image.resize((side, int(side * height / width)), by)
    else:
        image = image.resize((int(side * width / height), side), by)
    left, top = (round((length - size) / 2.0) for length in image.size)
    return image.crop((left, top, left + size, top + size))


def fitted(image: Image.Image, size: int) -> Image.Image:
    """Return the picture as the code that Teachable Machine exports leaves it."""
    return ImageOps.fit(image, (size, size), Image.Resampling.LANCZOS)


@pytest.mark.parametrize(
    ("name", "reference", "largest"),
    [
        ("torchvision", lambda image: shorter_side(image, 224, 0.875, BILINEAR), 1),
        ("timm", lambda image: shorter_side(image, 224, 0.875, BICUBIC), 2),
        ("ultralytics", lambda image: shorter_side(image, 224, 1.0, BILINEAR), 1),
        ("teachable-machine", lambda image: fitted(image, 224), 0),
    ],
)
def test_a_preset_is_the_pillow_code_of_its_library(
    name: PresetName, reference: Any, largest: int
) -> None:
    differences = [
        np.abs(np.asarray(reference(image), np.int16) - prepared(image, preset(name)))
        for image in photographs(10)
    ]
    assert max(each.max() for each in differences) <= largest
    assert np.mean([(each > 0).mean() for each in differences]) < 0.06


def torchvision_sees(image: Image.Image) -> Any:
    models = pytest.importorskip("torchvision.models", exc_type=ImportError)
    return models.ResNet18_Weights.IMAGENET1K_V1.transforms()(image)


def timm_sees(image: Image.Image) -> Any:
    data = pytest.importorskip("timm.data", exc_type=ImportError)
    model = pytest.importorskip("timm").create_model("efficientnet_lite0")
    return data.create_transform(**data.resolve_data_config({}, model=model))(image)


@pytest.mark.parametrize(
    ("name", "library", "largest"),
    [("torchvision", torchvision_sees, 1), ("timm", timm_sees, 2)],
)
def test_a_preset_is_what_its_library_sees(name: PresetName, library: Any, largest: int) -> None:
    """With the library itself, where it is installed: it brings PyTorch."""
    wanted = preset(name)
    differences = [
        np.abs(
            255 * (np.moveaxis(library(image).numpy(), 0, -1) * wanted.std + wanted.mean)
            - prepared(image, wanted)
        )
        for image in photographs(10)
    ]
    assert max(each.max() for each in differences) < largest + 0.01
    assert np.mean([(each > 0.5).mean() for each in differences]) < 0.06


def tensorflow_sees(image: Image.Image, method: str) -> npt.NDArray[np.floating]:
    tf = pytest.importorskip("tensorflow")
    found = tf.image.resize(np.asarray(image), (200, 224), method=method, antialias=False)
    return np.asarray(np.clip(found.numpy(), 0, 255))


@pytest.mark.slow
@pytest.mark.parametrize("resize", ["bilinear", "bicubic", "lanczos"])
def test_without_antialiasing_tensorflow_gives_the_same(resize: Resize) -> None:
    """As ``keras.utils.image_dataset_from_directory``, the preset ``keras``."""
    method = "lanczos3" if resize == "lanczos" else resize
    wanted = Preprocessing(200, width=224, resize=resize, antialias=False)
    for image in photographs(8):
        found = prepared(image, wanted)
        assert found.shape == wanted.shape == (200, 224, 3)
        assert np.abs(tensorflow_sees(image, method) - found).max() < 0.55


@pytest.mark.parametrize("antialias", [True, False])
def test_without_antialiasing_fine_stripes_are_sampled(antialias: bool) -> None:
    stripes = Image.fromarray(np.tile(np.array([[[0] * 3, [200] * 3]], np.uint8), (64, 32, 1)))
    found = prepared(stripes, Preprocessing(21, antialias=antialias))
    assert bool(np.ptp(found[10].astype(int)) < 80) is antialias


def test_a_letterbox_keeps_the_whole_picture_and_has_its_color_beside_it() -> None:
    wide = Image.new("RGB", (400, 100), "red")
    wanted = Preprocessing(40, width=80, fit="letterbox", color=(1, 2, 3))
    found = prepared(wide, wanted)
    assert found.shape == (40, 80, 3)
    assert np.all(found[10:30] == (255, 0, 0))
    assert np.all(found[:10] == (1, 2, 3))
    assert np.all(found[30:] == (1, 2, 3))


@pytest.mark.parametrize("fit", ["stretch", "shorter_side", "crop", "letterbox"])
@pytest.mark.parametrize("antialias", [True, False])
@pytest.mark.parametrize("size", [(97, 300), (300, 97), (1, 2000), (2000, 1)])
def test_a_picture_on_its_side_is_seen_as_the_upright_one(
    fit: Any, antialias: bool, size: tuple[int, int]
) -> None:
    wanted = Preprocessing(33, width=64, fit=fit, antialias=antialias)
    image = photographs(1)[0].resize(size)
    upright = prepared(image, wanted)
    assert upright.shape == (33, 64, 3)
    # 6: the stored picture must be turned clockwise to be upright.
    turned = prepared(image.transpose(Image.Transpose.ROTATE_90), wanted, orientation=6)
    # A central part may begin one pixel further to the other side.
    close = np.abs(upright.astype(int) - turned).mean()
    assert close < (1 if fit in ("stretch", "letterbox") else 12)


@pytest.mark.parametrize("antialias", [True, False])
def test_what_is_invisible_gives_no_color(antialias: bool) -> None:
    pixels = np.zeros((8, 8, 4), np.uint8)
    pixels[:, :4] = (200, 0, 0, 255)
    pixels[:, 4:] = (0, 255, 0, 0)  # green, fully transparent
    found = prepared(Image.fromarray(pixels), Preprocessing(16, antialias=antialias))
    assert np.all(found[:, :, 1] == found[:, :, 2])


@pytest.mark.parametrize(
    "fields",
    [
        {"fit": "letterbox", "crop": 0.5},
        {"resize": "tf1_bilinear", "fit": "crop"},
        {"resize": "tf1_bilinear", "width": 3},
    ],
)
def test_fields_that_do_not_fit_each_other_are_refused(fields: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="must be"):
        Preprocessing(32, **fields)
