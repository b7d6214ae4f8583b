"""An idempotent producer continues behind a record that Kafka refused.

Fault (aiokafka 0.14): it numbers records as it sends them, and keeps the numbers of a batch that
the broker has refused. The next batch of the partition leaves a gap, and is refused for it
(``OutOfOrderSequenceNumber``), as all after it: one record that is too large ends the producer.

Repair: what the broker has refused for good was not written, so its numbers are free again. A
partition has one batch on its way at a time: none behind it has been numbered.
"""

from typing import Any

from aiokafka.errors import BrokerResponseError, OutOfOrderSequenceNumber
from aiokafka.producer import sender

__all__ = ["install"]


class FreeingHandler(sender.SendProduceReqHandler):  # type: ignore[misc]  # aiokafka is untyped
    """Frees the numbers of refused batches."""

    def handle_response(self, response: Any) -> None:
        """Settle the batches as Kafka has answered."""
        super().handle_response(response)
        numbers = self._sender._txn_manager
        if numbers is None:
            return
        for tp, batch in self._batches.items():
            error = batch.future.exception() if batch.future.done() else None
            if isinstance(error, BrokerResponseError) and not isinstance(
                error, OutOfOrderSequenceNumber
            ):
                numbers.increment_sequence_number(tp, -batch.record_count)


def install() -> None:
    """Have every producer of this process do so from now on."""
    sender.SendProduceReqHandler = FreeingHandler
