"""HTTP API of one worker: its parts and its paths."""

from collections.abc import Callable, Mapping
from typing import Any

from aiohttp import web

from catdog_stream.fetching.by_address import PicturesByAddress
from catdog_stream.fetching.rules import Rules
from catdog_stream.memory import LARGEST_AT_ONCE, MemoryPlan
from catdog_stream.messages.wire import base64_length
from catdog_stream.models.pictures import PictureLimits
from catdog_stream.settings import Settings
from catdog_stream.web.api.addresses import Addresses
from catdog_stream.web.api.body import Intake
from catdog_stream.web.api.guards.rates import Rates
from catdog_stream.web.api.images import Images
from catdog_stream.web.api.openapi.document import openapi_document
from catdog_stream.web.api.problems import json
from catdog_stream.web.api.stream import Stream
from catdog_stream.web.api.uploading import FORM_BYTES
from catdog_stream.web.api.v2.protocol import Protocol
from catdog_stream.web.api.v2.serving import Model
from catdog_stream.worker.health import WorkerHealth

__all__ = ["Api"]

_MODEL = "/v2/models/{name}"
_VERSION = f"{_MODEL}/versions/{{version}}"


class Api:
    """All parts of the API, created once per worker.

    Args:
        settings: the settings of the worker.
        health: its health.
        model: returns the serving model; ``None`` while there is none.
    """

    def __init__(
        self, settings: Settings, health: WorkerHealth, model: Callable[[], Model | None]
    ) -> None:
        largest = LARGEST_AT_ONCE * base64_length(settings.max_image_bytes) + FORM_BYTES
        intake = Intake(MemoryPlan.of(settings).uploads)
        rates = Rates(settings.web_rate)
        self._stream = Stream(settings.cluster, settings.request_parser)
        self._pictures = PicturesByAddress(
            Rules(settings.web_fetch, settings.web_fetch_allow),
            PictureLimits(max_pixels=settings.max_image_pixels),
        )
        self._images = Images(
            self._stream,
            intake,
            rates,
            self._pictures,
            max_image_bytes=settings.max_image_bytes,
        )
        fetching = None if settings.web_fetch == "off" else self._pictures
        self._addresses = Addresses(self._stream, intake, rates, fetching)
        self._protocol = Protocol(
            self._stream,
            intake,
            rates,
            model=model,
            alive=lambda: health.problems,
            ready=health.readiness_problems,
            max_image_bytes=settings.max_image_bytes,
            max_body_bytes=largest,
        )
        self._document: Mapping[str, Any] = openapi_document(
            read_token=settings.web_read_token is not None,
            send_token=settings.web_send_token is not None,
        )

    def register(self, router: web.UrlDispatcher) -> None:
        """Register the paths of the API with the web server."""
        images, protocol = self._images, self._protocol
        router.add_get("/openapi.json", self._described)
        router.add_post("/images/", images.post)
        router.add_get("/images/{id}", images.get)
        router.add_post("/addresses/", self._addresses.post)
        router.add_get("/v2", protocol.server)
        router.add_get("/v2/", protocol.server)
        router.add_get("/v2/health/live", protocol.live)
        router.add_get("/v2/health/ready", protocol.ready)
        for model in (_MODEL, _VERSION):
            router.add_get(model, protocol.model)
            router.add_get(f"{model}/ready", protocol.model_ready)
            router.add_post(f"{model}/infer", protocol.infer)

    @property
    def problem(self) -> str | None:
        """Why Kafka refuses pictures over HTTP; ``None`` while it accepts them."""
        return self._stream.problem

    async def close(self) -> None:
        """Release all waiting clients and close the connections: the worker ends."""
        self._stream.close()
        await self._pictures.close()

    async def _described(self, _request: web.Request) -> web.Response:
        return json(self._document)
