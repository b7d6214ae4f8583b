"""Patch: an idempotent producer continues after a record that Kafka has refused.

Fault (aiokafka 0.14): it assigns sequence numbers to records when it sends them, and does not
release the numbers of a batch that the broker has refused. The next batch of the partition leaves a
gap, and is refused for this (``OutOfOrderSequenceNumber``), as all later ones: one record that is
too large blocks the producer for good.

Repair: a batch that the broker has refused for good was not written, so its numbers are free again.
A partition has only one batch in flight, so no later batch has numbers yet.
"""

from typing import Any

from aiokafka.errors import BrokerResponseError, OutOfOrderSequenceNumber
from aiokafka.producer import sender

__all__ = ["install"]


class FreeingHandler(sender.SendProduceReqHandler):  # type: ignore[misc]  # aiokafka is untyped
    """Response handler that frees the sequence numbers of refused batches."""

    def handle_response(self, response: Any) -> None:
        """Complete the batches with Kafka's answer, and free the numbers of refused ones."""
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
    """Patch every producer of this process."""
    sender.SendProduceReqHandler = FreeingHandler
