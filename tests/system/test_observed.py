"""Tests of a worker's metrics, its log, and the traces of its requests."""

import asyncio
import json
import re
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from socket import socket
from typing import Any

import pytest
from opentelemetry.proto.trace.v1.trace_pb2 import Span, Status

from catdog_stream import __version__, deadlines
from catdog_stream.pipeline.timings import MOST_IN_QUEUE
from catdog_stream.testing.waiting import wait_until
from catdog_stream.testing.worker import Worker
from tests.support.client import Client, Message, header, request
from tests.support.collector import Collector, attributes, collecting
from tests.support.metrics import samples
from tests.support.pictures import LOOKING

pytestmark = [pytest.mark.integration, pytest.mark.long]

TRACE, PARENT = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"
TRACEPARENT = ("traceparent", f"00-{TRACE}-{PARENT}-01".encode())
PARTITIONS = 8
HELD = 7
#: Stage to True if unreadable requests go through it, too.
STAGES = {
    "thread": True,
    "reading": True,
    "batch": False,
    "model": False,
    "order": True,
    "publishing": True,
}


@dataclass
class Scene:
    """Worker with a gate before its model, and its observers."""

    worker: Worker
    collector: Collector
    cluster_readiness: Path
    broker: str

    def metric(self, name: str, **labels: str) -> float:
        """Return the sum of a metric's samples with these labels."""
        return sum(self.samples(name, **labels))

    def samples(self, name: str, **labels: str) -> list[float]:
        """Return a metric's samples with these labels."""
        found = samples(self.worker.port, name)
        return [value for of, value in found if labels.items() <= of.items()]

    def log(self) -> list[dict[str, Any]]:
        """Return each complete line of the worker's log so far."""
        lines = self.worker.log.read_text().split("\n")[:-1]
        return [json.loads(line) for line in lines]


