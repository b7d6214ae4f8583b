"""Tests of a model that hangs: it is cut off and replaced."""

import asyncio
import threading
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import CancelledError

import numpy as np
import pytest

from catdog_stream import deadlines
from catdog_stream.errors import HungModelError, RejectedRequest, StackError
from catdog_stream.models.pictures import Picture
from catdog_stream.models.verdict import Verdict
from catdog_stream.pipeline.model_runner import ModelRunner

PICTURE: Picture = np.zeros((1, 1, 3), np.uint8)
CAT = Verdict({"cat": 1.0, "dog": 0.0}, "test 1")


class HangsOnWhite:
    """Model that hangs on a white picture until the test is over."""

    name, version, engine = "test", "1", "none"
    classes = ("cat", "dog")
    batch_size, on_gpu = 4, False

    def __init__(self, over: threading.Event) -> None:
        self._over = over
        self.closed = False

    def prepare(self, data: bytes) -> Picture:
        return np.full((1, 1, 3), data[0], np.uint8)

    def classify(self, pictures: Sequence[Picture]) -> list[Verdict]:
        if any(picture.max() == 255 for picture in pictures):
            self._over.wait()
        return [CAT for _ in pictures]

    def warm_up(self) -> None:
        """Do nothing: the model is always warm."""

    def close(self) -> None:
        self.closed = True


class OneAtATime(HangsOnWhite):
    """The same model with one thread inside, for which batches wait."""

    def __init__(self, over: threading.Event) -> None:
        super().__init__(over)
        self._busy = threading.Lock()

    def classify(self, pictures: Sequence[Picture]) -> list[Verdict]:
        with self._busy:
            return super().classify(pictures)


@pytest.fixture
def over() -> Iterator[threading.Event]:
    """Yield an event that is set when the test is over, so that hung threads end."""
    event = threading.Event()
    yield event
    event.set()


def test_a_hung_model_is_replaced_and_the_next_picture_answered(over: threading.Event) -> None:
    async def scenario() -> None:
        loaded: list[HangsOnWhite] = []
        failures: list[BaseException] = []

        def load() -> HangsOnWhite:
            loaded.append(HangsOnWhite(over))
            return loaded[-1]

        runner = ModelRunner(load, parallel=2, timeout=0.2, max_hangs=2, on_failure=failures.append)
        assert not runner.warm
        await runner.start()
        assert runner.warm
        for hangs in (1, 2):
            with pytest.raises(RejectedRequest) as rejected:
                await runner.classify([runner.prepare(b"\xff")])
            assert rejected.value.reason == "timeout"
            assert await runner.classify([PICTURE]) == [CAT]
            assert len(loaded) == hangs + 1
        assert [type(error) for error in failures] == [HungModelError]
        await runner.stop()
        assert not loaded[0].closed, "its thread is still at it"

    asyncio.run(scenario())


def test_a_picture_that_waited_behind_a_hung_one_is_answered_by_the_next_model(
    over: threading.Event,
) -> None:
    async def scenario() -> None:
        runner = ModelRunner(
            lambda: OneAtATime(over), parallel=2, timeout=0.2, max_hangs=3, on_failure=print
        )
        await runner.start()
        hung = asyncio.create_task(runner.classify([runner.prepare(b"\xff")]))
        await asyncio.sleep(0.05)
        assert await runner.classify([PICTURE]) == [CAT]
        assert isinstance(hung.exception(), RejectedRequest)
        await runner.stop()

    asyncio.run(scenario())


@pytest.mark.parametrize(
    "damage", [StackError("It is gone."), OSError(5, "no disk"), MemoryError()]
)
def test_without_a_replacement_the_process_ends_after_as_many_hangs(
    over: threading.Event, damage: Exception
) -> None:
    """Answer a picture of another batch meanwhile; the number of threads is limited."""

    async def scenario() -> None:
        models: list[HangsOnWhite] = [HangsOnWhite(over)]
        failures: list[BaseException] = []

        def load() -> HangsOnWhite:
            if not models:
                raise damage
            return models.pop()

        runner = ModelRunner(load, parallel=2, timeout=0.1, max_hangs=3, on_failure=failures.append)
        await runner.start()
        before = threading.active_count()
        for hangs in (1, 2, 3):
            with pytest.raises(RejectedRequest) as rejected:
                await runner.classify([runner.prepare(b"\xff")])
            assert rejected.value.reason == "timeout"
            assert runner.problem is not None
            assert "no other could be loaded" in runner.problem
            if hangs < 3:
                assert not failures
                assert await runner.classify([PICTURE]) == [CAT]
        (failure,) = failures
        assert isinstance(failure, HungModelError)
        assert "3 times" in str(failure)
        assert (str(damage) or "MemoryError") in str(failure)
        late = [asyncio.create_task(runner.classify([PICTURE])) for _ in range(20)]
        done, _ = await asyncio.wait(late, timeout=0.3)
        assert not done, "they belong to the process that takes over"
        assert len(failures) == 1
        assert threading.active_count() <= before + 2 * 3
        for task in late:
            task.cancel()
        await runner.stop()

    asyncio.run(scenario())


