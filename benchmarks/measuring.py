"""Throughput with a backlog, and its cost in CPU time."""

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from statistics import median

from benchmarks.backlog import create_topics, names, queue, skip_what_is_there
from benchmarks.labels import Arrival, Labels
from benchmarks.processes import Meter, Program, cpu_meter

__all__ = ["Pace", "median_cpu", "pace", "ratios", "work_off"]

_LOG_BYTES = 4000


@dataclass(frozen=True)
class Pace:
    """Throughput between two moments of a run."""

    per_s: float
    #: Seconds of CPU time for each picture, by process or thread.
    cpu_s: Mapping[str, float]


async def work_off(
    address: str,
    group: str,
    files: Sequence[bytes],
    start: Callable[[], AbstractContextManager[Program]],
    *,
    by_thread: bool = False,
    prefix: str = "",
    raw: bool = False,
) -> Pace:
    """Queue requests with these picture ``files``, start a program, and time its labels.

    Args:
        address: ``host:port`` of the broker.
        group: the program's consumer group, which has no member yet.
        files: pictures of the requests.
        start: starts the program; the block's end stops it.
        by_thread: add the CPU times of the program's threads.
        prefix: beginning of the urls of the requests.
        raw: requests are picture files instead of JSON.

    Returns:
        The pace from the first label to the last.
    """
    await create_topics(address)
    await skip_what_is_there(address, group)
    urls = names(len(files), prefix)
    await queue(address, urls, files, raw=raw)
    async with Labels(address, urls) as labels:
        with start() as program:
            try:
                meter = cpu_meter(address, [program], by_thread=by_thread)
                return await pace(labels, await labels.until(1), meter)
            except RuntimeError as error:
                error.add_note(program.log.read_text(errors="replace")[-_LOG_BYTES:])
                raise


async def pace(labels: Labels, since: Arrival, meter: Meter) -> Pace:
    """Wait for the last label, and return the pace since ``since``, which must be now."""
    before = meter()
    last = await labels.until(labels.expected)
    after = meter()
    count = last.count - since.count
    return Pace(
        per_s=count / (last.seconds - since.seconds),
        # A thread may have started or ended meanwhile.
        cpu_s={name: (after[name] - before.get(name, 0.0)) / count for name in after},
    )


def median_cpu(paces: Sequence[Pace]) -> Mapping[str, float]:
    """Return the median seconds of CPU time for each picture over several rounds."""
    return {name: median(pace.cpu_s.get(name, 0.0) for pace in paces) for name in paces[0].cpu_s}


def ratios(paces: Sequence[Pace], others: Sequence[Pace]) -> list[float]:
    """Return the throughput of each round relative to that of ``others`` in the same round."""
    return [pace.per_s / other.per_s for pace, other in zip(paces, others, strict=True)]
