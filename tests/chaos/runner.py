"""Runner: a cluster, workers, load and faults for a while; then a check of every request."""

import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from threading import Event, Timer
from typing import Any

from catdog_stream.errors import Reason
from catdog_stream.testing.worker import Worker
from tests.chaos.answers import Answers, committed_requests
from tests.chaos.counts import NOTHING, true_counts
from tests.chaos.faults import LANES
from tests.chaos.lane import Lane
from tests.chaos.load import Load
from tests.chaos.replicas import wait_for_replicas
from tests.chaos.report import Findings, table
from tests.chaos.topologies import TOPOLOGIES, Part
from tests.support.cluster import Cluster, own_cluster

__all__ = ["run"]

_STOPPED = Reason.STOPPED_WORKERS.value
#: Seconds for the last answers, after everything is repaired.
ANSWERED = 180.0
#: Seconds until the counts must be correct.
COUNTED = 90.0


def run(
    folder: Path,
    values: Sequence[bytes],
    *,
    topology: str = "workers",
    seed: int,
    seconds: float,
    tell: Callable[[str], None],
) -> Findings:
    """Run the system under faults for ``seconds`` and return the findings.

    Args:
        folder: for data and logs.
        values: requests to send, each of which is answered with a label.
        topology: a key of ``TOPOLOGIES``.
        seed: seed of all random choices; the scheduling of threads and processes stays random.
        seconds: duration of the load, in seconds.
        tell: receives each line of the report.
    """
    findings = Findings()
    with ExitStack() as stack:
        cluster = stack.enter_context(own_cluster(folder / "cluster", proxied=True))
        parts = TOPOLOGIES[topology]
        workers = [
            stack.enter_context(
                Worker(cluster.address, folder, settings=settings, module=part.module)
            )
            for part, settings in zip(parts, _settings(cluster, parts), strict=True)
        ]
        counting = [each for each, part in zip(workers, parts, strict=True) if part.counts]
        for worker in workers:
            worker.wait_ready()
        answers = stack.enter_context(Answers(cluster.address))
        over = Event()
        stack.callback(over.set)
        here, *others = lanes = _lanes(cluster, workers, seed, over)
        with Load(cluster.address, values) as load:
            timer = Timer(seconds, over.set)
            stack.callback(timer.cancel)
            timer.start()
            for lane in others:
                lane.start()
            here.run()
            for lane in others:
                lane.join()
            if here.failure is not None:
                raise here.failure  # without its brokers the cluster has no data to check
            wait_for_replicas(cluster)
        findings.broken += [f"{lane.failure}" for lane in lanes if lane.failure is not None]
        findings.broken += [
            f"A worker ended by itself with status {worker.process.returncode}: {worker.log}."
            for worker in workers
            if worker.process.poll() is not None
        ]
        truth = committed_requests(cluster.address)
        _compare(truth, answers, load, findings)
        counts = _counts(
            counting,
            lambda shown: true_counts(answers.verdicts.copy(), answers.reasons.copy(), shown),
            findings,
        )
        # A worker that is killed while it processes one request alone, after others have died at
        # the same place, costs that request a rejection: docs/guarantee.md names this exception.
        findings.stopped = counts["rejected"]
        kills = sum(fault.kind == "worker_killed" for lane in lanes for fault in lane.happened)
        if findings.stopped > kills:
            findings.broken.append(f"{findings.stopped} rejected for {kills} killed workers.")
        for worker in workers:
            worker.kill()
        fresh = counting[0].start().wait_ready()
        _counts([fresh], lambda _: counts, findings)
        happened = [fault for lane in lanes for fault in lane.happened]
        first = {source: min(times) for source, times in answers.labels.items()}
        for line in table(happened, load.confirmed, first):
            tell(line)
    return findings


def _settings(cluster: Cluster, parts: Sequence[Part]) -> list[dict[str, str]]:
    ways = [cluster.setting] * (len(parts) - 1) + [cluster.proxied_setting]
    return [{**part.settings, "CATDOG_BROKER": way} for part, way in zip(parts, ways, strict=True)]


def _lanes(
    cluster: Cluster, workers: Sequence[Worker], seed: int, over: Event
) -> tuple[Lane, Lane, Lane]:
    """Return the lane of the brokers first: only the main thread can start brokers."""
    first, second, third = (
        Lane(LANES[name], f"{seed} {name}", cluster, workers, over)
        for name in ("brokers", "workers", "network")
    )
    return first, second, third


def _compare(truth: set[str], answers: Answers, load: Load, findings: Findings) -> None:
    """Check that each request has a label, and that there are no other labels."""
    deadline = time.monotonic() + ANSWERED
    while truth - answers.sources and time.monotonic() < deadline:
        time.sleep(0.1)
    findings.requests = len(truth)
    findings.published_twice = sum(len(times) > 1 for times in answers.labels.values())
    for what, sources in (
        ("confirmed by Kafka and not there", load.confirmed.keys() - truth),
        ("unanswered", truth - answers.sources),
        ("rejected", {s for s, told in answers.reasons.items() if told != {_STOPPED}}),
        ("answered though aborted", answers.sources - truth),
        ("with two verdicts", {s for s, found in answers.verdicts.items() if len(found) > 1}),
    ):
        if sources:
            findings.broken.append(f"{len(sources)} {what}: {sorted(sources)[:5]}.")


def _counts(
    workers: Sequence[Worker],
    truth: Callable[[Mapping[str, Any]], Mapping[str, Any]],
    findings: Findings,
) -> Mapping[str, Any]:
    """Check that all workers show the true counts, and return these.

    ``truth`` returns the true counts for the counts that a worker shows.
    """
    deadline = time.monotonic() + COUNTED
    while True:
        shown = [_shown(worker) for worker in workers]
        counts = truth(shown[0] or NOTHING)
        if all(each == counts for each in shown):
            return counts
        if time.monotonic() > deadline:
            findings.broken += [_difference(counts, each) for each in shown]
            return counts
        time.sleep(0.2)


def _difference(truth: Mapping[str, Any], shown: Mapping[str, Any] | None) -> str:
    if shown is None:
        return "A worker shows no counts."
    names = sorted(truth["labels"].keys() | shown["labels"].keys())
    pairs = {name: (truth["labels"].get(name, 0), shown["labels"].get(name, 0)) for name in names}
    differ = [
        f"{name}: {there}, counted {found}"
        for name, (there, found) in pairs.items()
        if there != found
    ]
    sums = f"{truth['total']} + {truth['rejected']}, counted {shown['total']} + {shown['rejected']}"
    return f"Counts differ: {sums}; {'; '.join(differ[:10])}."


def _shown(worker: Worker) -> dict[str, Any] | None:
    try:
        counts = worker.get("/labels/")
    except OSError:
        return None
    return {key: counts[key] for key in ("total", "rejected", "labels")}
