"""``/images/``: a picture in, and what became of it."""

from aiohttp import web

from catdog_stream.web.api.answer import image_document, waiting
from catdog_stream.web.api.body import Intake, Room
from catdog_stream.web.api.guards.rates import Rates
from catdog_stream.web.api.ids import image_id, source_of
from catdog_stream.web.api.preferring import preferred_wait
from catdog_stream.web.api.problems import Problem, json
from catdog_stream.web.api.stream import Picture, Stream
from catdog_stream.web.api.uploading import FORM_BYTES, read_picture

__all__ = ["Images"]


class Images:
    """Answers requests for images.

    Args:
        stream: takes pictures.
        intake: what all clients may send at once.
        rates: how many pictures each may send.
        max_image_bytes: of one picture.
    """

    def __init__(
        self, stream: Stream, intake: Intake, rates: Rates, *, max_image_bytes: int
    ) -> None:
        self._stream = stream
        self._intake = intake
        self._rates = rates
        self._max_image_bytes = max_image_bytes

    async def post(self, request: web.Request) -> web.Response:
        """Take a picture; answer once Kafka has it, or with its answer where that is preferred."""
        self._rates.take(request.remote, 1)
        form = request.content_type.startswith("multipart/")
        limit = self._max_image_bytes + (FORM_BYTES if form else 0)
        seconds = preferred_wait(request.headers.getall("Prefer", ()))
        with self._intake.room(limit) as room:
            async with self._stream.ask([await self._picture(request, room)]) as asked:
                room.give_back()  # Kafka has it
                (state,) = await asked.states(seconds)
        headers = {"Location": f"/images/{image_id(state.source)}"}
        if seconds:
            headers["Preference-Applied"] = "wait"
        if seconds and state.answer is not None:
            return json(image_document(state.source, state.answer, state.url), 200, headers)
        return json(waiting(state.source, headers["Location"]), 202, headers)

    async def _picture(self, request: web.Request, room: Room) -> Picture:
        picture = await read_picture(request, room)
        if len(picture.data) > self._max_image_bytes:
            raise Problem(413, f"The picture has more than {self._max_image_bytes} bytes.")
        return picture

    async def get(self, request: web.Request) -> web.Response:
        """What became of a picture."""
        source = source_of(request.match_info["id"])
        state = await self._stream.look(source)
        if state is None:
            raise Problem(404, "There is no such image, or it is no longer there.")
        document = image_document(source, state.answer, state.url)
        return json(document, 202 if state.answer is None else 200)
