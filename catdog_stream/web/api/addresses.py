"""``/addresses/``: the address of a picture in, and what became of the picture."""

import orjson
from aiohttp import web

from catdog_stream.errors import FetchError
from catdog_stream.kafka.client import opaque_url
from catdog_stream.web.api.body import Intake
from catdog_stream.web.api.guards.rates import Rates
from catdog_stream.web.api.problems import Problem
from catdog_stream.web.api.sending import sent
from catdog_stream.web.api.stream import Picture, Stream
from catdog_stream.web.fetching.addresses import NotAllowedError, UnreadableError
from catdog_stream.web.fetching.by_address import PicturesByAddress

__all__ = ["MAX_ADDRESS", "Addresses"]

#: Characters of an address, and bytes of a body with one in it, each perhaps as ``\\u0000``.
MAX_ADDRESS = 2000
_MAX_BODY = 6 * MAX_ADDRESS + 100


class Addresses:
    """Fetches pictures for clients and sends them.

    Args:
        stream: takes pictures.
        intake: what all clients may send at once.
        rates: how many pictures each may send.
        pictures: fetches them; ``None`` where nobody may have that done.
    """

    def __init__(
        self, stream: Stream, intake: Intake, rates: Rates, pictures: PicturesByAddress | None
    ) -> None:
        self._stream = stream
        self._intake = intake
        self._rates = rates
        self._pictures = pictures

    async def post(self, request: web.Request) -> web.Response:
        """Fetch a picture; answer as for one that was sent."""
        if self._pictures is None:
            raise Problem(403, "Pictures are not fetched by address here: CATDOG_WEB_FETCH is off.")
        if request.content_type != "application/json":
            raise Problem(
                415, "The body must be JSON.", headers={"Accept-Post": "application/json"}
            )
        self._rates.take(request.remote, 1)
        with self._intake.room(_MAX_BODY) as room:
            address = _address(await room.read(request))
        try:
            # As clients of the first system's page have it.
            sending = self._stream.ask(
                [Picture(await self._pictures.picture_at(address), opaque_url(address))]
            )
        except FetchError as error:
            raise Problem(_status(error), error.message) from None
        return await sent(request, sending)


def _status(error: FetchError) -> int:
    """Of a picture that cannot be had: who asks, this worker, or the other server is the cause."""
    if isinstance(error, UnreadableError):
        return 400
    return 403 if isinstance(error, NotAllowedError) else 502


def _address(body: bytes) -> str:
    try:
        document = orjson.loads(body)
    except orjson.JSONDecodeError:
        raise Problem(400, "The body is not JSON.") from None
    address = document.get("address") if isinstance(document, dict) else None
    if not isinstance(address, str) or set(document) != {"address"}:
        raise Problem(400, "The body must be an object with one field address, a text.")
    if len(address) > MAX_ADDRESS:
        raise Problem(400, f"The address has more than {MAX_ADDRESS} characters.")
    return address
