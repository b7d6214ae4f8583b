"""What a worker makes of its settings and its machine before the first request."""

import os

import pytest

from catdog_stream.models.stacks.locate import default_stack
from catdog_stream.models.stacks.stack import ModelStack
from catdog_stream.settings import Settings
from catdog_stream.worker import classifying


def test_the_settings_reach_the_stack() -> None:
    stack = classifying.load_stack(Settings(stack=default_stack(), engine="litert", batch=5))
    assert stack.batch_size == 5
    stack.close()


def test_a_model_that_takes_over_has_the_batch_that_was_found_first(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """A search that ended differently would change the bits of the answers."""
    searches = iter((16, 32))

    def find_or_obey(settings: Settings) -> ModelStack:
        batch = settings.batch or next(searches)
        return ModelStack.load(default_stack(), engine="litert", threads=1, batch=batch)

    load = classifying.WarmClassifiers(find_or_obey, Settings())
    with caplog.at_level("INFO"):
        stacks = [load(), load()]
    assert [stack.batch_size for stack in stacks] == [16, 16]
    for stack in stacks:
        stack.close()
    assert (
        caplog.messages == ["Stack inception_v3 1 is warm: engine litert, threads 1, batch 16."] * 2
    )


def test_all_cores_decode_for_a_gpu_and_a_few_beside_a_model_on_the_cpu() -> None:
    cores = os.cpu_count() or 1
    assert classifying.decoders(on_gpu=True) == cores
    assert classifying.decoders(on_gpu=False) == min(4, cores)
