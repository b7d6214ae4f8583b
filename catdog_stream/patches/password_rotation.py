"""A connection takes the password that is valid as it begins.

Fault (aiokafka 0.14): a client takes a password when it is made and uses it for every connection
until it ends. After the password has changed, a worker that loses a connection gets no other one.

Repair: where the password is one that can be asked for its ``current`` value, each connection asks.
"""

from typing import Any

from aiokafka.conn import AIOKafkaConnection

__all__ = ["install"]

_PASSWORD = "sasl_plain_password"

_init = AIOKafkaConnection.__init__


def _init_with_current_password(self: Any, *args: Any, **options: Any) -> None:
    current = getattr(options.get(_PASSWORD), "current", None)
    if current is not None:
        options[_PASSWORD] = current()
    _init(self, *args, **options)


def install() -> None:
    """Have every connection of this process do so from now on."""
    AIOKafkaConnection.__init__ = _init_with_current_password
