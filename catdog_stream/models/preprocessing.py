"""The input format of a stack's network: the object ``input`` of a manifest.

::

    {"size": 224, "fit": "shorter_side", "crop": 0.875, "resize": "bilinear", "channels": "RGB",
     "range": [0, 1], "mean": [0.485, 0.456, 0.406], "std": [0.229, 0.224, 0.225],
     "layout": "NCHW", "dtype": "float32"}

``pictures.decode`` crops and resizes each picture once, to RGB bytes (``resizing``). The engine
computes the values of the network's input from the bytes, since pictures are queued and transferred
as bytes. ``presets`` has the formats of well-known libraries.
"""

from typing import Annotated, Any, Literal

from msgspec import Meta, Struct

from catdog_stream.documents import written

__all__ = ["DType", "Preprocessing", "Resize"]

Resize = Literal["nearest", "bilinear", "bicubic", "lanczos", "box", "tf1_bilinear"]
"""Filter: as in Pillow; or as in TensorFlow 1, which TF-Slim's checkpoints expect
(``tf1_resizing``)."""
DType = Literal["float32", "float16", "uint8", "int8"]

_LARGEST = 1_000_000
#: A whole number is written as an integer: a manifest has ``-1``, not ``-1.0``.
_Number = (
    Annotated[int, Meta(ge=-_LARGEST, le=_LARGEST)]
    | Annotated[float, Meta(ge=-_LARGEST, le=_LARGEST)]
)
_Positive = Annotated[int, Meta(gt=0, le=_LARGEST)] | Annotated[float, Meta(gt=0, le=_LARGEST)]
_Byte = Annotated[int, Meta(ge=0, le=255)]
_Side = Annotated[int, Meta(ge=1)]


class Preprocessing(Struct, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    """Parameters that turn a picture into the network's input: the object ``input`` of a manifest.

    The value of a channel is ``(p - mean) / std``, where ``p`` is the pixel value in ``range``.
    Integer inputs get the nearest integer; those of a quantized LiteRT file are quantized as the
    file says.
    """

    size: _Side
    """Height in pixels, and also the width of a square input."""
    channels: Literal["RGB", "BGR"] = written("RGB")
    """Order of the channels of the network's input."""
    resize: Resize = written("bilinear")
    crop: Annotated[float, Meta(gt=0, le=1)] = 1.0
    """Central share of the width and of the height that is kept."""
    range: tuple[_Number, _Number] = written((-1, 1))
    """The input values for the pixel values 0 and 255; values between them are interpolated."""
    width: _Side | None = None
    """Width in pixels, if it is not ``size``."""
    fit: Literal["stretch", "shorter_side", "crop", "letterbox"] = "stretch"
    """Way to make a picture of another aspect ratio fit (``resizing``)."""
    color: tuple[_Byte, _Byte, _Byte] = (114, 114, 114)
    """Red, green and blue beside a picture in a letterbox."""
    antialias: bool = True
    """False: a picture that is made smaller is sampled, not averaged."""
    mean: tuple[_Number, _Number, _Number] = (0, 0, 0)
    """Mean of each channel, in the order of ``channels``."""
    std: tuple[_Positive, _Positive, _Positive] = (1, 1, 1)
    """Standard deviation of each channel, in the order of ``channels``."""
    layout: Literal["NHWC", "NCHW"] = "NHWC"
    """Axes of the network's input: N pictures, H height, W width, C channels."""
    dtype: DType = "float32"
    """Type of the network's input."""

    def __post_init__(self) -> None:
        """Raise ``ValueError`` for fields that do not fit each other."""
        if not self.range[0] < self.range[1]:
            raise ValueError("range must begin with the smaller number")
        if self.fit == "letterbox" and self.crop != 1:
            raise ValueError("crop must be 1 with a letterbox, which keeps the whole picture")
        if self.resize == "tf1_bilinear" and (self.fit != "stretch" or self.width is not None):
            raise ValueError("fit must be stretch, to a square, with the filter tf1_bilinear")

    @property
    def shape(self) -> tuple[int, int, int]:
        """The shape of a prepared picture: height, width, 3."""
        return self.size, self.width or self.size, 3

    @property
    def network_shape(self) -> tuple[int, int, int]:
        """The shape of the network's input for one picture, in its layout."""
        height, width, channels = self.shape
        return self.shape if self.layout == "NHWC" else (channels, height, width)

    @property
    def divisor(self) -> float:
        """The divisor of pixel values: ``pixel / divisor + range[0]`` lies in ``range``."""
        low, high = self.range
        return 255 / (high - low)

    @property
    def has_statistics(self) -> bool:
        """True if ``mean`` and ``std`` change the values of ``range``."""
        return self.mean != (0, 0, 0) or self.std != (1, 1, 1)

    def scaled(self, pixels: Any) -> Any:
        """Return the values of the input for ``pixels``, RGB from 0 to 255, [..., 3].

        ``pixels`` is a float tensor of TensorFlow, so that the network computes the values.
        """
        if self.channels == "BGR":
            pixels = pixels[..., ::-1]
        values = pixels / self.divisor + self.range[0]
        return (values - self.mean) / self.std if self.has_statistics else values
