"""Tests of topics that are deleted, or created again with too few partitions."""

import asyncio
import uuid

import pytest

from catdog_stream.kafka.cluster import topic_partitions
from catdog_stream.kafka.probe import look
from catdog_stream.kafka.topic_recreation import Needed, lacking, restore
from catdog_stream.settings import Settings

pytestmark = pytest.mark.integration


def test_what_is_lacking_is_created_and_what_is_there_stays(broker_address: str) -> None:
    async def scenario() -> None:
        cluster = Settings(broker=f"kafka://{broker_address}").cluster
        name = f"restored-{uuid.uuid4().hex[:8]}"
        needed = {
            f"{name}-gone": Needed(2, {"cleanup.policy": "compact"}),
            f"{name}-small": Needed(3),
            f"{name}-large": Needed(1),
        }
        await restore(cluster, {f"{name}-small": Needed(1), f"{name}-large": Needed(4)})
        assert lacking(await look(cluster), needed) == {f"{name}-gone": 0, f"{name}-small": 1}
        for _ in range(2):  # another worker may have been faster
            await restore(cluster, needed)
        known = await topic_partitions(cluster)
        assert {key: known[key] for key in needed} == {
            f"{name}-gone": 2,
            f"{name}-small": 3,
            f"{name}-large": 4,
        }

    asyncio.run(scenario())
