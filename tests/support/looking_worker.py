"""Worker whose classifier costs almost nothing: red pictures are cats, the others dogs."""

from collections.abc import Sequence

from catdog_stream.app import app, main
from catdog_stream.models.pictures import Picture, PictureLimits, decode
from catdog_stream.models.preprocessing import Preprocessing
from catdog_stream.models.verdict import Verdict
from catdog_stream.settings import Settings
from catdog_stream.testing import InstantClassifier


class Looking(InstantClassifier):
    """Classifier that decodes pictures as a stack does and classifies them by color."""

    def __init__(self, settings: Settings) -> None:
        super().__init__({"cat": 0.5, "dog": 0.5})
        self._limits = PictureLimits(settings.max_image_bytes, settings.max_image_pixels)

    def prepare(self, data: bytes) -> Picture:
        """Return a square of 299 pixels."""
        return decode(data, Preprocessing(299), self._limits)

    def classify(self, pictures: Sequence[Picture]) -> list[Verdict]:
        """Return verdicts: the more red a picture has, the higher the score of the cat."""
        return [self._verdict_on(picture) for picture in pictures]

    def _verdict_on(self, picture: Picture) -> Verdict:
        red, green, blue = (float(part) + 1 for part in picture[::16, ::16].mean(axis=(0, 1)))
        cat = min(max(0.5 + 4 * (red / (red + green + blue) - 0.38), 0.001), 0.999)
        return Verdict({"cat": cat, "dog": 1 - cat}, "instant 1")


if __name__ == "__main__":
    app.inference.load = Looking
    main()
