"""The input format of a stack's network: size, crop, resizing filter and range of the values.

``pictures.decode`` crops and resizes each picture once. The engine scales the values, since
pictures are queued and transferred as bytes.
"""

from dataclasses import dataclass
from typing import Any, Literal, get_args

__all__ = ["Preprocessing", "Resize"]

Resize = Literal["bilinear", "bicubic", "tf1_bilinear"]
"""Filter: as in Pillow, which averages when it makes a picture smaller; or as in TensorFlow 1,
which TF-Slim's checkpoints expect (``tf1_resizing``)."""


@dataclass(frozen=True, slots=True)
class Preprocessing:
    """Parameters that turn a picture into the network's input, which is RGB and square."""

    size: int
    """Width and height, in pixels."""
    resize: Resize = "bilinear"
    crop: float = 1.0
    """Central share of the width and of the height that is kept; above 0, at most 1."""
    range: tuple[float, float] = (-1.0, 1.0)
    """The input values for the pixel values 0 and 255; values between them are interpolated."""

    @property
    def divisor(self) -> float:
        """The divisor of pixel values: ``pixel / divisor + range[0]`` is the network's input."""
        low, high = self.range
        return 255 / (high - low)

    def as_json(self) -> dict[str, Any]:
        """Return the object ``input`` of a manifest."""
        document: dict[str, Any] = {"size": self.size, "channels": "RGB", "resize": self.resize}
        if self.crop != 1:
            document["crop"] = self.crop
        return {**document, "range": [_whole(end) for end in self.range]}

    @classmethod
    def parse(cls, document: Any) -> "Preprocessing":
        """Read the object ``input`` of a manifest. Raises ``ValueError``, ``TypeError``."""
        if not isinstance(document, dict):
            raise TypeError("input must be an object")
        if unknown := document.keys() - {"size", "channels", "resize", "crop", "range"}:
            raise ValueError(f"input has the unknown {sorted(unknown)}")
        size, crop = document.get("size"), document.get("crop", 1)
        if not isinstance(size, int) or isinstance(size, bool) or size < 1:
            raise ValueError("input.size must be a whole number of at least 1")
        if document.get("channels") != "RGB":
            raise ValueError("input.channels must be RGB")
        if document.get("resize") not in get_args(Resize):
            raise ValueError(f"input.resize must be one of {', '.join(get_args(Resize))}")
        if not _is_number(crop) or not 0 < crop <= 1:
            raise ValueError("input.crop must be a number above 0, and 1 at most")
        ends = document.get("range")
        if not isinstance(ends, list) or len(ends) != 2 or not all(map(_is_number, ends)):
            raise ValueError("input.range must be two numbers")
        if not ends[0] < ends[1]:
            raise ValueError("input.range must begin with the smaller number")
        return cls(size, document["resize"], float(crop), (float(ends[0]), float(ends[1])))


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _whole(number: float) -> float:
    """Return a whole number as an integer: a manifest has ``-1``, not ``-1.0``."""
    return int(number) if number.is_integer() else number
