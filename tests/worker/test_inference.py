"""Tests of a worker's use of its settings and its machine before the first request."""

import asyncio
import os
from typing import cast

import pytest

from catdog_stream.app import build_app
from catdog_stream.delivery.voting import VotePublisher
from catdog_stream.models.stacks.locate import default_stack
from catdog_stream.models.stacks.stack import ModelStack
from catdog_stream.settings import Settings
from catdog_stream.testing.classifiers import InstantClassifier
from catdog_stream.worker import inference
from tests.support.stacks import DEFAULT, in_header


def test_the_settings_reach_the_stack() -> None:
    stack = inference.load_stack(Settings(stack=default_stack(), engine="litert", batch=5))
    assert stack.batch_size == 5
    stack.close()


def test_a_model_that_takes_over_has_the_batch_that_was_found_first(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """Keep the first batch size, because another one would change bits of the answers."""
    searches = iter((16, 32))

    def find_or_obey(settings: Settings) -> ModelStack:
        batch = settings.batch or next(searches)
        return ModelStack.load(default_stack(), engine="litert", threads=1, batch=batch)

    load = inference.WarmClassifiers(find_or_obey, Settings())
    with caplog.at_level("INFO"):
        stacks = [load(), load()]
    assert [stack.batch_size for stack in stacks] == [16, 16]
    for stack in stacks:
        stack.close()
    warm = f"Stack {in_header(DEFAULT)} is warm: engine litert, threads 1, batch 16."
    assert caplog.messages == [warm] * 2


def test_all_cores_decode_for_a_gpu_and_a_few_beside_a_model_on_the_cpu() -> None:
    cores = os.cpu_count() or 1
    assert inference.decoders(on_gpu=True) == cores
    assert inference.decoders(on_gpu=False) == min(4, cores)


class Weighted(InstantClassifier):
    """Classifier with a weight."""

    def __init__(self, version: str, weight: float) -> None:
        super().__init__({"cat": 0.9, "dog": 0.1}, version)
        self.weight = weight


def test_the_votes_of_a_canary_have_its_own_weight(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(inference, "named_loader", lambda _name: lambda _: Weighted("2", 3.0))

    async def scenario() -> None:
        service = build_app(Settings(role="voter", voter="lite", canary="instant/2")).inference
        service.load = lambda _: Weighted("1", 2.0)
        await service.on_start()
        try:
            publisher = cast(VotePublisher, service.pipeline._answering._publisher)
            assert [publisher._weight(f"instant {version}") for version in "12"] == [2.0, 3.0]
        finally:
            await service.on_stop()

    asyncio.run(scenario())
