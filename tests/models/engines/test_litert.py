"""Tests of LiteRT's specialty: pictures are scaled directly into the network's memory."""

import numpy as np

from catdog_stream.models.engines.litert import scale
from catdog_stream.models.preprocessing import Preprocessing


def test_scaling_in_place_gives_the_same_bits_as_the_formula() -> None:
    values = np.arange(256, dtype=np.uint8).reshape(16, 16)
    scaled = np.full(values.shape, np.nan, np.float32)
    scale(values, Preprocessing(16), out=scaled)
    formula = values.astype(np.float32) / np.float32(127.5) - np.float32(1)
    assert scaled.tobytes() == formula.tobytes()
    assert (scaled.min(), scaled.max()) == (-1, 1)
