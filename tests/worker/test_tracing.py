"""Tests of traces: they are exported where the settings say, if the packages are installed."""

import asyncio
import sys

import pytest

from catdog_stream.app import build_app
from catdog_stream.errors import SettingError
from catdog_stream.settings import Settings
from catdog_stream.worker.tracing import Tracing
from tests.support.collector import collecting


def test_without_the_setting_nothing_watches() -> None:
    app = build_app(Settings())
    before = list(app.observers._observers)
    asyncio.run(_start_and_stop(app.tracing))
    assert app.observers._observers == before


def test_with_it_the_last_spans_are_sent_at_the_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OTEL_SERVICE_NAME", "pets")
    with collecting() as collector:
        tracing = build_app(Settings(traces=collector.address)).tracing

        async def scenario() -> None:
            await tracing.on_start()
            assert tracing._provider is not None
            tracing._provider.get_tracer("test").start_span("the last").end()
            await tracing.on_stop()

        asyncio.run(scenario())
        assert [span.name for span in collector.spans] == ["the last"]
        assert collector.services == {"pets"}


def test_a_package_that_is_missing_is_told_in_one_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "opentelemetry.exporter.otlp.proto.http.trace_exporter", None)
    tracing = build_app(Settings(traces="http://collector:4318")).tracing
    with pytest.raises(SettingError, match=r"^CATDOG_TRACES needs .*catdog-stream\[tracing\]'\.$"):
        asyncio.run(_start_and_stop(tracing))


async def _start_and_stop(tracing: Tracing) -> None:
    await tracing.on_start()
    await tracing.on_stop()
