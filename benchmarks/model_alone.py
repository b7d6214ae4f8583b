"""Upper limit: decode, backbone and head on pictures in memory, without Kafka.

    python -m benchmarks.model_alone DIR COUNT

Prints JSON: ``pictures_per_s``, and seconds of CPU time for each picture, ``cpu_s``.
"""

import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import orjson

from benchmarks.pictures import pictures
from catdog_stream.models.pictures import Picture
from catdog_stream.models.stacks.stack import ModelStack
from catdog_stream.settings import Settings
from catdog_stream.worker.inference import load_stack

__all__ = ["measure"]

#: Pictures in one call of the model: enough that its threads seldom wait for each other.
BATCH = 32


def measure(files: list[bytes]) -> dict[str, float]:
    """Measure from the first answers to the last, as the label benchmarks do."""
    if len(files) <= BATCH:
        raise SystemExit(f"More than {BATCH} pictures are needed.")
    stack = load_stack(Settings.from_environment())
    stack.warm_up()
    batches = _decoded(stack, files)
    stack.classify(next(batches))
    began, cpu = time.perf_counter(), time.process_time()
    for batch in batches:
        stack.classify(batch)
    seconds, cpu = time.perf_counter() - began, time.process_time() - cpu
    stack.close()
    count = len(files) - BATCH
    return {"pictures_per_s": count / seconds, "cpu_s": cpu / count}


def _decoded(stack: ModelStack, files: list[bytes]) -> Iterator[list[Picture]]:
    """Yield batches; a thread decodes the next batch while the model classifies the current one."""
    with ThreadPoolExecutor(1) as decoder:
        batches = [files[index : index + BATCH] for index in range(0, len(files), BATCH)]
        coming = [decoder.submit(stack.prepare, file) for file in batches[0]]
        for following in [*batches[1:], []]:
            batch = coming
            coming = [decoder.submit(stack.prepare, file) for file in following]
            yield [future.result() for future in batch]


if __name__ == "__main__":
    print(orjson.dumps(measure(pictures(Path(sys.argv[1]), int(sys.argv[2])))).decode())
