"""Rules for fetching: schemes, ports and hosts."""

from collections.abc import Sequence
from dataclasses import dataclass

from catdog_stream.fetching.public import is_public, never_fetched, plain
from catdog_stream.settings.allowed_hosts import USUAL_PORTS, AllowedHost, FetchMode, IPAddress

__all__ = ["Rules"]


@dataclass(frozen=True, slots=True)
class Rules:
    """Rules for a typed address and for each redirect from it."""

    mode: FetchMode = "off"
    #: Hosts from which pictures may be fetched even if they are outside the public internet.
    allowed: Sequence[AllowedHost] = ()
    #: ``False``: nothing but ``allowed``.
    public: bool = True

    @property
    def schemes(self) -> tuple[str, ...]:
        """Schemes that may be used."""
        return {"off": (), "on": ("https",), "http": ("https", "http")}[self.mode]

    def may_name(self, port: int) -> bool:
        """Return true if any host may be contacted on this non-default port."""
        return any(allowed.port == port for allowed in self.allowed)

    def may_look_up(self, host: str) -> bool:
        """Return true if the addresses of a name may be looked up, and are checked then."""
        return self.public or any(
            not isinstance(allowed.host, str) or allowed.host == host for allowed in self.allowed
        )

    def may_connect(self, host: str, address: IPAddress, port: int) -> bool:
        """Return true if ``host``, resolved to ``address``, may be contacted on ``port``."""
        if never_fetched(address):
            return False
        address = plain(address)
        if self.public and port in USUAL_PORTS and is_public(address):
            return True
        return any(allowed.covers(host, address, port) for allowed in self.allowed)
