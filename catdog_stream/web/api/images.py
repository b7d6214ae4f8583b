"""``/images/``: sends a picture, and returns its answer."""

from dataclasses import replace

from aiohttp import web

from catdog_stream.errors import FetchError
from catdog_stream.fetching.by_address import PicturesByAddress
from catdog_stream.fetching.picture import convertible
from catdog_stream.web.api.answer import image_document
from catdog_stream.web.api.body import Intake, UploadBudget
from catdog_stream.web.api.guards.rates import Rates
from catdog_stream.web.api.ids import source_of
from catdog_stream.web.api.problems import Problem, json
from catdog_stream.web.api.sending import sent
from catdog_stream.web.api.stream import Picture, Stream
from catdog_stream.web.api.uploading import FORM_BYTES, read_picture

__all__ = ["Images"]


class Images:
    """Handler of requests for images.

    Args:
        stream: accepts pictures.
        intake: limit on the bytes of all clients together.
        rates: limit on the pictures of each client.
        pictures: converts formats that the stream does not support.
        max_image_bytes: maximum bytes of one picture.
    """

    def __init__(
        self,
        stream: Stream,
        intake: Intake,
        rates: Rates,
        pictures: PicturesByAddress,
        *,
        max_image_bytes: int,
    ) -> None:
        self._stream = stream
        self._intake = intake
        self._rates = rates
        self._pictures = pictures
        self._max_image_bytes = max_image_bytes

    async def post(self, request: web.Request) -> web.Response:
        """Send a picture; respond once Kafka has it, or with its answer if the client prefers."""
        self._rates.take(request.remote, 1)
        form = request.content_type.startswith("multipart/")
        limit = self._max_image_bytes + (FORM_BYTES if form else 0)
        with self._intake.budget(limit) as budget:
            # Without a variable, which would keep the picture in memory while a client waits.
            sending = self._stream.ask([await self._picture(request, budget)])
            return await sent(request, sending, budget.release)

    async def _picture(self, request: web.Request, budget: UploadBudget) -> Picture:
        picture = await read_picture(request, budget)
        if len(picture.data) > self._max_image_bytes:
            raise Problem(413, f"The picture has more than {self._max_image_bytes} bytes.")
        if not convertible(picture.data):
            return picture
        try:
            return replace(picture, data=await self._pictures.small(picture.data))
        except FetchError as error:
            raise Problem(422, error.message) from None

    async def get(self, request: web.Request) -> web.Response:
        """Return the state of a picture's request."""
        source = source_of(request.match_info["id"], self._stream.requests_topic)
        state = await self._stream.look(source, request.remote)
        if state is None:
            raise Problem(404, "There is no such image, or it is no longer there.")
        document = image_document(source, state.answer, state.url)
        return json(document, 202 if state.answer is None else 200)
