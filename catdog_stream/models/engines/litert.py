"""The network on LiteRT, for CPUs.

Each call of the network has one picture, so the features never depend on the batch. Parallel
interpreters with one thread each have a higher throughput than one interpreter with all threads.
For a single picture, one interpreter with all threads has the shorter latency. Both kinds exist,
and both compute the same bits. README.md in the stack's directory has the measurements.
"""

import math
import threading
from collections.abc import Collection, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from queue import SimpleQueue
from typing import Any

import numpy as np
import numpy.typing as npt

from catdog_stream.errors import StackError
from catdog_stream.models.engines.backbone import Batch, Features, are_features, chosen_outputs
from catdog_stream.models.engines.inputs import Quantization, write_input
from catdog_stream.models.preprocessing import Preprocessing

#: Least pictures in a batch. Two batches are computed at a time; with smaller ones the threads were
#: idle more often, on two cores.
_FEWEST_IN_BATCH = 8
#: Least pictures per thread in a batch, so that the others compensate for a slow thread.
_FEWEST_PER_THREAD = 2


class LiteRTBackbone:
    """Backbone that computes ``threads`` pictures at a time, for any batch size. Thread-safe."""

    name = "litert"
    on_gpu = False

    def __init__(
        self,
        file: Path,
        preprocessing: Preprocessing,
        features: int | Collection[int],
        *,
        outputs: Sequence[str] = (),
        threads: int,
        batch: int | None = None,
    ) -> None:
        try:
            # One copy in memory for all interpreters; given a path, each would map the file again.
            network = file.read_bytes()
        except OSError as error:
            raise StackError(f"{file} cannot be read: {error.strerror}.") from error
        try:
            made = [_Interpreter(network, preprocessing, 1) for _ in range(threads)]
            # With one thread, the other interpreter does the same.
            self._wide = _Interpreter(network, preprocessing, threads) if threads > 1 else None
        except (ValueError, RuntimeError) as error:
            raise StackError(f"LiteRT cannot read {file} as a model.") from error
        for interpreter in (*made, *([self._wide] if self._wide else [])):
            interpreter.choose(file, outputs)
        _check(file, made[0], preprocessing, features)
        self.output_step = made[0].output_step
        self.batch_size = batch or _busy_batch(threads)
        self._columns = made[0].columns
        self._idle: SimpleQueue[_Interpreter] = SimpleQueue()
        for interpreter in made:
            self._idle.put(interpreter)
        self._wide_lock = threading.Lock()
        self._pool = ThreadPoolExecutor(threads, thread_name_prefix="litert")

    def features(self, pictures: Batch) -> Features:
        """Return the features of each picture, the same bits whatever else is in the batch."""
        if len(pictures) == 1 and self._wide is not None and self._wide_lock.acquire(False):
            try:
                return self._wide.run(pictures[0])[np.newaxis]
            finally:
                self._wide_lock.release()
        result = np.empty((len(pictures), self._columns), np.float32)
        for row, vector in enumerate(self._pool.map(self._run_on_idle, pictures)):
            result[row] = vector
        return result

    def close(self) -> None:
        """End the threads. The backbone cannot be used afterwards."""
        self._pool.shutdown(cancel_futures=True)

    def _run_on_idle(self, picture: npt.NDArray[np.uint8]) -> Features:
        interpreter = self._idle.get()
        try:
            return interpreter.run(picture)
        finally:
            self._idle.put(interpreter)


def _busy_batch(threads: int) -> int:
    """Return a multiple of ``threads``, so that every thread has a picture in the last round."""
    return threads * max(_FEWEST_PER_THREAD, -(-_FEWEST_IN_BATCH // threads))


class _Interpreter:
    """LiteRT interpreter for one picture at a time. Releases the GIL while it computes."""

    def __init__(self, network: bytes, preprocessing: Preprocessing, threads: int) -> None:
        from ai_edge_litert.interpreter import Interpreter

        self._interpreter = Interpreter(model_content=network, num_threads=threads)
        self._interpreter.allocate_tensors()
        (network_input,) = self._interpreter.get_input_details()
        self.input_shape: list[int] = network_input["shape"].tolist()
        self.input_type: str = network_input["dtype"].__name__
        self._preprocessing = preprocessing
        self._input, self._quantization = network_input["index"], _quantization(network_input)
        self._outputs: list[tuple[int, Quantization | None]] = []
        self.columns = 0
        """Number of values in the chosen outputs."""
        self.output_step = 0.0
        """Distance between neighbouring values of the first chosen output; 0 for floats."""

    def choose(self, file: Path, names: Sequence[str]) -> None:
        """Choose the outputs to read. Raises ``StackError`` if there is no such output."""
        details = {each["name"]: each for each in self._interpreter.get_output_details()}
        chosen = [details[name] for name in chosen_outputs(file, list(details), names)]
        self._outputs = [(each["index"], _quantization(each)) for each in chosen]
        self.columns = sum(math.prod(each["shape"].tolist()) for each in chosen)
        first = self._outputs[0][1]
        self.output_step = first.scale if first else 0.0

    def run(self, picture: npt.NDArray[np.uint8]) -> Features:
        """Return the values of the outputs, float32 [columns], for one prepared picture."""
        # Writes into the network's own memory, which saves a copy of 1 MB. LiteRT refuses to
        # compute while a view of its memory exists.
        target = self._interpreter.tensor(self._input)()[0]
        write_input(picture, self._preprocessing, target, self._quantization)
        del target
        self._interpreter.invoke()
        values = [self._values(index, quantization) for index, quantization in self._outputs]
        return values[0] if len(values) == 1 else np.concatenate(values)

    def _values(self, index: int, quantization: Quantization | None) -> Features:
        values: npt.NDArray[Any] = self._interpreter.get_tensor(index).reshape(-1)
        if quantization is not None:
            values = (values.astype(np.float32) - quantization.zero_point) * quantization.scale
        return values.astype(np.float32, copy=False)


def _quantization(tensor: Mapping[str, Any]) -> Quantization | None:
    scale, zero_point = tensor["quantization"]
    return Quantization(float(scale), int(zero_point)) if scale else None


def _check(
    file: Path, interpreter: _Interpreter, wanted: Preprocessing, features: int | Collection[int]
) -> None:
    expected = f"{wanted.dtype} {[1, *wanted.network_shape]}"
    found = f"{interpreter.input_type} {interpreter.input_shape}"
    if found != expected or not are_features(interpreter.columns, features):
        said = " or ".join(
            str([1, each]) for each in ([features] if isinstance(features, int) else features)
        )
        raise StackError(
            f"{file} maps {found} to {[1, interpreter.columns]}, its manifest says {expected} to "
            f"{said}."
        )
