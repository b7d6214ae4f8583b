"""Traces as part of a worker: where they go, and that the last ones get there."""

import asyncio
from typing import TYPE_CHECKING, Any

from mode import Service

from catdog_stream import __version__, deadlines
from catdog_stream.errors import SettingError

if TYPE_CHECKING:
    from opentelemetry.sdk.trace import TracerProvider

    from catdog_stream.worker.application import CatDogApp

__all__ = ["Tracing"]


class Tracing(Service):
    """Sends a span of each request to where ``CATDOG_TRACES`` says; without it, does nothing.

    What is not said there is OpenTelemetry's own to read: ``OTEL_TRACES_SAMPLER``,
    ``OTEL_EXPORTER_OTLP_HEADERS``, ``OTEL_SERVICE_NAME`` and others.
    """

    def __init__(self, app: "CatDogApp", **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.app = app
        self._provider: TracerProvider | None = None

    async def on_start(self) -> None:
        """Watch what is answered. Raises ``SettingError``: a package is missing."""
        endpoint = self.app.settings.traces
        if endpoint is None:
            return
        try:
            provider = self._provider = _provider(endpoint, self.app.address)
            from catdog_stream.worker.spans import Spans
        except ModuleNotFoundError as error:
            raise SettingError(
                "CATDOG_TRACES needs OpenTelemetry: pip install 'catdog-stream[tracing]'."
            ) from error
        name = "decide" if self.app.role.is_jury else "classify"
        self.app.observers.add(Spans(provider.get_tracer("catdog_stream", __version__), name))

    async def on_stop(self) -> None:
        """Send what is left, but do not wait for a collector that does not answer."""
        if self._provider is not None:
            sending = asyncio.ensure_future(asyncio.to_thread(self._provider.shutdown))
            await asyncio.wait((sending,), timeout=deadlines.LAST_SPANS)


def _provider(endpoint: str, address: str) -> "TracerProvider":
    # Only those who want traces have it.
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
    from opentelemetry.sdk.resources import OTELResourceDetector, Resource
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import BatchSpanProcessor

    told = OTELResourceDetector().detect().attributes
    own = {
        "service.name": "catdog_stream",
        "service.version": __version__,
        "service.instance.id": address,
    }
    provider = TracerProvider(
        resource=Resource.create({**own, **told}),
        shutdown_on_exit=False,  # the process ends without its exit handlers
    )
    exporter = OTLPSpanExporter(f"{endpoint}/v1/traces")
    provider.add_span_processor(BatchSpanProcessor(exporter))
    return provider
