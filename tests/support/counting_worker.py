"""Small Faust application with a table: ``python -m tests.support.counting_worker``.

It copies every record of ``ID-in`` to ``ID-out`` and counts it in a table. ``COUNTING_ID`` and
``COUNTING_BROKER`` name the application and the cluster. With ``COUNTING_UNMENDED`` it runs on
Faust's own consumer, to show what the repaired consumer is for.
"""

import os

import faust

from catdog_stream.delivery.consumer import Consumer
from catdog_stream.patches import group_coordinator

PARTITIONS = 4

group_coordinator.install()

_ID = os.environ["COUNTING_ID"]
app = faust.App(
    _ID,
    broker=os.environ["COUNTING_BROKER"],
    broker_session_timeout=6.0,
    broker_heartbeat_interval=1.0,
    broker_rebalance_timeout=10.0,
    broker_request_timeout=90.0,
    broker_commit_interval=0.5,
)
if "COUNTING_UNMENDED" not in os.environ:
    app.transport.Consumer = Consumer  # type: ignore[misc]

incoming = app.topic(f"{_ID}-in", value_type=bytes, value_serializer="raw")
answers = app.topic(f"{_ID}-out", value_type=bytes, value_serializer="raw")
counts = app.Table("counts", default=int, key_type=int, partitions=PARTITIONS)


@app.agent(incoming)
async def count(stream: faust.StreamT[bytes]) -> None:
    """Count and copy each record before the next one is taken."""
    async for event in stream.events():
        counts[event.message.partition] += 1
        await (await answers.send(value=event.value))


if __name__ == "__main__":
    app.main()