@pytest.fixture(scope="module")
def scene(broker_address: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    folder = tmp_path_factory.mktemp("observed")
    cluster_readiness = folder / "open"
    cluster_readiness.touch()
    with collecting() as collector:
        settings = {
            "CATDOG_LOG_FORMAT": "json",
            "CATDOG_TRACES": collector.address,
            "CATDOG_TEST_GATE": str(cluster_readiness),
            "CATDOG_INFERENCE_TIMEOUT": "120",
            "OTEL_BSP_SCHEDULE_DELAY": "100",
        }
        module = "tests.support.holding_worker"
        with Worker(broker_address, folder, settings=settings, module=module) as worker:
            worker.wait_ready()
            yield Scene(worker, collector, cluster_readiness, broker_address)


def test_lag_is_what_is_not_answered_yet(scene: Scene, cat: bytes) -> None:
    async def scenario() -> None:
        async with Client(scene.broker) as client:
            # An unknown lag is not exported, and the end of a foreign transaction counts until it
            # was read.
            wait_until(
                lambda: scene.samples("catdog_lag") == [0.0] * PARTITIONS,
                "what others left to be answered",
            )
            scene.cluster_readiness.unlink()
            try:
                sources = await client.send([Message(request(cat), partition=2)] * HELD)
                wait_until(
                    lambda: scene.metric("catdog_lag", partition="2") == HELD, "the lag to be seen"
                )
                assert scene.metric("catdog_lag") == HELD
            finally:
                scene.cluster_readiness.touch()
            await client.answers(sources)
            wait_until(lambda: scene.metric("catdog_lag") == 0, "no lag to be left")

    asyncio.run(scenario())


def test_the_stages_of_a_request_make_up_its_time(scene: Scene, cat: bytes) -> None:
    async def scenario() -> None:
        async with Client(scene.broker) as client:
            await client.answers(await client.send([request(cat)] * 20 + [b"not JSON"] * 3))

    before = {stage: scene.metric("catdog_stage_seconds_count", stage=stage) for stage in STAGES}
    answered = scene.metric("catdog_request_seconds_count")
    asyncio.run(scenario())
    wait_until(
        lambda: scene.metric("catdog_request_seconds_count") >= answered + 23,
        "the answers to be counted",
    )
    after = {stage: scene.metric("catdog_stage_seconds_count", stage=stage) for stage in STAGES}
    for stage, everyone in STAGES.items():
        assert after[stage] - before[stage] == (23 if everyone else 20), stage
    parts, whole = (
        scene.metric("catdog_stage_seconds_sum"),
        scene.metric("catdog_request_seconds_sum"),
    )
    assert parts == pytest.approx(whole, rel=1e-6)


def test_the_time_in_kafka_begins_with_the_time_of_the_record(scene: Scene, cat: bytes) -> None:
    hour = 3600
    ages = (2 * hour, -hour, 50 * 365 * 24 * hour)  # the others have invalid times

    async def scenario() -> None:
        async with Client(scene.broker) as client:
            now = time.time()
            await client.answers(
                await client.send(
                    Message(request(cat), timestamp_ms=round((now - age) * 1000)) for age in ages
                )
            )

    name = "catdog_queue_seconds"
    seconds, number = scene.metric(f"{name}_sum"), scene.metric(f"{name}_count")
    asyncio.run(scenario())
    wait_until(lambda: scene.metric(f"{name}_count") >= number + len(ages), "the answers to count")
    assert scene.metric(f"{name}_count") == number + len(ages)
    waited = scene.metric(f"{name}_sum") - seconds
    assert waited == pytest.approx(2 * hour + MOST_IN_QUEUE, abs=60)


def test_a_worker_names_its_version(scene: Scene) -> None:
    assert scene.metric("catdog_build_info", version=__version__) == 1


def test_each_line_of_the_log_is_json_and_tells_whose_request_it_is_about(scene: Scene) -> None:
    async def scenario() -> str:
        async with Client(scene.broker) as client:
            (source,) = await client.send([b'{"data": "\xe2\x80\xa8\\n{\\"level\\": 1}"}'])
            await client.answers([source])
            return source

    source = asyncio.run(scenario())
    about = [line for line in scene.log() if line.get("source") == source]
    assert len(about) == 1
    assert about[0].keys() == {"time", "level", "logger", "message", "source"}
    assert about[0]["level"] == "WARNING"
    assert about[0]["message"].startswith(f"{source} rejected: bad_base64: ")
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", about[0]["time"])
    assert any(line["message"].endswith("Ready") for line in scene.log())


def test_spans_of_a_request_arrive_in_the_trace_of_who_sent_it(scene: Scene, cat: bytes) -> None:
    async def scenario() -> tuple[str, str]:
        async with Client(scene.broker) as client:
            good, bad = await client.send(
                [
                    Message(request(cat), headers=[TRACEPARENT], partition=1),
                    Message(b"?", headers=[TRACEPARENT], partition=1),
                ]
            )
            await client.answers([good, bad])
            assert header(client.labels[good][0], "traceparent") == TRACEPARENT[1].decode()
            return good, bad

    good, bad = asyncio.run(scenario())

    def arrived() -> bool:
        return sum(span.name == "classify" for span in scene.collector.of_trace(TRACE)) == 2

    wait_until(arrived, "the spans to arrive")
    spans = scene.collector.of_trace(TRACE)
    first, second = (span for span in spans if span.name == "classify")
    assert {span.parent_span_id.hex() for span in (first, second)} == {PARENT}
    assert first.kind == Span.SPAN_KIND_CONSUMER
    topic, partition, offset = good.split("/")
    assert attributes(first) == {
        "messaging.system": "kafka",
        "messaging.operation.type": "process",
        "messaging.destination.name": topic,
        "messaging.destination.partition.id": partition,
        "messaging.kafka.offset": int(offset),
        "catdog.verdict": attributes(first)["catdog.verdict"],
        "catdog.stack": "instant 1",
    }
    assert attributes(second)["catdog.reason"] == "not_json"
    assert attributes(second)["messaging.kafka.offset"] == int(bad.split("/")[2])
    assert second.status.code == Status.STATUS_CODE_ERROR
    inside = [span for span in spans if span.parent_span_id == first.span_id]
    assert [span.name for span in inside] == list(STAGES)
    assert inside[0].start_time_unix_nano == first.start_time_unix_nano
    assert inside[-1].end_time_unix_nano == first.end_time_unix_nano
    assert scene.collector.services == {"catdog_stream"}


def test_a_collector_that_never_answers_holds_up_nobody(
    broker_address: str, tmp_path: Path, cat: bytes
) -> None:
    async def scenario() -> None:
        async with Client(broker_address) as client:
            await client.answers(await client.send([request(cat)] * 5))

    with socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        settings = {"CATDOG_TRACES": f"http://127.0.0.1:{silent.getsockname()[1]}"}
        with Worker(broker_address, tmp_path, settings=settings, module=LOOKING) as worker:
            worker.wait_ready()
            asyncio.run(scenario())
            assert worker.terminate(deadlines.STOP) == 0


def test_a_worker_that_cannot_start_says_so_in_json(tmp_path: Path) -> None:
    settings = {"CATDOG_LOG_FORMAT": "json", "CATDOG_STACK": str(tmp_path / "nothing here")}
    with Worker("127.0.0.1:1", tmp_path, settings=settings) as worker:
        assert worker.process.wait(60) == 1
    lines = [json.loads(line) for line in worker.log.read_text().splitlines()]
    assert lines[-1]["level"] == "CRITICAL"
    assert "There is no model stack at" in lines[-1]["message"]
