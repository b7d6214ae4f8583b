"""Service that exports traces, including the last spans before the end."""

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
    """Service that sends a span of each request to ``CATDOG_TRACES``; without it, does nothing.

    OpenTelemetry itself reads all other options: ``OTEL_TRACES_SAMPLER``,
    ``OTEL_EXPORTER_OTLP_HEADERS``, ``OTEL_SERVICE_NAME`` and others.
    """

    def __init__(self, app: "CatDogApp", **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.app = app
        self._provider: TracerProvider | None = None

    async def on_start(self) -> None:
        """Observe answers. Raise ``SettingError`` if a package is missing."""
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
        """Send the remaining spans, but do not wait for a collector that does not answer."""
        if self._provider is not None:
            sending = asyncio.ensure_future(asyncio.to_thread(self._provider.shutdown))
            await asyncio.wait((sending,), timeout=deadlines.LAST_SPANS)


def _provider(endpoint: str, address: str) -> "TracerProvider":
    # The packages are an optional extra.
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
