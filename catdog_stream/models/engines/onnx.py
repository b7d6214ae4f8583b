"""The network on ONNX Runtime, for CPUs, and for other devices by their execution providers.

This module imports ONNX Runtime, so it is imported only when it is needed. Every call of the
network has the same number of pictures, and smaller batches are padded, since a kernel for another
size may round differently. The file may fix the number. Otherwise it is given, or found by timing
when the network is loaded.
"""

import threading
from collections.abc import Collection, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime

from catdog_stream.errors import StackError
from catdog_stream.models.engines.backbone import (
    Batch,
    Features,
    are_features,
    chosen_outputs,
    in_padded_calls,
)
from catdog_stream.models.engines.batch_search import best_batch, fastest
from catdog_stream.models.engines.inputs import write_input
from catdog_stream.models.pictures import Picture
from catdog_stream.models.preprocessing import Preprocessing

_CPU = "CPUExecutionProvider"
#: Providers that compute on the cores of the CPU.
_ON_CORES = {_CPU, "OpenVINOExecutionProvider", "DnnlExecutionProvider", "XnnpackExecutionProvider"}
_TYPES = {
    "tensor(float)": "float32",
    "tensor(float16)": "float16",
    "tensor(uint8)": "uint8",
    "tensor(int8)": "int8",
}
#: Only fatal errors are logged: the others are exceptions.
_FATAL = 4


class OnnxBackbone:
    """Network of an ``.onnx`` file. Thread-safe.

    Args:
        file: a network with one input, of float32, float16, uint8 or int8, with its weights.
        preprocessing: the input format.
        features: number of values that the outputs have for a picture, or the allowed numbers.
        outputs: names of the outputs to read; by default the only one.
        threads: number of CPU threads.
        batch: number of pictures in every call, unless the file fixes it; without it, the smallest
            number with full throughput.
        provider: name of the execution provider, such as ``cuda`` or ``CUDAExecutionProvider``.

    Raises:
        StackError: the file cannot be loaded or does not fit, or the provider is not installed.
    """

    name = "onnx"
    output_step = 0.0

    def __init__(
        self,
        file: Path,
        preprocessing: Preprocessing,
        features: int | Collection[int],
        *,
        outputs: Sequence[str] = (),
        threads: int,
        batch: int | None = None,
        provider: str = "cpu",
    ) -> None:
        self._session = _session(file, threads, _installed(provider))
        self.on_gpu = self._session.get_providers()[0] not in _ON_CORES
        self._preprocessing = preprocessing
        fixed = _check_input(file, self._session.get_inputs(), preprocessing)
        self._input_name = self._session.get_inputs()[0].name
        present = [output.name for output in self._session.get_outputs()]
        self._outputs = chosen_outputs(file, present, outputs)
        self._lock = threading.Lock()
        self._columns = 0
        self.batch_size = self._prepare(file, fixed or batch)
        if not are_features(self._columns, features):
            raise StackError(
                f"{file} gives {self._columns} values for a picture, not those of its manifest."
            )
        self._input = self._zeros(self.batch_size)

    def features(self, pictures: Batch) -> Features:
        """Return the outputs for each picture, the same bits whatever else is in the batch."""
        with self._lock:
            return in_padded_calls(
                pictures,
                self._columns,
                self.batch_size,
                self._write,
                lambda: self._run(self._input),
            )

    def close(self) -> None:
        """Do nothing: the threads and the memory end with the session."""

    def _write(self, row: int, picture: Picture) -> None:
        write_input(picture, self._preprocessing, self._input[row])

    def _zeros(self, size: int) -> Any:
        shape = self._preprocessing.network_shape
        return np.zeros((size, *shape), self._preprocessing.dtype)

    def _run(self, values: Any) -> Features:
        """Return the chosen outputs side by side, float32 [n, columns]."""
        found = self._session.run(self._outputs, {self._input_name: values})
        rows = [np.asarray(each, np.float32).reshape(len(values), -1) for each in found]
        return rows[0] if len(rows) == 1 else np.concatenate(rows, axis=1)

    def _prepare(self, file: Path, batch: int | None) -> int:
        """Run a batch of the given size, or find the best size; return the size."""
        try:
            first = self._run(self._zeros(batch or 1))
            self._columns = first.shape[1]
            return batch or best_batch(self._seconds)
        except Exception as error:
            # Its exceptions have no common type.
            raise StackError(
                f"ONNX Runtime cannot compute {file} with {batch or 1} pictures at once: "
                f"{_sentence(error)}."
            ) from error

    def _seconds(self, size: int) -> float:
        """Return the seconds for a batch of ``size``. Raises ``MemoryError`` if it fails."""
        values = self._zeros(size)
        try:
            return fastest(lambda: self._run(values))
        except Exception as error:
            # No memory; or a network that computes single pictures only.
            raise MemoryError(f"no memory for {size} pictures") from error


def _installed(provider: str) -> str:
    """Return ONNX Runtime's name of a provider. Raises ``StackError`` if it is not installed."""
    present: list[str] = onnxruntime.get_available_providers()
    named = {each.lower().removesuffix("executionprovider"): each for each in present}
    wanted = provider.lower().removesuffix("executionprovider")
    if wanted not in named:
        raise StackError(
            f"CATDOG_ONNX_PROVIDER={provider} is not installed; this ONNX Runtime has "
            f"{', '.join(named)}."
        )
    return named[wanted]


def _session(file: Path, threads: int, provider: str) -> Any:
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads, options.inter_op_num_threads = threads, 1
    options.use_deterministic_compute = True
    options.log_severity_level = _FATAL
    # Idle threads wait; spinning, they would take the cores from decoding.
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    try:
        # As bytes: weights in further files, which the manifest does not list, are not read.
        network = file.read_bytes()
        session = onnxruntime.InferenceSession(network, options, providers=[provider])
    except OSError as error:
        raise StackError(f"{file} cannot be read: {error.strerror}.") from error
    except Exception as error:
        raise StackError(
            f"ONNX Runtime cannot read {file} as a model: {_sentence(error)}."
        ) from error
    if session.get_providers()[0] != provider:
        raise StackError(f"ONNX Runtime cannot use {provider} on this machine.")
    return session


def _check_input(file: Path, inputs: Sequence[Any], wanted: Preprocessing) -> int | None:
    """Return the fixed number of pictures of a call, or ``None``. Raises ``StackError``."""
    if len(inputs) != 1:
        names = ", ".join(each.name for each in inputs)
        raise StackError(f"{file} has the inputs {names}; a network here has one input.")
    (found,) = inputs
    dtype = _TYPES.get(found.type, found.type)
    shape = found.shape if len(found.shape) == 4 else [None, *found.shape]
    fits = len(found.shape) == 4 and all(
        not isinstance(side, int) or side == expected
        for side, expected in zip(shape[1:], wanted.network_shape, strict=True)
    )
    if not fits or dtype != wanted.dtype:
        raise StackError(
            f"{file} takes {dtype} {found.shape}, its manifest says {wanted.dtype} "
            f"{['N', *wanted.network_shape]}."
        )
    return shape[0] if isinstance(shape[0], int) and shape[0] > 0 else None


def _sentence(error: Exception) -> str:
    """Return the first line of a message."""
    return (str(error).strip().splitlines() or [type(error).__name__])[0].rstrip(".")
