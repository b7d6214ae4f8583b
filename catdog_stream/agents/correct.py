"""Has the counts corrected by what ``catdog-stream recount`` has found."""

from typing import cast

from aiokafka.errors import KafkaError

from catdog_stream.app import app
from catdog_stream.delivery.consumer import Consumer

#: Seconds between two looks for corrections, each two small requests to the cluster.
INTERVAL = 10.0


@app.timer(interval=INTERVAL)  # type: ignore[untyped-decorator]
async def correct_counts() -> None:
    """Look whether there is a correction for the partitions of this worker."""
    try:
        await cast(Consumer, app.consumer).correct_counts()
    except KafkaError as error:
        app.log.debug("No look for corrections of the counts: %r", error)
