"""Worker that freezes its broker before one of its clients connects.

``CATDOG_TEST_CLIENT`` names the client, and ``CATDOG_TEST_BROKER_PID`` the process of the broker.
"""

import os
import signal
from typing import Any

from faust.transport.drivers.aiokafka import AIOKafkaConsumerThread, Producer

from catdog_stream.app import app, main
from catdog_stream.kafka.silence import silence
from tests.support.looking_worker import Looking

CLIENTS = {"producer": Producer, "consumer": AIOKafkaConsumerThread}


def freeze_before(client: Any) -> None:
    """Freeze the broker when the service of the client starts."""
    start = client.on_start

    async def on_start(self: Any) -> None:
        os.kill(int(os.environ["CATDOG_TEST_BROKER_PID"]), signal.SIGSTOP)
        while await silence(app.settings.cluster) is None:
            pass  # threads of the broker run until the signal has reached all of them
        await start(self)

    client.on_start = on_start


if __name__ == "__main__":
    freeze_before(CLIENTS[os.environ["CATDOG_TEST_CLIENT"]])
    app.inference.load = Looking
    main()
