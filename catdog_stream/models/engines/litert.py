"""The backbone on LiteRT, for CPUs.

Each call of the network has one picture, so the features never depend on the batch. Parallel
interpreters with one thread each have a higher throughput than one interpreter with all threads.
For a single picture, one interpreter with all threads has the shorter latency. Both kinds exist,
and both compute the same bits. README.md in the stack's directory has the measurements.
"""

import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from queue import SimpleQueue

import numpy as np
import numpy.typing as npt

from catdog_stream.errors import StackError
from catdog_stream.models.engines.backbone import Batch, Features
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
        features: int,
        *,
        threads: int,
        batch: int | None = None,
    ) -> None:
        try:
            # One copy in memory for all interpreters; given a path, each would map the file again.
            network = file.read_bytes()
        except OSError as error:
            raise StackError(f"{file} cannot be read: {error.strerror}.") from error
        try:
            interpreters = [_Interpreter(network, preprocessing, 1) for _ in range(threads)]
            # With one thread, the other interpreter does the same.
            self._wide = _Interpreter(network, preprocessing, threads) if threads > 1 else None
        except (ValueError, RuntimeError) as error:
            raise StackError(f"LiteRT cannot read {file} as a model.") from error
        _check_shapes(file, interpreters[0], preprocessing.size, features)
        self.batch_size = batch or _busy_batch(threads)
        self._features = features
        self._idle: SimpleQueue[_Interpreter] = SimpleQueue()
        for interpreter in interpreters:
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
        result = np.empty((len(pictures), self._features), np.float32)
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
        (network_output,) = self._interpreter.get_output_details()
        self.input_shape: list[int] = network_input["shape"].tolist()
        self.output_shape: list[int] = network_output["shape"].tolist()
        self._preprocessing = preprocessing
        self._input, self._output = network_input["index"], network_output["index"]

    def run(self, picture: npt.NDArray[np.uint8]) -> Features:
        """Return the features, float32 [features], of one picture, uint8 [size, size, 3]."""
        # Writes into the network's own memory, which saves a copy of 1 MB. LiteRT refuses to
        # compute while a view of its memory exists.
        scale(picture, self._preprocessing, out=self._interpreter.tensor(self._input)()[0])
        self._interpreter.invoke()
        result: Features = self._interpreter.get_tensor(self._output)[0]
        return result


def scale(
    picture: npt.NDArray[np.uint8], wanted: Preprocessing, out: npt.NDArray[np.float32]
) -> None:
    """Write the network's input for ``picture`` into ``out``."""
    np.divide(picture, np.float32(wanted.divisor), out=out, dtype=np.float32)
    np.add(out, np.float32(wanted.range[0]), out=out)


def scaled(picture: npt.NDArray[np.uint8], wanted: Preprocessing) -> npt.NDArray[np.float32]:
    """Return the network's input for ``picture``, float32 in the same shape."""
    result = np.empty(picture.shape, np.float32)
    scale(picture, wanted, out=result)
    return result


def _check_shapes(file: Path, interpreter: _Interpreter, input_size: int, features: int) -> None:
    expected = ([1, input_size, input_size, 3], [1, features])
    found = (interpreter.input_shape, interpreter.output_shape)
    if found != expected:
        raise StackError(
            f"{file} maps {found[0]} to {found[1]}, its manifest says {expected[0]} to "
            f"{expected[1]}."
        )
