"""The input format of a stack's network: size, crop, resizing filter and range of the values.

``pictures.decode`` crops and resizes each picture once. The engine scales the values, since
pictures are queued and transferred as bytes.
"""

from typing import Annotated, Literal

from msgspec import Meta, Struct

from catdog_stream.documents import written

__all__ = ["Preprocessing", "Resize"]

Resize = Literal["bilinear", "bicubic", "tf1_bilinear"]
"""Filter: as in Pillow, which averages when it makes a picture smaller; or as in TensorFlow 1,
which TF-Slim's checkpoints expect (``tf1_resizing``)."""

_LARGEST = 1_000_000
#: A whole number is written as an integer: a manifest has ``-1``, not ``-1.0``.
_End = (
    Annotated[int, Meta(ge=-_LARGEST, le=_LARGEST)]
    | Annotated[float, Meta(ge=-_LARGEST, le=_LARGEST)]
)


class Preprocessing(Struct, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    """Parameters that turn a picture into the network's input: the object ``input`` of a manifest.

    The input is square.
    """

    size: Annotated[int, Meta(ge=1)]
    """Width and height, in pixels."""
    channels: Literal["RGB"] = written("RGB")
    resize: Resize = written("bilinear")
    crop: Annotated[float, Meta(gt=0, le=1)] = 1.0
    """Central share of the width and of the height that is kept."""
    range: tuple[_End, _End] = written((-1, 1))
    """The input values for the pixel values 0 and 255; values between them are interpolated."""

    def __post_init__(self) -> None:
        """Raise ``ValueError`` for a range that does not ascend."""
        if not self.range[0] < self.range[1]:
            raise ValueError("range must begin with the smaller number")

    @property
    def divisor(self) -> float:
        """The divisor of pixel values: ``pixel / divisor + range[0]`` is the network's input."""
        low, high = self.range
        return 255 / (high - low)
