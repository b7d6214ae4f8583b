"""Tests of a group's rates and its records' times of arrival, from offsets at some moments."""

import pytest

from catdog_stream.delivery.group_flow import KEEP, GroupFlow, Positions, Rates

DAY, HOUR = 86400.0, 3600.0


class Scene:
    """Flow whose clock and offsets the test sets."""

    def __init__(self) -> None:
        self.now = 1000.0
        self.flow = GroupFlow(lambda: self.now)

    def look(self, **ends: tuple[int, int]) -> None:
        """Record committed offset and end of each partition, ``p0`` and so on."""
        self.flow.note(self.now, {int(p[1:]): Positions(c, e, e) for p, (c, e) in ends.items()})

    def run(self, seconds: int, arriving: int, answered: int) -> None:
        """Simulate the flow of one partition, with a sample every two seconds."""
        committed, end = 0, 100
        for _ in range(0, seconds, 2):
            self.look(p0=(committed, end))
            self.now += 2
            committed, end = committed + 2 * answered, end + 2 * arriving
        self.look(p0=(committed, end))


@pytest.fixture
def scene() -> Scene:
    return Scene()


def test_rates_are_those_of_all_partitions(scene: Scene) -> None:
    assert scene.flow.rates() is None
    scene.look(p0=(0, 100), p1=(50, 50))
    assert scene.flow.rates() is None, "one look is none"
    scene.now += 10
    scene.look(p0=(40, 200), p1=(130, 250))
    assert scene.flow.rates() == Rates(arriving=30.0, answered=12.0)


def test_rates_follow_what_happens_now(scene: Scene) -> None:
    scene.run(600, 30, 12)
    assert scene.flow.rates() == pytest.approx((30, 12))
    scene.now += 11
    assert scene.flow.rates() is None, "nobody has stated them for a while"


def test_partitions_that_come_and_offsets_that_go_back_count_nothing(scene: Scene) -> None:
    scene.look(p0=(100, 100))
    scene.now += 10
    scene.look(p0=(0, 20), p1=(5, 1000))
    assert scene.flow.rates() == (0.0, 0.0)
    scene.now += 10
    scene.look(p0=(0, 20), p1=(15, 1100))
    rates = scene.flow.rates()
    assert rates is not None
    assert rates.arriving == pytest.approx(10)


def test_it_is_known_since_when_nothing_is_answered(scene: Scene) -> None:
    scene.run(20, 30, 12)
    assert scene.flow.stalled == 0.0
    for _ in range(10):
        scene.now += 2
        scene.look(p0=(240, 800))
    assert scene.flow.stalled == 20.0
    scene.now += 2
    scene.look(p0=(800, 800))
    assert scene.flow.stalled == 0.0


def test_what_an_open_transaction_holds_back_is_no_stall(scene: Scene) -> None:
    for _ in range(20):
        scene.flow.note(scene.now, {0: Positions(10, 99, 10)})
        scene.now += 2
    assert scene.flow.stalled == 0.0


def test_a_broker_that_is_silent_is_no_stall(scene: Scene) -> None:
    scene.look(p0=(0, 10))
    scene.now += 60
    assert scene.flow.stalled == 0.0


@pytest.mark.parametrize("claimed", [-HOUR, 0.0, 3.0, 3 * HOUR, 3 * DAY, None])
def test_a_record_is_as_old_as_the_ends_of_the_log_allow(
    scene: Scene, claimed: float | None
) -> None:
    scene.run(20, 10, 10)  # ends: 100, 120, 140, ...
    age = scene.flow.age(0, 245, claimed)  # arrived between the samples of 1014 and 1016
    assert age is not None
    assert 4.0 <= age <= 6.0


def test_a_time_that_fits_is_believed_to_the_millisecond(scene: Scene) -> None:
    scene.run(20, 10, 10)
    scene.now += 1
    assert scene.flow.age(0, 245, 5.321) == 5.321
    assert scene.flow.age(0, 300, 0.25) == 0.25, "behind the last look"
    assert scene.flow.age(0, 300, -5.0) == 0.0


@pytest.mark.parametrize(
    ("claimed", "age"), [(2 * HOUR, 2 * HOUR), (0.0, 20.0), (3 * DAY, 20.0), (None, 20.0)]
)
def test_what_waited_before_the_first_look_is_believed_for_a_day(
    scene: Scene, claimed: float | None, age: float
) -> None:
    scene.run(20, 10, 10)
    assert scene.flow.age(0, 50, claimed) == age


def test_of_an_unknown_partition_nothing_but_a_sane_time_is_known(scene: Scene) -> None:
    assert scene.flow.age(7, 3, 12.0) == 12.0
    assert scene.flow.age(7, 3, -12.0) == 0.0
    assert scene.flow.age(7, 3, KEEP + 1) is None
    assert scene.flow.age(7, 3, None) is None


def test_a_day_of_looks_fits_and_tells_old_arrivals_to_a_seventh(scene: Scene) -> None:
    scene.run(int(1.2 * DAY), 1, 1)
    assert len(scene.flow._looks) < 200
    for age in (60.0, 600.0, HOUR, 10 * HOUR):
        offset = 100 + int(scene.now - 1000 - age)
        found = scene.flow.age(0, offset, -HOUR)
        assert found == pytest.approx(age, rel=0.2)


def test_of_very_many_partitions_few_looks_are_kept(scene: Scene) -> None:
    positions = {number: Positions(0, 1, 1) for number in range(5000)}
    for _ in range(100):
        scene.flow.note(scene.now, positions)
        scene.now += 2
    assert len(scene.flow._looks) == 15
