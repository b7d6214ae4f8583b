"""Service that exports traces, including the last spans before the end."""

import asyncio
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from mode import Service

from catdog_stream import __version__, deadlines
from catdog_stream.errors import SettingError
from catdog_stream.pipeline.observing import Observers

if TYPE_CHECKING:
    from opentelemetry.sdk.trace import TracerProvider

__all__ = ["Tracing"]


class Tracing(Service):
    """Service that sends a span of each request to ``CATDOG_TRACES``; without it, does nothing.

    OpenTelemetry itself reads all other options: ``OTEL_TRACES_SAMPLER``,
    ``OTEL_EXPORTER_OTLP_HEADERS``, ``OTEL_SERVICE_NAME`` and others.

    Args:
        endpoint: value of ``CATDOG_TRACES``.
        span: name of a request's span.
        address: returns the address of this worker.
        observers: observers of the answers, to which the spans are added.
    """

    def __init__(
        self,
        endpoint: str | None,
        *,
        span: str,
        address: Callable[[], str],
        observers: Observers,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self._endpoint = endpoint
        self._span = span
        self._address = address
        self._observers = observers
        self._provider: TracerProvider | None = None

    async def on_start(self) -> None:
        """Observe answers. Raise ``SettingError`` if a package is missing."""
        if self._endpoint is None:
            return
        try:
            provider = self._provider = _provider(self._endpoint, self._address())
            from catdog_stream.worker.spans import Spans
        except ModuleNotFoundError as error:
            raise SettingError(
                "CATDOG_TRACES needs OpenTelemetry: pip install 'catdog-stream[tracing]'."
            ) from error
        tracer = provider.get_tracer("catdog_stream", __version__)
        self._observers.add(Spans(tracer, self._span))

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
