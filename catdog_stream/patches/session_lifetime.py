"""Patch: a connection is replaced before the broker ends its session.

Fault (aiokafka 0.14): a broker with ``connections.max.reauth.ms`` disconnects a client that uses a
connection after the lifetime of its session, which is no longer than that of its token. The broker
announces the lifetime (KIP-368), and aiokafka ignores the announcement. So a request fails each
time, on each connection.

Repair: after most of its session, a connection is used for no new request. The next request goes
through a new connection, which authenticates again, and the old one closes after its last answer.
If an answer does not arrive in time, aiokafka closes the connection that it finds in the place of
the old one. If there is none, a ``KeyError`` would end the consumer or the producer for good.
"""

import time
from typing import Any

from aiokafka.client import AIOKafkaClient, ConnectionGroup
from aiokafka.conn import AIOKafkaConnection
from aiokafka.errors import RequestTimedOutError

__all__ = ["install"]

#: Part of a session after which a connection is replaced, as in Kafka's client.
_USED = 0.9

_authenticate = AIOKafkaConnection._do_sasl_handshake
_get_conn = AIOKafkaClient._get_conn
_send = AIOKafkaClient.send


async def _authenticate_and_learn_lifetime(self: Any) -> None:
    send = self.send

    async def send_and_learn(request: Any, *arguments: Any) -> Any:
        sent = time.monotonic()
        answer = await send(request, *arguments)
        if (milliseconds := getattr(answer, "session_lifetime_ms", 0)) > 0:
            self._replace_at = sent + _USED * milliseconds / 1000
        return answer

    self.send = send_and_learn
    try:
        await _authenticate(self)
    finally:
        del self.send


async def _get_conn_within_session(
    self: Any, node_id: Any, *, group: Any = ConnectionGroup.DEFAULT, no_hint: bool = False
) -> Any:
    connection = self._conns.get((node_id, group))
    if time.monotonic() > getattr(connection, "_replace_at", float("inf")):
        del self._conns[node_id, group]
        _close_after_answers(connection)
    return await _get_conn(self, node_id, group=group, no_hint=no_hint)


async def _send_on_replaceable_connection(
    self: Any, node_id: Any, request: Any, *, group: Any = ConnectionGroup.DEFAULT
) -> Any:
    try:
        return await _send(self, node_id, request, group=group)
    except KeyError as error:
        if isinstance(error.__context__, TimeoutError):
            raise RequestTimedOutError from error
        raise


def _close_after_answers(connection: Any) -> None:
    # Requests are answered in their order.
    if connection._requests:
        connection._requests[-1][2].add_done_callback(lambda _: connection.close())
    else:
        connection.close()


def install() -> None:
    """Patch every client of this process."""
    AIOKafkaConnection._do_sasl_handshake = _authenticate_and_learn_lifetime
    AIOKafkaClient._get_conn = _get_conn_within_session
    AIOKafkaClient.send = _send_on_replaceable_connection
