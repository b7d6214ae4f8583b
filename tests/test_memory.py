"""Tests of the memory budget that threads share, and of the worst case of the settings."""

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from catdog_stream.memory import ByteBudget, MemoryPlan, decoding_bytes, parsing_bytes
from catdog_stream.settings import Settings
from catdog_stream.testing import wait_until

GIB = 1 << 30


class TestABudget:
    def test_who_finds_no_room_waits_for_it(self) -> None:
        budget, most = ByteBudget(10), [0]

        def use(size: int) -> None:
            for _ in range(200):
                with budget.held(size):
                    most[0] = max(most[0], budget.used)

        with ThreadPoolExecutor(6) as threads:
            list(threads.map(use, [1, 2, 3, 4, 5, 10]))
        assert most[0] <= 10
        assert budget.used == 0

    def test_what_is_larger_than_all_of_it_is_alone(self) -> None:
        budget, inside = ByteBudget(10), threading.Event()

        def large() -> None:
            with budget.held(100):
                assert budget.used == 100
                inside.set()

        with ThreadPoolExecutor(1) as threads:
            with budget.held(1):
                waiting = threads.submit(large)
                wait_until(lambda: bool(budget._queue), "the large one to wait")
                assert not inside.is_set()
            waiting.result(10)

    def test_a_large_one_does_not_wait_behind_those_that_come_later(self) -> None:
        budget, order = ByteBudget(10), list[str]()

        def use(name: str, size: int) -> None:
            with budget.held(size):
                order.append(name)

        with ThreadPoolExecutor(2) as threads, budget.held(5):
            first = threads.submit(use, "large", 8)
            wait_until(lambda: len(budget._queue) == 1, "the large one to wait")
            second = threads.submit(use, "small", 1)
            wait_until(lambda: len(budget._queue) == 2, "the small one to wait behind it")
        first.result(10)
        second.result(10)
        assert order == ["large", "small"]

    def test_an_error_gives_back_what_was_held(self) -> None:
        budget = ByteBudget(10)
        with pytest.raises(ValueError, match="damaged"), budget.held(7):
            raise ValueError("damaged")
        assert budget.used == 0


class TestThePlan:
    def test_a_worker_with_the_default_stack_fits_into_one_gibibyte(self) -> None:
        base = 280_000_000  # docs/scaling.md
        assert base + MemoryPlan.of(Settings()).total < GIB

    def test_what_is_processed_at_a_time_fits_where_requests_are_usual(self) -> None:
        assert MemoryPlan.of(Settings(), in_flight=2048).records == 2048 * 64 * 1024

    def test_larger_pictures_take_more(self) -> None:
        usual = MemoryPlan.of(Settings())
        large = MemoryPlan.of(Settings(max_image_bytes=40_000_000))
        pixels = MemoryPlan.of(Settings(max_image_pixels=100_000_000))
        assert large.fetch > large.records // 5 > usual.records
        assert pixels.decoding == decoding_bytes(100_000_000, 4 * 1024 * 1024, "WEBP")


def test_one_character_beyond_ascii_takes_more_for_each() -> None:
    assert parsing_bytes("ö".encode() * 100, 0) == 3 * parsing_bytes(b"oo" * 100, 0)
