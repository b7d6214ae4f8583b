"""``POST /addresses/``: fetches the picture at an address and sends it to the stream."""

from typing import Annotated

import orjson
from aiohttp import web
from msgspec import Meta, Struct

from catdog_stream.documents import convert
from catdog_stream.errors import FetchError
from catdog_stream.fetching.addresses import NotAllowedError, UnreadableError
from catdog_stream.fetching.by_address import PicturesByAddress
from catdog_stream.kafka.client import opaque_url
from catdog_stream.web.api.body import Intake
from catdog_stream.web.api.guards.rates import Rates
from catdog_stream.web.api.problems import Problem
from catdog_stream.web.api.sending import sent
from catdog_stream.web.api.stream import Picture, Stream

__all__ = ["MAX_ADDRESS", "Addresses"]

#: Maximum characters of an address, and bytes of a body with each character as ``\\u0000``.
MAX_ADDRESS = 2000
_MAX_BODY = 6 * MAX_ADDRESS + 100


class Addresses:
    """Handler that fetches pictures for clients and sends them.

    Args:
        stream: accepts pictures.
        intake: limit on the bytes of all clients together.
        rates: limit on the pictures of each client.
        pictures: fetches them; ``None`` if fetching is off.
    """

    def __init__(
        self, stream: Stream, intake: Intake, rates: Rates, pictures: PicturesByAddress | None
    ) -> None:
        self._stream = stream
        self._intake = intake
        self._rates = rates
        self._pictures = pictures

    async def post(self, request: web.Request) -> web.Response:
        """Fetch a picture and send it; respond as for a picture in the body."""
        if self._pictures is None:
            raise Problem(403, "Pictures are not fetched by address here: CATDOG_WEB_FETCH is off.")
        if request.content_type != "application/json":
            raise Problem(
                415, "The body must be JSON.", headers={"Accept-Post": "application/json"}
            )
        self._rates.take(request.remote, 1)
        with self._intake.budget(_MAX_BODY) as budget:
            address = _address(await budget.read(request))
        try:
            # The same url as from clients of the first system's page.
            sending = self._stream.ask(
                [Picture(await self._pictures.picture_at(address), opaque_url(address))]
            )
        except FetchError as error:
            raise Problem(_status(error), error.message) from None
        return await sent(request, sending)


def _status(error: FetchError) -> int:
    """Return the status for a failed fetch: a fault of the client, a rule here, or the server."""
    if isinstance(error, UnreadableError):
        return 400
    return 403 if isinstance(error, NotAllowedError) else 502


class _Body(Struct, forbid_unknown_fields=True):
    address: Annotated[str, Meta(max_length=MAX_ADDRESS)]


def _address(body: bytes) -> str:
    try:
        return convert(orjson.loads(body), _Body).address
    except ValueError as error:
        raise Problem(400, f"The body is no object with an address: {error}.") from None
