"""Why no broker can be used.

aiokafka tries one address after the other, logs why each failed, and raises an error that does
not say it. Here one connection is made to each address again, to learn the cause.
"""

import ssl

from aiokafka.conn import collect_hosts, create_conn
from aiokafka.errors import (
    IllegalSaslStateError,
    KafkaError,
    SaslAuthenticationFailed,
    UnsupportedSaslMechanismError,
)

from catdog_stream import deadlines
from catdog_stream.kafka.config import ClusterConfig

__all__ = ["why_unreachable"]


async def why_unreachable(cluster: ClusterConfig) -> str:
    """One sentence for the person who set the address and the credentials."""
    options = dict(cluster.connection)
    servers = options.pop("bootstrap_servers")
    options["request_timeout_ms"] = int(deadlines.WHY_UNREACHABLE * 1000)
    reason = None
    for host, port, _family in collect_hosts(servers):
        try:
            (await create_conn(host, port, **options)).close()
        except (KafkaError, OSError) as error:
            reason = reason or _refusal(error, f"{host}:{port}")
        else:
            # It lets us in, and then answers nothing: seen where SASL is asked for and not used.
            reason = reason or _unexpected(f"{host}:{port}")
    return reason or f"No Kafka broker answers at {cluster.where}; CATDOG_BROKER names another one."


def _refusal(error: KafkaError | OSError, address: str) -> str | None:
    """What somebody who does answer at ``address`` dislikes; ``None`` if nobody does."""
    match error:
        case SaslAuthenticationFailed():
            return (
                f"Kafka at {address} refuses the user name or the password: "
                "check CATDOG_SASL_USERNAME and CATDOG_SASL_PASSWORD."
            )
        case UnsupportedSaslMechanismError():
            return f"Kafka at {address} does not offer the mechanism in CATDOG_SASL_MECHANISM."
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
