"""Small real classifier: dark or light, by the mean of a picture that it scales down itself."""

import io
from collections.abc import Sequence

import numpy as np
from PIL import Image

from catdog_stream.errors import Reason, RejectedRequest
from catdog_stream.models.pictures import Picture
from catdog_stream.models.verdict import Verdict

BATCH = 3


class Shade:
    """Classifier with the classes dark and light.

    Args:
        name: its name; its version is "1".
        size: width and height of the pictures that it prepares; it accepts no other size.
        bias: added to the mean, which is 0 to 1; a larger bias makes pictures lighter, and -1 makes
            all of them dark.
        classes: its classes, in any order.
    """

    version, engine = "1", "numpy"
    batch_size, on_gpu = BATCH, False

    def __init__(
        self,
        name: str = "shade",
        size: int = 4,
        bias: float = 0.0,
        classes: Sequence[str] = ("dark", "light"),
    ) -> None:
        self.name, self.classes = name, tuple(classes)
        self._size, self._bias = size, bias
        self.warm = self.closed = False

    def prepare(self, data: bytes) -> Picture:
        try:
            image = Image.open(io.BytesIO(data)).convert("RGB")
        except OSError as error:
            raise RejectedRequest(Reason.NOT_AN_IMAGE, f"{self.name} cannot read it.") from error
        return np.asarray(image.resize((self._size, self._size)))

    def classify(self, pictures: Sequence[Picture]) -> list[Verdict]:
        assert not self.closed, "it was closed while a request was open"
        return [self._verdict(picture) for picture in pictures]

    def _verdict(self, picture: Picture) -> Verdict:
        assert picture.shape == (self._size, self._size, 3), "another one prepared it"
        light = min(max(float(picture.mean()) / 255 + self._bias, 0.0), 1.0)
        scores = {"dark": 1 - light, "light": light}
        return Verdict({name: scores[name] for name in self.classes}, f"{self.name} {self.version}")

    def warm_up(self) -> None:
        self.warm = True

    def close(self) -> None:
        self.closed = True


def grey(brightness: int) -> bytes:
    """Return a picture file of one shade, 0 to 255."""
    out = io.BytesIO()
    Image.new("RGB", (16, 16), (brightness,) * 3).save(out, "PNG")
    return out.getvalue()
