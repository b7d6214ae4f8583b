"""Patch: each connection uses the password that is valid when it starts.

Fault (aiokafka 0.14): a client reads a password when it is created and uses it for all later
connections. After the password has changed, a worker that loses a connection cannot connect again.

Repair: if the password has a method ``current``, each connection calls it.
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
    """Patch every connection of this process."""
    AIOKafkaConnection.__init__ = _init_with_current_password
