"""What a stack's network wants a picture to be: how large, which part of it, and in which numbers.

Cutting and resizing is done once, by ``pictures.decode``; the numbers are made by the engine, since
pictures wait and travel as bytes.
"""

from dataclasses import dataclass
from typing import Any, Literal, get_args

__all__ = ["Preprocessing", "Resize"]

Resize = Literal["bilinear", "bicubic", "tf1_bilinear"]
"""As Pillow does it, averaging where a picture is made smaller; or as TensorFlow 1 did, which
TF-Slim's checkpoints are used to (``tf1_resizing``)."""


@dataclass(frozen=True, slots=True)
class Preprocessing:
    """From a picture to the network's input: RGB, square."""

    size: int
    """Width and height, in pixels."""
    resize: Resize = "bilinear"
    crop: float = 1.0
    """Share of the width and of the height that is kept, in the middle; above 0, at most 1."""
    range: tuple[float, float] = (-1.0, 1.0)
    """What the pixel values 0 and 255 become; all others lie on the line between them."""

    @property
    def divisor(self) -> float:
        """A pixel value divided by it, plus the lower end of ``range``, is the network's input."""
        low, high = self.range
        return 255 / (high - low)

    def as_json(self) -> dict[str, Any]:
        """The object ``input`` of a manifest."""
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
    """``-1`` rather than ``-1.0``, as people write it."""
    return int(number) if number.is_integer() else number