def test_a_replacement_whose_load_hangs_holds_nothing_up_for_ever(
    over: threading.Event, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(deadlines, "STACK_LOADED", 0.1)

    async def scenario() -> None:
        loads = 0
        failures: list[BaseException] = []

        def load() -> HangsOnWhite:
            nonlocal loads
            loads += 1
            if loads > 1:
                over.wait()
            return HangsOnWhite(over)

        runner = ModelRunner(load, parallel=1, timeout=0.1, max_hangs=3, on_failure=failures.append)
        await runner.start()
        for _ in range(2):  # each hang leaves two models behind
            with pytest.raises(RejectedRequest):
                await runner.classify([runner.prepare(b"\xff")])
        assert [type(error) for error in failures] == [HungModelError]
        await runner.stop()

    asyncio.run(scenario())


def test_two_batches_that_hang_side_by_side_without_a_replacement_count_once_each(
    over: threading.Event,
) -> None:
    async def scenario() -> None:
        models = [OneAtATime(over)]
        failures: list[BaseException] = []
        runner = ModelRunner(
            models.pop, parallel=2, timeout=0.2, max_hangs=3, on_failure=failures.append
        )
        await runner.start()
        hung = asyncio.create_task(runner.classify([runner.prepare(b"\xff")]))
        await asyncio.sleep(0.02)
        with pytest.raises(RejectedRequest):  # it waited behind the hung one
            await runner.classify([PICTURE])
        assert isinstance(hung.exception(), RejectedRequest)
        assert not failures
        with pytest.raises(RejectedRequest):
            await runner.classify([PICTURE])
        assert [type(error) for error in failures] == [HungModelError]
        await runner.stop()

    asyncio.run(scenario())


def test_a_model_that_never_hung_is_closed_at_the_end(over: threading.Event) -> None:
    async def scenario() -> None:
        model = HangsOnWhite(over)
        runner = ModelRunner(lambda: model, parallel=2, timeout=5, max_hangs=1, on_failure=print)
        await runner.start()
        assert await runner.classify([PICTURE, PICTURE]) == [CAT, CAT]
        await runner.stop()
        assert model.closed

    asyncio.run(scenario())


def test_a_process_that_was_stopped_does_not_find_a_good_model_hung() -> None:
    """Let the clock advance while the process stands still."""

    class TakesHalfASecond(HangsOnWhite):
        def classify(self, pictures: Sequence[Picture]) -> list[Verdict]:
            time.sleep(0.5)
            return [CAT for _ in pictures]

    async def scenario() -> None:
        runner = ModelRunner(
            lambda: TakesHalfASecond(threading.Event()),
            parallel=1,
            timeout=0.3,
            max_hangs=1,
            on_failure=lambda error: pytest.fail(str(error)),
        )
        await runner.start()
        asyncio.get_running_loop().call_later(0.02, time.sleep, 0.45)
        assert await runner.classify([PICTURE]) == [CAT]
        await runner.stop()

    asyncio.run(scenario())


@pytest.mark.parametrize(
    "raised",
    [
        SystemExit(1),
        KeyboardInterrupt(),
        asyncio.CancelledError(),
        StopIteration(),
        CancelledError(),
    ],
)
def test_what_a_model_raises_is_an_error_of_its_picture_and_never_the_end_of_the_loop(
    over: threading.Event, raised: BaseException
) -> None:
    class Raising(HangsOnWhite):
        def classify(self, pictures: Sequence[Picture]) -> list[Verdict]:
            if any(picture.max() == 255 for picture in pictures):
                raise raised
            return super().classify(pictures)

    async def scenario() -> None:
        runner = ModelRunner(
            lambda: Raising(over), parallel=2, timeout=5, max_hangs=1, on_failure=print
        )
        await runner.start()
        with pytest.raises(RuntimeError, match="The model raised"):
            await runner.classify([runner.prepare(b"\xff")])
        assert await runner.classify([PICTURE]) == [CAT]
        await runner.stop()

    asyncio.run(scenario())


def test_what_is_no_verdict_is_refused(over: threading.Event) -> None:
    class Short(HangsOnWhite):
        def classify(self, pictures: Sequence[Picture]) -> list[Verdict]:
            return super().classify(pictures)[1:]

    async def scenario() -> None:
        runner = ModelRunner(
            lambda: Short(over), parallel=2, timeout=5, max_hangs=1, on_failure=print
        )
        await runner.start()
        with pytest.raises(RejectedRequest) as rejected:
            await runner.classify([PICTURE, PICTURE])
        assert rejected.value.reason == "bad_verdict"
        await runner.stop()

    asyncio.run(scenario())
