"""The least that answers each request at least once: a loop of aiokafka, in one thread, no model.

    python -m benchmarks.bare_loop HOST:PORT GROUP

It parses requests, decodes their base64, writes each label to the partition of its request, and
commits once a second what Kafka has confirmed. It has no headers, counts, page, metrics, rejections
or membership checks: ``overhead`` shows what these cost.
"""

import asyncio
import base64
import signal
import sys
import time

import orjson
import uvloop
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer

from catdog_stream.memory import LEAST_FETCH

COMMIT_SECONDS = 1.0


async def main(address: str, group: str) -> None:
    """Answer requests until SIGTERM."""
    consumer = AIOKafkaConsumer(
        "catdogimage",
        bootstrap_servers=address,
        group_id=group,
        auto_offset_reset="earliest",
        enable_auto_commit=False,
        max_partition_fetch_bytes=LEAST_FETCH,
        fetch_max_bytes=LEAST_FETCH,  # as the worker: with larger fetches, large ones take longer
    )
    producer = AIOKafkaProducer(bootstrap_servers=address, acks="all", enable_idempotence=True)
    stopped = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stopped.set)
    async with consumer, producer:
        committed = time.monotonic()
        while not stopped.is_set():
            found = await consumer.getmany(timeout_ms=200)
            sent = []
            for tp, records in found.items():
                for record in records:
                    request = orjson.loads(record.value)
                    base64.b64decode(request["data"], validate=True)
                    value = orjson.dumps({"label": "cat", "url": request["url"], "data": None})
                    sent.append(await producer.send("catdoglabel", value, partition=tp.partition))
            await asyncio.gather(*sent)
            if time.monotonic() - committed > COMMIT_SECONDS:
                await consumer.commit()
                committed = time.monotonic()


if __name__ == "__main__":
    uvloop.run(main(*sys.argv[1:]))
