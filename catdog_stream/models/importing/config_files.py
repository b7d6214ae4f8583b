"""Reader of the files that libraries write beside a model.

``config.json`` and ``preprocessor_config.json`` of Hugging Face, ``config.json`` of timm, and the
``labels.txt`` of Teachable Machine and of TensorFlow Lite.
"""

import json
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

from catdog_stream.errors import InputError
from catdog_stream.models.importing.class_names import MAX_BYTES, names_in_document, names_in_text
from catdog_stream.models.importing.network import Facts

__all__ = ["facts_beside"]

#: Numbers of Pillow's filters, and timm's names.
_FILTERS = {0: "nearest", 1: "lanczos", 2: "bilinear", 3: "bicubic", 4: "box"}
#: Of ConvNeXt: pictures of this size or more are not cropped.
_UNCROPPED = 384


def facts_beside(model: Path, given: Path) -> Iterator[Facts]:
    """Yield the facts in the files beside ``model``, and in the folder ``given``.

    Raises ``InputError`` if a file is damaged, or wants something that a stack cannot do.
    """
    folders = [model.parent, given] if given.is_dir() and given != model else [model.parent]
    readers: dict[str, Callable[[str], tuple[tuple[str, ...], dict[str, Any]]]] = {
        "config.json": lambda text: _config(json.loads(text)),
        "preprocessor_config.json": lambda text: ((), _huggingface(json.loads(text))),
        "labels.txt": lambda text: (names_in_text(text), {}),
    }
    for folder in dict.fromkeys(folders):
        for name, read in readers.items():
            file = folder / name
            if file.is_file():
                try:
                    with file.open("rb") as stream:
                        classes, fields = read(stream.read(MAX_BYTES).decode())
                except (ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
                    raise InputError(f"{file} cannot be used: {error}.") from error
                except OSError as error:
                    raise InputError(f"{file} cannot be read: {error.strerror}.") from error
                yield Facts(str(file), classes, fields)


def _config(config: Mapping[str, Any]) -> tuple[tuple[str, ...], dict[str, Any]]:
    """Return the classes and fields in ``config.json``: of timm with ``pretrained_cfg``."""
    wanted = config.get("pretrained_cfg", config)
    names = config.get("label_names") or wanted.get("label_names") or config.get("id2label")
    return names_in_document(names) if names else (), _timm(wanted)


def _timm(wanted: Mapping[str, Any]) -> dict[str, Any]:
    """Return the fields in timm's ``pretrained_cfg``; empty for another config."""
    if "crop_pct" not in wanted or "interpolation" not in wanted:
        return {}
    mode = wanted.get("crop_mode", "center")
    if mode not in ("center", "squash"):
        raise ValueError(f"crop_mode {mode!r} is not supported")
    _, height, width = wanted["input_size"]
    return {
        "size": height,
        "width": width,
        "fit": "stretch" if mode == "squash" else "shorter_side",
        "crop": min(1.0, wanted["crop_pct"]),
        "resize": wanted["interpolation"],
        "range": (0, 1),
        "mean": wanted["mean"],
        "std": wanted["std"],
        "layout": "NCHW",
    }


def _huggingface(wanted: Mapping[str, Any]) -> dict[str, Any]:
    """Return the fields in ``preprocessor_config.json``."""
    high = 255 * wanted.get("rescale_factor", 1 / 255) if wanted.get("do_rescale", True) else 255
    low = -1 if wanted.get("rescale_offset") else 0
    number = wanted.get("resample", 2)
    if number not in _FILTERS:
        raise ValueError(f"resample {number!r} is not supported")
    fields = {"range": (low, round(low + high, 9)), "layout": "NCHW", "resize": _FILTERS[number]}
    if wanted.get("do_flip_channel_order"):
        fields["channels"] = "BGR"
    if wanted.get("do_normalize", "image_mean" in wanted):
        std = wanted["image_std"]
        # EfficientNet divides by the deviation twice.
        square = bool(wanted.get("include_top"))
        fields |= {"mean": wanted["image_mean"], "std": [s * s for s in std] if square else std}
    return fields | _geometry(wanted)


def _geometry(wanted: Mapping[str, Any]) -> dict[str, Any]:
    """Return size, fit and crop."""
    crops = wanted.get("do_center_crop", False)
    size = wanted.get("size", 224)
    if isinstance(size, int):
        square = {"height": size, "width": size}
        size = {"shortest_edge": size} if crops or "crop_pct" in wanted else square
    crop = wanted.get("crop_size", size) if crops else size
    if isinstance(crop, int):
        crop = {"height": crop, "width": crop}
    height, width = (crop.get(side, crop.get("shortest_edge")) for side in ("height", "width"))
    fields = {"size": height, "width": width, "fit": "stretch"}
    if "shortest_edge" not in size:
        return fields | {"crop": height / size["height"]}
    short = size["shortest_edge"]
    share = wanted.get("crop_pct", min(height, width) / short)
    if "crop_pct" in wanted and short >= _UNCROPPED:
        return fields
    return fields | {"fit": "shorter_side", "crop": share}
