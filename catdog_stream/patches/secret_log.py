"""aiokafka logs no password.

Fault (aiokafka 0.14): at level debug ``AIOKafkaConnection.send`` logs every request in full, the
one that carries the user name and the password of SASL's mechanism PLAIN too.

Repair: a filter on its logger drops what it says of that request.
"""

import logging

from aiokafka.protocol.admin import SaslAuthenticateRequest_v0, SaslAuthenticateRequest_v1

__all__ = ["SecretFilter", "install"]


class SecretFilter(logging.Filter):
    """Drops log records about requests that hold a password."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Whether the record may be logged."""
        secrets = SaslAuthenticateRequest_v0 | SaslAuthenticateRequest_v1
        return not any(isinstance(value, secrets) for value in record.args or ())


def install() -> None:
    """Make aiokafka's connections log no password from now on."""
    log = logging.getLogger("aiokafka.conn")
    if not any(isinstance(each, SecretFilter) for each in log.filters):
        log.addFilter(SecretFilter())
