"""The backbone on TensorFlow, for GPUs; on a CPU it is the reference.

This module imports TensorFlow, so it is imported only when it is needed. On a GPU every call of the
network has the same batch size, and smaller batches are padded, since a kernel for another size may
round differently. The batch size is given, or found by timing when the network is loaded. On a CPU
each call has one picture: without AVX-512, the third picture of three is rounded differently from
the first.
"""

import contextlib
import io
import os
import threading
import warnings
from collections.abc import Collection, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from catdog_stream.errors import StackError
from catdog_stream.models.engines.backbone import (
    Batch,
    Features,
    are_features,
    in_padded_calls,
)
from catdog_stream.models.engines.batch_search import best_batch, fastest
from catdog_stream.models.engines.networks import NetworkName, build_network
from catdog_stream.models.preprocessing import Preprocessing

# Before the import: TensorFlow logs its build and its devices at every start.
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

import tensorflow as tf

Input = npt.NDArray[np.float32]
"""A network's input for a picture, shape [height, width, 3]."""


def has_gpu() -> bool:
    """Return if TensorFlow finds a GPU on this machine."""
    return bool(tf.config.list_physical_devices("GPU"))


def to_litert(network: Any, calibration: Sequence[Input] = ()) -> bytes:
    """Convert ``network`` to a LiteRT model with int8 weights; its input is one float32 picture.

    Without ``calibration`` LiteRT uses dynamic-range quantization: the input of a layer is
    converted to eight bits at run time, and depthwise convolutions compute in float. With
    ``calibration`` the outputs of all layers have eight bits, in the range that was observed, which
    is twice as fast for networks of small layers.

    Args:
        network: a Keras network.
        calibration: the inputs of some hundred typical pictures.
    """
    converter = tf.lite.TFLiteConverter.from_keras_model(network)
    converter.optimizations = [tf.lite.Optimize.DEFAULT]
    if calibration:
        converter.representative_dataset = lambda: ([each[np.newaxis]] for each in calibration)
    # Keras prints the path of a temporary copy, and TensorFlow warns about the float input.
    with contextlib.redirect_stdout(io.StringIO()), warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)
        flatbuffer: bytes = converter.convert()
    return flatbuffer


class TensorFlowBackbone:
    """Network with the Keras weights in ``file``, computed in float32. Thread-safe.

    Args:
        file: weights of any float type, or a whole ``.keras`` model.
        network: the architecture of weights.
        preprocessing: the input format.
        features: number of features.
        threads: number of CPU threads.
        batch: number of pictures in every call on a GPU; without it, the smallest number with full
            throughput. The constructor runs a batch of this size. On a CPU it is always 1.

    Raises:
        StackError: the file does not fit the network, or a batch does not fit into memory.
    """

    name = "tensorflow"
    output_step = 0.0

    def __init__(
        self,
        file: Path,
        network: NetworkName,
        preprocessing: Preprocessing,
        features: int | Collection[int],
        *,
        threads: int,
        batch: int | None = None,
    ) -> None:
        _configure(threads)
        built = _load(file, network, preprocessing)
        self._features = built.output_shape[-1]
        if not are_features(self._features, features):
            raise StackError(f"{file} gives {self._features} features, not those of its manifest.")
        self.on_gpu = has_gpu()
        self._picture_shape = preprocessing.shape
        self._lock = threading.Lock()

        def compute(pictures: Any) -> Any:
            return built(preprocessing.scaled(tf.cast(pictures, tf.float32)), training=False)

        # The batch size is left open, so that the search builds one graph for all sizes.
        signature = tf.TensorSpec((None, *self._picture_shape), tf.uint8)
        self._run = tf.function(compute, input_signature=[signature])
        self.batch_size = self._prepare(batch if self.on_gpu else 1)
        self._input = np.zeros((self.batch_size, *self._picture_shape), np.uint8)

    def features(self, pictures: Batch) -> Features:
        """Return the features of each picture, the same bits whatever else is in the batch."""
        with self._lock:
            return in_padded_calls(
                pictures,
                self._features,
                self.batch_size,
                self._input.__setitem__,
                lambda: self._run(self._input).numpy(),
            )

    def close(self) -> None:
        """Do nothing: TensorFlow keeps its threads until the process ends."""

    def _prepare(self, batch: int | None) -> int:
        """Run a batch of the given size, or find the best size; return the size."""
        try:
            if batch is None:
                return best_batch(self._seconds)
            self._seconds(batch)
        except MemoryError as error:
            raise StackError(
                f"TensorFlow has no memory for {batch or 1} pictures at once; "
                "CATDOG_BATCH or the manifest can ask for fewer."
            ) from error
        return batch

    def _seconds(self, size: int) -> float:
        """Return the seconds for a batch of ``size``. Raises ``MemoryError`` if it does not fit."""
        pictures = np.zeros((size, *self._picture_shape), np.uint8)
        try:
            return fastest(lambda: self._run(pictures).numpy())
        except tf.errors.ResourceExhaustedError as error:
            raise MemoryError(f"no memory for {size} pictures") from error


def _load(file: Path, network: NetworkName, wanted: Preprocessing) -> Any:
    """Return the Keras network of ``file``. Raises ``StackError`` if it takes another input."""
    if (wanted.layout, wanted.dtype) != ("NHWC", "float32"):
        raise StackError(f"{file}: TensorFlow's networks take NHWC and float32.")
    if file.suffix != ".keras":
        return _with_weights(file, network, wanted)
    import keras

    try:
        # In safe mode Keras refuses code in the file, such as a Lambda layer.
        model = keras.saving.load_model(file, compile=False, safe_mode=True)
        found = model.input_shape
        fits = len(found) == 4 and all(
            side in (None, expected) for side, expected in zip(found[1:], wanted.shape, strict=True)
        )
    except Exception as error:
        # Keras raises any exception for damaged bytes.
        raise StackError(f"Keras cannot read {file} as a model that is safe.") from error
    if not fits or len(model.outputs) != 1:
        raise StackError(
            f"{file} takes {found} and has {len(model.outputs)} outputs; its manifest says "
            f"{(None, *wanted.shape)}, and one output is read."
        )
    return model


def _with_weights(file: Path, network: NetworkName, wanted: Preprocessing) -> Any:
    """Return a known architecture with the weights in ``file``. Raises ``StackError``."""
    if wanted.width not in (None, wanted.size):
        raise StackError(f"{file}: the network {network} takes square pictures.")
    built = build_network(network, wanted.size)
    try:
        built.load_weights(file)
    except (OSError, ValueError, KeyError) as error:
        raise StackError(f"TensorFlow cannot read {file} as weights of this network.") from error
    return built


def _configure(threads: int) -> None:
    """Make TensorFlow deterministic, and set the number of CPU threads.

    TensorFlow keeps the number of threads of the first network in the process.
    """
    tf.config.experimental.enable_op_determinism()
    if tf.config.threading.get_intra_op_parallelism_threads() == threads:
        return
    # RuntimeError: TensorFlow already computes, and the number is fixed. It affects only the speed.
    with contextlib.suppress(RuntimeError):
        tf.config.threading.set_intra_op_parallelism_threads(threads)
        tf.config.threading.set_inter_op_parallelism_threads(1)
