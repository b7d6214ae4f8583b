"""Tests of a worker's own state when parts of it are unknown."""

import asyncio

import pytest

from catdog_stream.settings import Settings
from catdog_stream.web.live import self_state as module
from catdog_stream.web.live.self_state import SelfState
from catdog_stream.web.recording.recorder import Recorder
from catdog_stream.worker.application import CatDogApp


def test_a_look_that_failed_is_told_and_taken_again(monkeypatch: pytest.MonkeyPatch) -> None:
    looks = 0

    async def look(_app: CatDogApp) -> list[str]:
        nonlocal looks
        looks += 1
        if looks == 1:
            raise OSError("No more files.")
        return []

    async def story() -> None:
        it = SelfState(CatDogApp(Settings()), (), Recorder())
        assert list(await it._look()) == ["Its state cannot be told: OSError('No more files.')."]
        assert list(await it._look()) == []

    monkeypatch.setattr(module, "readiness_problems", look)
    asyncio.run(story())


def test_many_that_look_at_once_look_once(monkeypatch: pytest.MonkeyPatch) -> None:
    looks = 0

    async def look(_app: CatDogApp) -> list[str]:
        nonlocal looks
        looks += 1
        await asyncio.sleep(0.01)
        return ["It waits."]

    async def story() -> None:
        it = SelfState(CatDogApp(Settings()), (), Recorder())
        told = await asyncio.gather(*(it._look() for _ in range(5)))
        assert [list(each) for each in told] == [["It waits."]] * 5
        assert looks == 1

    monkeypatch.setattr(module, "readiness_problems", look)
    asyncio.run(story())
