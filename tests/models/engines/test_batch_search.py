"""Tests of the search for the batch size that keeps a device busy, on simulated devices."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from catdog_stream.models.engines.batch_search import best_batch


class Device:
    """Device that takes ``fixed + each * n`` seconds for a batch of n, at most ``room``."""

    def __init__(self, fixed: float, each: float, room: int = 1000) -> None:
        self._fixed, self._each, self._room = fixed, each, room
        self.tried: list[int] = []

    def __call__(self, size: int) -> float:
        self.tried.append(size)
        if size > self._room:
            raise MemoryError
        return self._fixed + self._each * size

    def rate(self, size: int) -> float:
        """Return pictures per second."""
        return size / (self._fixed + self._each * size)


def test_a_cpu_is_busy_with_one_picture_and_the_search_ends_at_two() -> None:
    device = Device(0.0, 0.1)
    assert best_batch(device) == 1
    assert device.tried == [1, 2]


def test_a_gpu_gets_as_many_as_it_takes_to_be_busy() -> None:
    assert best_batch(Device(0.001, 0.0005)) == 16


def test_a_device_that_is_never_busy_gets_the_most_that_is_tried() -> None:
    device = Device(1.0, 0.0)
    assert best_batch(device) == 64
    assert device.tried == [1, 2, 4, 8, 16, 32, 64]
    assert best_batch(device, largest=16) == 16


def test_memory_ends_the_search() -> None:
    device = Device(1.0, 0.0, room=20)
    assert best_batch(device) == 16
    assert device.tried == [1, 2, 4, 8, 16, 32]


def test_a_device_without_room_for_one_picture_is_an_error() -> None:
    with pytest.raises(MemoryError):
        best_batch(Device(1.0, 0.0, room=0))


@given(fixed=st.floats(0, 0.1), each=st.floats(1e-5, 0.1), room=st.integers(1, 100))
def test_the_smallest_that_is_nearly_the_best_is_chosen_and_has_been_run(
    fixed: float, each: float, room: int
) -> None:
    device = Device(fixed, each, room)
    chosen = best_batch(device)
    possible = [size for size in (1, 2, 4, 8, 16, 32, 64) if size <= room]
    assert chosen in device.tried
    assert chosen in possible
    assert device.rate(chosen) > 0.84 * max(map(device.rate, possible))
    assert all(
        device.rate(s) < 0.9 * max(map(device.rate, possible)) for s in possible if s < chosen
    )
