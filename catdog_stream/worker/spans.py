"""Observer that creates OpenTelemetry spans of answers. Needs the extra ``tracing``.

The span of a request has a child for each of its stages. Its parent is the span in the request's
own ``traceparent`` header, set by its client or by a proxy.
"""

import time
from collections.abc import Mapping

from opentelemetry.context import Context
from opentelemetry.trace import SpanKind, Status, StatusCode, Tracer, set_span_in_context
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

from catdog_stream.errors import RejectedRequest
from catdog_stream.messages.wire import Headers, Incoming
from catdog_stream.pipeline.observing import Answered, Observer
from catdog_stream.pipeline.outcome import Outcome

__all__ = ["Spans"]

_CONTEXT = frozenset(("traceparent", "tracestate"))
_W3C = TraceContextTextMapPropagator()


class Spans(Observer):
    """Observer that creates the span of a request after its answer, when all stages are known.

    Args:
        tracer: receives the spans and samples them.
        name: name of a request's span.
    """

    def __init__(self, tracer: Tracer, name: str) -> None:
        self._tracer = tracer
        self._name = name

    def answered(self, answer: Answered) -> None:
        """Create the span of one request."""
        incoming, outcome, timings = answer.incoming, answer.outcome, answer.timings
        # Computed each time, because the wall clock may be set.
        epoch = time.time_ns() - time.perf_counter_ns()
        span = self._tracer.start_span(
            self._name,
            context=_parent(incoming.headers),
            kind=SpanKind.CONSUMER,
            start_time=_at(epoch, timings.taken),
            attributes=_attributes(incoming, outcome),
        )
        if span.is_recording():
            inside = set_span_in_context(span, Context())
            for stage, began, ended in timings.stages():
                self._tracer.start_span(stage, inside, start_time=_at(epoch, began)).end(
                    _at(epoch, ended)
                )
            if isinstance(outcome, RejectedRequest):
                span.set_status(Status(StatusCode.ERROR, outcome.detail))
        span.end(_at(epoch, timings.taken + timings.seconds))


def _at(epoch: int, moment: float) -> int:
    return epoch + round(moment * 1e9)


def _parent(headers: Headers) -> Context:
    """Return the parent span; an empty context if no header names one in W3C format."""
    carrier = {
        name: value.decode("latin-1") for name, value in headers if name in _CONTEXT and value
    }
    return _W3C.extract(carrier, Context()) if carrier else Context()


def _attributes(incoming: Incoming, outcome: Outcome) -> Mapping[str, str | int]:
    source = incoming.source
    if isinstance(outcome, RejectedRequest):
        answer = {"catdog.reason": outcome.reason.value}
    else:
        answer = {"catdog.verdict": outcome.verdict.label, "catdog.stack": outcome.verdict.stack}
    return {
        "messaging.system": "kafka",
        "messaging.operation.type": "process",
        "messaging.destination.name": source.topic,
        "messaging.destination.partition.id": str(source.partition),
        "messaging.kafka.offset": source.offset,
        **answer,
    }
