"""Patch: aiokafka logs no password.

Fault (aiokafka 0.14): at level debug ``AIOKafkaConnection.send`` logs every request in full, also
the request with the user name and the password of SASL's mechanism PLAIN.

Repair: a filter on its logger drops log records about that request.
"""

import logging

from aiokafka.protocol.admin import SaslAuthenticateRequest_v0, SaslAuthenticateRequest_v1

__all__ = ["SecretFilter", "install"]


class SecretFilter(logging.Filter):
    """Filter that drops log records about requests with a password."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Return whether the record may be logged."""
        secrets = SaslAuthenticateRequest_v0 | SaslAuthenticateRequest_v1
        return not any(isinstance(value, secrets) for value in record.args or ())


def install() -> None:
    """Add the filter to the logger of aiokafka's connections."""
    log = logging.getLogger("aiokafka.conn")
    if not any(isinstance(each, SecretFilter) for each in log.filters):
        log.addFilter(SecretFilter())
