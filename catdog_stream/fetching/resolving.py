"""Resolver that looks up a host once, and returns only addresses that may be connected to."""

import asyncio
import ipaddress
import socket
from collections.abc import Awaitable, Callable, Sequence
from concurrent.futures import ThreadPoolExecutor

from aiohttp.abc import AbstractResolver, ResolveResult

from catdog_stream.fetching.rules import Rules

__all__ = ["CheckedResolver", "Lookup", "NotPublicError", "SystemLookup"]

Lookup = Callable[[str], Awaitable[Sequence[str]]]
"""From a host's name to its IP addresses; raises ``OSError``."""


class NotPublicError(Exception):
    """Host without an address, or with an address that may not be connected to."""


class SystemLookup:
    """Look-up by the system in its own threads: a silent name server blocks nothing else.

    Args:
        threads: maximum number of simultaneous lookups.
    """

    def __init__(self, threads: int) -> None:
        self._threads = ThreadPoolExecutor(threads, thread_name_prefix="lookup")

    async def __call__(self, host: str) -> Sequence[str]:
        """Return the addresses of ``host``. Raise ``OSError``."""
        return await asyncio.get_running_loop().run_in_executor(self._threads, _system, host)

    def close(self) -> None:
        """Start no more lookups."""
        self._threads.shutdown(wait=False, cancel_futures=True)


class CheckedResolver(AbstractResolver):
    """Resolver of a session, whose connections use only the addresses that it returns.

    A name with a forbidden address beside a public one is refused: it is a mistake or an attack.
    The name is not looked up again, so its addresses cannot change after the check.
    """

    def __init__(self, rules: Rules, lookup: Lookup) -> None:
        self._rules = rules
        self._lookup = lookup

    async def resolve(
        self,
        host: str,
        port: int = 0,
        family: int = socket.AF_UNSPEC,  # noqa: ARG002 - both families are looked up
    ) -> list[ResolveResult]:
        """Return all addresses of ``host``. Raise ``NotPublicError``."""
        try:
            addresses = [ipaddress.ip_address(text) for text in await self._lookup(host)]
        except (OSError, ValueError) as error:
            raise NotPublicError from error
        allowed = all(self._rules.may_connect(host, address, port) for address in addresses)
        if not addresses or not allowed:
            raise NotPublicError
        return [
            ResolveResult(
                hostname=host,
                host=str(address),
                port=port,
                family=socket.AF_INET if address.version == 4 else socket.AF_INET6,
                proto=0,
                flags=socket.AI_NUMERICHOST | socket.AI_NUMERICSERV,
            )
            for address in dict.fromkeys(addresses)
        ]

    async def close(self) -> None:
        """Do nothing: the session does not own a resolver that was passed to it."""


def _system(host: str) -> list[str]:
    found = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)
    return [str(address[0]) for *_, address in found]
