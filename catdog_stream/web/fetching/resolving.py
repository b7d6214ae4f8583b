"""Finds the addresses of a host, once, and hands on none that may not be connected to."""

import asyncio
import ipaddress
import socket
from collections.abc import Awaitable, Callable, Sequence
from concurrent.futures import ThreadPoolExecutor

from aiohttp.abc import AbstractResolver, ResolveResult

from catdog_stream.web.fetching.rules import Rules

__all__ = ["CheckedResolver", "Lookup", "NotPublicError", "SystemLookup"]

Lookup = Callable[[str], Awaitable[Sequence[str]]]
"""From a host's name to its IP addresses; raises ``OSError``."""


class NotPublicError(Exception):
    """A host has no address, or one that may not be connected to."""


class SystemLookup:
    """Asks the system, in threads of its own: a name server that is silent holds up nobody else.

    Args:
        threads: so many names at a time.
    """

    def __init__(self, threads: int) -> None:
        self._threads = ThreadPoolExecutor(threads, thread_name_prefix="lookup")

    async def __call__(self, host: str) -> Sequence[str]:
        """The addresses of ``host``. Raises ``OSError``."""
        return await asyncio.get_running_loop().run_in_executor(self._threads, _system, host)

    def close(self) -> None:
        """Begin no more."""
        self._threads.shutdown(wait=False, cancel_futures=True)


class CheckedResolver(AbstractResolver):
    """What the connections of a session are opened by: to these addresses and to no others.

    A name that has a forbidden address beside a public one is refused: it is either a mistake or an
    attempt. Since nothing asks for the name again, it cannot have other addresses by then.
    """

    def __init__(self, rules: Rules, lookup: Lookup) -> None:
        self._rules = rules
        self._lookup = lookup

    async def resolve(
        self,
        host: str,
        port: int = 0,
        family: int = socket.AF_UNSPEC,  # noqa: ARG002 - every one is asked for
    ) -> list[ResolveResult]:
        """All addresses of ``host``. Raises ``NotPublicError``."""
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
        """Nothing to close: the session owns no resolver that was given to it."""


def _system(host: str) -> list[str]:
    found = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)
    return [str(address[0]) for *_, address in found]
