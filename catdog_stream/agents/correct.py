"""Timer that applies the corrections of ``catdog-stream recount`` to the counts."""

from typing import cast

from aiokafka.errors import KafkaError

from catdog_stream.app import app
from catdog_stream.delivery.consumer import Consumer

#: Seconds between two checks for corrections, each two small requests to the cluster.
INTERVAL = 10.0


@app.timer(interval=INTERVAL)  # type: ignore[untyped-decorator]
async def correct_counts() -> None:
    """Apply the corrections for the partitions of this worker, if there are any."""
    try:
        await cast(Consumer, app.consumer).correct_counts()
    except KafkaError as error:
        app.log.debug("No look for corrections of the counts: %r", error)
