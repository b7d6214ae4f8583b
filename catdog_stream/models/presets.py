"""Input formats of well-known libraries: how each of them prepares a picture by default.

============================  ===================================================================
``torchvision``               ``Resize``, ``CenterCrop``, ``ToTensor`` and ``Normalize`` of the
                              ImageNet weights of torchvision
``timm``                      ``create_transform`` of timm for validation
``keras``                     ``image_dataset_from_directory``; the network scales the values itself
``ultralytics``               ``classify_transforms`` of Ultralytics
``teachable-machine``         the code that Teachable Machine exports beside a Keras model
============================  ===================================================================
"""

from typing import Literal

import msgspec

from catdog_stream.models.preprocessing import Preprocessing

__all__ = ["PRESETS", "PresetName", "preset"]

PresetName = Literal["torchvision", "timm", "keras", "ultralytics", "teachable-machine"]

_IMAGENET = Preprocessing(
    224,
    fit="shorter_side",
    crop=0.875,
    range=(0, 1),
    mean=(0.485, 0.456, 0.406),
    std=(0.229, 0.224, 0.225),
    layout="NCHW",
)

PRESETS: dict[PresetName, Preprocessing] = {
    "torchvision": _IMAGENET,
    "timm": msgspec.structs.replace(_IMAGENET, resize="bicubic"),
    "keras": Preprocessing(224, antialias=False, range=(0, 255)),
    "ultralytics": Preprocessing(224, fit="shorter_side", range=(0, 1), layout="NCHW"),
    "teachable-machine": Preprocessing(224, fit="crop", resize="lanczos"),
}


def preset(name: PresetName, size: int | None = None, width: int | None = None) -> Preprocessing:
    """Return the input format of a library, for a network of ``size`` pixels.

    Args:
        name: the library.
        size: height of the input, and width of a square one; by default the library's.
        width: width of the input, if it is not ``size``.
    """
    wanted = PRESETS[name]
    return msgspec.structs.replace(wanted, size=size or wanted.size, width=width)
