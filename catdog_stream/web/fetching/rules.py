"""What may be fetched: schemes, ports and hosts."""

from collections.abc import Sequence
from dataclasses import dataclass

from catdog_stream.allowed_hosts import USUAL_PORTS, AllowedHost, FetchMode, IPAddress
from catdog_stream.web.fetching.public import is_public, never_fetched, plain

__all__ = ["Rules"]


@dataclass(frozen=True, slots=True)
class Rules:
    """They hold for an address that was typed and for each that it leads to."""

    mode: FetchMode = "off"
    #: What may be fetched from beside the public internet.
    allowed: Sequence[AllowedHost] = ()

    @property
    def schemes(self) -> tuple[str, ...]:
        """Those that may be used."""
        return {"off": (), "on": ("https",), "http": ("https", "http")}[self.mode]

    def may_name(self, port: int) -> bool:
        """Whether some host may be asked on a port that is not its scheme's."""
        return any(allowed.port == port for allowed in self.allowed)

    def may_connect(self, host: str, address: IPAddress, port: int) -> bool:
        """Whether ``host``, which was found at ``address``, may be asked on ``port``."""
        if never_fetched(address):
            return False
        address = plain(address)
        if port in USUAL_PORTS and is_public(address):
            return True
        return any(allowed.covers(host, address, port) for allowed in self.allowed)
