"""Tests of the span of each request: its trace, its duration, its outcome."""

import time

import pytest
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import StatusCode

from catdog_stream.errors import Reason, RejectedRequest
from catdog_stream.messages.wire import Headers, Incoming, Source
from catdog_stream.models.verdict import Verdict
from catdog_stream.pipeline.observing import Answered
from catdog_stream.pipeline.outcome import Classified, Outcome
from catdog_stream.pipeline.timings import Timings
from catdog_stream.worker.spans import Spans

TRACE, PARENT = 0x4BF92F3577B34DA6A3CE929D0E0E4736, 0x00F067AA0BA902B7
SAMPLED = b"00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
CAT = Classified("u", Verdict({"cat": 0.9, "dog": 0.1}, "pets 1"))


def spans_of(headers: Headers, outcome: Outcome = CAT, seconds: float = 6.0) -> list[ReadableSpan]:
    """Return the spans of one request, its own last."""
    exporter, provider = InMemorySpanExporter(), TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    began = time.perf_counter() - seconds
    timings = Timings(began, begun=began + 1, read=began + 3, handed_over=began + 3)
    timings.confirmed = began + seconds
    incoming = Incoming(Source("catdogimage", 3, 14), None, b"", headers, None)
    spans = Spans(provider.get_tracer("test"), "classify")
    assert not spans.wants_picture()
    spans.answered(Answered(incoming, outcome, None, timings))
    return list(exporter.get_finished_spans())


def test_it_belongs_to_the_trace_that_the_request_came_with() -> None:
    span = spans_of((("tracestate", b"a=1"), ("traceparent", SAMPLED)))[-1]
    assert span.parent is not None
    assert (span.parent.trace_id, span.parent.span_id) == (TRACE, PARENT)
    assert span.context is not None
    assert span.context.trace_id == TRACE
    assert span.context.trace_state.get("a") == "1"


@pytest.mark.parametrize(
    "headers",
    [
        (),
        (("traceparent", b""),),
        (("traceparent", b"\xff\x00\n"),),
        (("traceparent", b"00-" + b"0" * 32 + b"-00f067aa0ba902b7-01"),),
        (("tracestate", b"a=1"),),
        (("traceparent", b"9" * 100_000),),
    ],
)
def test_without_one_that_can_be_read_it_begins_a_trace(headers: Headers) -> None:
    assert spans_of(headers)[-1].parent is None


def test_what_its_sender_does_not_trace_is_not_traced() -> None:
    assert spans_of((("traceparent", SAMPLED[:-1] + b"0"),)) == []


def test_it_lasted_as_long_as_the_request_and_its_stages_lie_within() -> None:
    thread, reading, order, publishing, span = spans_of(())
    assert [each.name for each in (thread, reading, order, publishing, span)] == [
        *("thread", "reading", "order", "publishing"),
        "classify",
    ]
    assert span.start_time is not None
    assert span.end_time is not None
    assert (span.end_time - span.start_time) / 1e9 == pytest.approx(6)
    assert abs(span.end_time - time.time_ns()) / 1e9 < 60
    assert thread.start_time == span.start_time
    assert thread.end_time == reading.start_time
    assert publishing.end_time == pytest.approx(span.end_time, abs=1000)
    assert all(each.parent == span.context for each in (thread, reading, order, publishing))


def test_a_rejected_request_is_an_error_with_its_reason() -> None:
    span = spans_of((), RejectedRequest(Reason.NOT_JSON, "It is none."))[-1]
    assert span.status.status_code is StatusCode.ERROR
    assert span.status.description == "It is none."
    assert span.attributes is not None
    assert span.attributes["catdog.reason"] == "not_json"
    assert "catdog.verdict" not in span.attributes
