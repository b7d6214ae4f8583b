"""The backbone run by TensorFlow, on GPUs; on a CPU it is the reference.

No other module imports TensorFlow, and this one is imported only when it is needed. Every call of
the network has the same batch size, smaller batches are padded: a kernel chosen for another size
may round differently.
"""

import contextlib
import io
import os
import threading
from pathlib import Path
from typing import Any

import numpy as np

from catdog_stream.errors import StackError
from catdog_stream.models.backbone import Features, Pictures

# Before the import: TensorFlow logs its build and its devices at every start.
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

import keras
import tensorflow as tf

# A GPU needs this many pictures to be busy; a CPU is busy with one.
_GPU_BATCH = 16
_CPU_BATCH = 1


def has_gpu() -> bool:
    """Whether TensorFlow can compute on a GPU here."""
    return bool(tf.config.list_physical_devices("GPU"))


def build_network(input_size: int, dtype: str = "float32") -> Any:
    """Inception V3 without its top, of the given float type, with weights yet to be loaded.

    The architecture of Szegedy et al., "Rethinking the Inception Architecture for Computer
    Vision" (2015), as Keras builds it; output: 2,048 features, the global average of ``mixed10``.
    """
    before = keras.config.dtype_policy()
    keras.config.set_dtype_policy(dtype)
    try:
        return keras.applications.InceptionV3(
            weights=None, include_top=False, pooling="avg", input_shape=(input_size, input_size, 3)
        )
    finally:
        keras.config.set_dtype_policy(before)


def to_litert(network: Any) -> bytes:
    """``network`` for LiteRT: one float32 picture in -1 to 1 at a time, weights of int8.

    LiteRT's dynamic-range quantisation: the weights are stored in eight bits, and inputs of each
    layer are quantised while it runs.
    """
    converter = tf.lite.TFLiteConverter.from_keras_model(network)
    converter.optimizations = [tf.lite.Optimize.DEFAULT]
    # Keras prints where it keeps a temporary copy.
    with contextlib.redirect_stdout(io.StringIO()):
        flatbuffer: bytes = converter.convert()
    return flatbuffer


class TensorFlowBackbone:
    """The Keras weights in ``file``, of any float type, computed in float32. Thread-safe."""

    name = "tensorflow"

    def __init__(self, file: Path, input_size: int, features: int, *, threads: int) -> None:
        _use_threads(threads)
        network = build_network(input_size)
        try:
            network.load_weights(file)
        except (OSError, ValueError, KeyError) as error:
            raise StackError(
                f"TensorFlow cannot read {file} as weights of this network."
            ) from error
        if network.output_shape != (None, features):
            raise StackError(f"{file} does not give {features} features as its manifest says.")
        self._batch = _GPU_BATCH if has_gpu() else _CPU_BATCH
        self._picture_shape = (input_size, input_size, 3)
        self._features = features
        self._lock = threading.Lock()

        def compute(pictures: Any) -> Any:
            return network(tf.cast(pictures, tf.float32) / 127.5 - 1.0, training=False)

        signature = tf.TensorSpec((self._batch, *self._picture_shape), tf.uint8)
        self._run = tf.function(compute, input_signature=[signature])

    def features(self, pictures: Pictures) -> Features:
        result = np.empty((len(pictures), self._features), np.float32)
        with self._lock:
            for start in range(0, len(pictures), self._batch):
                chunk = pictures[start : start + self._batch]
                padded = np.zeros((self._batch, *self._picture_shape), np.uint8)
                padded[: len(chunk)] = chunk
                result[start : start + len(chunk)] = self._run(padded).numpy()[: len(chunk)]
        return result

    def close(self) -> None:
        """Nothing to free: TensorFlow keeps its threads until the process ends."""


def _use_threads(threads: int) -> None:
    """Hold TensorFlow to ``threads`` CPU threads; the first network in a process decides."""
    if tf.config.threading.get_intra_op_parallelism_threads() == threads:
        return
    # RuntimeError: already computing. The number is fixed from then on, and changes speed alone.
    with contextlib.suppress(RuntimeError):
        tf.config.threading.set_intra_op_parallelism_threads(threads)
        tf.config.threading.set_inter_op_parallelism_threads(1)
