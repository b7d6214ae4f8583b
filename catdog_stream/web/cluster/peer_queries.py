"""Queries of this worker to the other workers of its group."""

import contextlib
from collections.abc import Callable, Iterable, Sequence

from aiohttp import ClientSession

from catdog_stream.settings.allowed_hosts import AllowedHost
from catdog_stream.web.cluster.allowed_peers import check_peer
from catdog_stream.web.cluster.leaving import announce_leaving
from catdog_stream.web.cluster.peer_client import ask
from catdog_stream.web.cluster.peer_tokens import ANSWER_HEADER, answer_proof, question_token
from catdog_stream.web.cluster.peers import MAX_PEERS
from catdog_stream.web.cluster.state import PeerSnapshot

__all__ = ["MAX_ADDRESS", "PeerQueries"]

#: Maximum characters of another worker's address.
MAX_ADDRESS = 300


class PeerQueries:
    """Queries to the other workers, to allowed addresses only and with the group's secret.

    Args:
        address: returns the address of this worker.
        members: returns the addresses that the members of the group state.
        allowed: value of ``CATDOG_WEB_PEERS``.
        secret: value of ``CATDOG_PEER_SECRET``.
        session: returns the HTTP client.
    """

    def __init__(
        self,
        address: Callable[[], str],
        members: Callable[[], Iterable[object]],
        *,
        allowed: Sequence[AllowedHost],
        secret: str | None,
        session: Callable[[], ClientSession],
    ) -> None:
        self._address = address
        self._members = members
        self._allowed = allowed
        self._secret = secret
        self._session = session

    def addresses(self) -> set[str]:
        """Return the addresses of the group's other workers."""
        members = {str(url).rstrip("/")[:MAX_ADDRESS] for url in self._members()}
        return members - {self._address()}

    async def ask(
        self, address: str, since: int, seen: Iterable[str], counted: str = ""
    ) -> PeerSnapshot:
        """Query another worker. Raise ``PermissionError`` if its address is not allowed."""
        headers = self._headers(address)
        proof = None if self._secret is None else answer_proof(self._secret, address)
        return await ask(self._session(), address, since, seen, headers, proof, counted)

    def proof(self) -> dict[str, str]:
        """Return the header that proves to other workers that this is a worker."""
        if self._secret is None:
            return {}
        return {ANSWER_HEADER: answer_proof(self._secret, self._address())}

    async def announce_leaving(self) -> None:
        """Notify the other workers that this one stops as planned."""
        peers = []
        for address in sorted(self.addresses())[:MAX_PEERS]:
            with contextlib.suppress(PermissionError):
                peers.append((address, self._headers(address)))
        await announce_leaving(self._session(), self._address(), peers)

    def _headers(self, address: str) -> dict[str, str]:
        check_peer(address, self._address(), self._allowed)
        if self._secret is None:
            return {}
        return {"Authorization": f"Bearer {question_token(self._secret, address)}"}
