"""The limit: decode, backbone and head on pictures in memory, with no Kafka around them."""

import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import orjson

from benchmarks.harness import pictures
from catdog_stream.classifying import MAX_BATCH, load_stack
from catdog_stream.settings import Settings

__all__ = ["measure"]


def measure(files: list[bytes]) -> float:
    """Pictures per second. The next batch is decoded while the model works on this one."""
    stack = load_stack(Settings.from_environment())
    stack.warm_up()
    batches = [files[index : index + MAX_BATCH] for index in range(0, len(files), MAX_BATCH)]
    with ThreadPoolExecutor(1) as decoder:
        started = time.perf_counter()
        coming = decoder.submit(lambda: [stack.prepare(file) for file in batches[0]])
        for index in range(len(batches)):
            batch = coming.result()
            if index + 1 < len(batches):
                following = batches[index + 1]
                coming = decoder.submit(
                    lambda files=following: [stack.prepare(file) for file in files]  # type: ignore[misc]
                )
            stack.classify(batch)
        return len(files) / (time.perf_counter() - started)


if __name__ == "__main__":
    print(orjson.dumps(measure(pictures(Path(sys.argv[1]), int(sys.argv[2])))).decode())
