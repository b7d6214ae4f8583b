"""Diagnosis of an unreachable cluster.

aiokafka tries one address after the other, logs why each failed, and raises an error without the
cause. This module connects to each address again to find the cause. If that works, it connects to
each broker at its advertised address, which is the address that clients use next.
"""

import socket
import ssl
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from typing import Any

from aiokafka.conn import AIOKafkaConnection, collect_hosts, create_conn
from aiokafka.errors import (
    IllegalSaslStateError,
    KafkaError,
    SaslAuthenticationFailed,
    UnsupportedSaslMechanismError,
)
from aiokafka.protocol.metadata import MetadataRequest

from catdog_stream import deadlines
from catdog_stream.kafka.config import ClusterConfig
from catdog_stream.kafka.explanations import broker_error
from catdog_stream.kafka.tokens import TokenError

__all__ = ["why_unreachable"]

#: Brokers whose advertised address is tried.
MAX_BROKERS = 3


async def why_unreachable(cluster: ClusterConfig) -> str:
    """Return one sentence for the user who set the address and the credentials."""
    options = dict(cluster.connection)
    tokens = options.get("sasl_oauth_token_provider")
    if tokens is not None and tokens.error is not None:
        return str(tokens.error.sentence)
    servers = options.pop("bootstrap_servers")
    options["request_timeout_ms"] = int(deadlines.WHY_UNREACHABLE * 1000)
    reasons = []
    for host, port, _family in collect_hosts(servers):
        try:
            async with _connection(host, port, options) as connection:
                reason = await _why_brokers_unreachable(cluster, connection, options)
        except (KafkaError, OSError, UnicodeError) as error:
            reason = _refusal(error, cluster, host, port)
        if reason is not None:
            reasons.append(reason)
    # The answer of a broker is the best reason, then a host name without an address, then silence.
    reasons.sort(key=lambda reason: reason.startswith(_NO_ADDRESS))
    nobody = f"No Kafka broker answers at {cluster.where}; CATDOG_BROKER names another one."
    return reasons[0] if reasons else nobody


async def _why_brokers_unreachable(
    cluster: ClusterConfig, connection: AIOKafkaConnection, options: Mapping[str, Any]
) -> str | None:
    """Return why no broker answers at the addresses that ``connection`` advertises."""
    address = f"{connection.host}:{connection.port}"
    try:
        brokers = await _advertised(connection)
    except (KafkaError, OSError):
        # It accepts the connection, then answers nothing: seen where SASL is required but not used.
        return _unexpected(address)
    reasons = []
    for host, port in brokers[:MAX_BROKERS]:
        try:
            async with _connection(host, port, options):
                return None  # the cluster can be used by now
        except (KafkaError, OSError, UnicodeError) as error:
            if _is_unknown_name(error):
                reasons.append(
                    f"Kafka at {address} advertises its broker as {host}:{port}, and this host "
                    "name has no address here: set advertised.listeners of the broker to an "
                    "address that its clients reach, or make the name known here."
                )
            elif (reason := _refusal(error, cluster, host, port)) is not None:
                reasons.append(reason)
            else:
                reasons.append(
                    f"Kafka at {address} advertises its broker as {host}:{port}, where nobody "
                    "answers: start the broker, or set its advertised.listeners to an address that "
                    "its clients reach."
                )
    return reasons[0] if reasons else None


async def _advertised(connection: AIOKafkaConnection) -> Sequence[tuple[str, int]]:
    answer = await connection.send(MetadataRequest([]))
    return [(host, port) for _node, host, port, *_rack in answer.brokers]


@asynccontextmanager
async def _connection(
    host: str, port: int, options: Mapping[str, Any]
) -> AsyncIterator[AIOKafkaConnection]:
    connection = await create_conn(host, port, **options)
    try:
        yield connection
    finally:
        with suppress(OSError):
            connection.close()


def _is_unknown_name(error: BaseException) -> bool:
    """Return whether a host name has no address; ``UnicodeError`` means that it is invalid."""
    return isinstance(error, socket.gaierror | UnicodeError)


_NO_ADDRESS = "The host name "


def _refusal(
    error: KafkaError | OSError | UnicodeError, cluster: ClusterConfig, host: str, port: int
) -> str | None:
    """Return why a broker that answers refuses the connection; ``None`` if no broker answers."""
    address = f"{host}:{port}"
    if _is_unknown_name(error):
        return (
            f"{_NO_ADDRESS}{host} in CATDOG_BROKER has no address here: check how it is written, "
            "and the name service of this machine."
        )
    match error:
        case TokenError():
            return error.sentence
        case SaslAuthenticationFailed() | UnsupportedSaslMechanismError():
            return broker_error(error, cluster, address=address).message
        case ssl.SSLCertVerificationError():
            return (
                f"The certificate of Kafka at {address} is not trusted "
                f"({error.verify_message.rstrip('.')}): check CATDOG_TLS_CA_FILE and "
                "the host in CATDOG_BROKER."
            )
        case IllegalSaslStateError() | ssl.SSLError():
            return _unexpected(address)
        case ConnectionRefusedError():
            return None
        case KafkaError() | ConnectionError():
            return _unexpected(address)
        case _:
            return None


def _unexpected(address: str) -> str:
    return (
        f"Kafka at {address} closes the connection: check that CATDOG_SECURITY is what this port "
        "expects, and CATDOG_TLS_CERT_FILE if it asks for a certificate."
    )
