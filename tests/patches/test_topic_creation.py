"""Tests of the creation of a topic while a broker fails."""

import asyncio
import uuid
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from aiokafka import AIOKafkaProducer
from aiokafka.errors import NodeNotReadyError
from faust.transport.drivers.aiokafka import Transport

from catdog_stream.app import build_app
from catdog_stream.kafka.cluster import topic_partitions
from catdog_stream.patches import topic_creation
from catdog_stream.settings import Settings
from catdog_stream.testing.brokers import own_broker

pytestmark = pytest.mark.integration

DEADLINE = 60.0


@pytest.mark.long
def test_a_topic_is_made_as_soon_as_a_broker_that_died_is_back(tmp_path: Path) -> None:
    name = f"created-{uuid.uuid4().hex[:8]}"
    with own_broker(tmp_path) as broker:

        async def scenario() -> None:
            app = build_app(Settings(broker=f"kafka://{broker.address}"))
            transport = app.transport
            assert isinstance(transport, Transport)
            producer = AIOKafkaProducer(bootstrap_servers=broker.address)
            await producer.start()
            broker.kill()
            creation = asyncio.create_task(
                transport._create_topic(app.cluster_readiness, producer.client, name, 3, 1)
            )
            await asyncio.sleep(1.0)  # seconds of the outage; no event shows the first try
            broker.start()
            await creation
            assert (await topic_partitions(app.settings.cluster))[name] == 3
            await producer.stop()

        asyncio.run(asyncio.wait_for(scenario(), DEADLINE))


def test_faust_asks_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Remove the patch when this fails: see docs/upstream.md."""

    async def nobody(*_: object, **__: object) -> None:
        raise NodeNotReadyError

    original: Any = topic_creation._original

    async def scenario() -> None:
        app = build_app(Settings())
        monkeypatch.setattr(app.transport, "_get_controller_node", nobody)
        client: Any = SimpleNamespace(cluster=SimpleNamespace(topics=set))
        with pytest.raises(NodeNotReadyError):
            await original(app.transport, app.cluster_readiness, client, "new", 1, 1)

    asyncio.run(asyncio.wait_for(scenario(), 1.0))
