"""Tests of a shadow in a process of its own: its failures do not affect the worker."""

import os
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from catdog_stream.errors import StackError
from catdog_stream.messages.wire import Source
from catdog_stream.models.stacks.locate import default_stack
from catdog_stream.models.stacks.stack import ModelStack
from catdog_stream.models.verdict import Verdict
from catdog_stream.pipeline.sampling import Sample
from catdog_stream.pipeline.shadow.child import Child, ShadowError
from catdog_stream.pipeline.shadow.process import Assignment
from catdog_stream.pipeline.shadow.waiting import Seen
from catdog_stream.pipeline.shadow.watching import MOST_WAITING, Shadow
from catdog_stream.testing import wait_until
from tests.support.odd_shadow import BROKEN, ENDS, HANGS, RAISES
from tests.support.pictures import sample_files
from tests.support.shade import Shade, grey
from tests.support.stacks import DEFAULT, in_header

# A shadow has the lowest priority: it needs a core that the other tests leave free.
pytestmark = pytest.mark.slow

SECONDS = 30.0
ALL = Sample(b"shadow", 1.0)


def assignment(directory: Path, folder: Path | None = None) -> Assignment:
    kept = None if folder is None else str(folder)
    return Assignment(str(directory), "litert", None, 10**6, 10**6, kept)


@contextmanager
def contrary(
    told: Path, folder: Path | None = None, patience: float = 5.0
) -> Iterator[tuple[Shadow, Callable[[int], None]]]:
    """Yield a shadow that disagrees, and a function that shows it a shade of grey and a verdict."""
    shadow = Shadow(
        ALL,
        lambda: assignment(told, folder),
        patience=patience,
        module="tests.support.odd_shadow",
        pause=0.05,
    )
    first = Shade("first")
    shown = iter(range(1_000_000))

    def show(shade: int) -> None:
        (verdict,) = first.classify([first.prepare(grey(shade))])
        shadow.see(Source("catdogimage", 0, next(shown)), grey(shade), verdict)

    shadow.start()
    try:
        yield shadow, show
    finally:
        shadow.stop()


def compared(shadow: Shadow) -> int:
    return sum(tally.compared for tally in shadow.tallies.values())


def starts(told: Path) -> list[tuple[int, int]]:
    """Return the process id and priority of each start."""
    lines = told.read_text().splitlines() if told.exists() else []
    return [(int(pid), int(nice)) for pid, nice in map(str.split, lines)]


def is_gone(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return True
    return False


def test_a_real_stack_agrees_with_itself(tmp_path: Path) -> None:
    stack = ModelStack.load(default_stack(), engine="litert", threads=1)
    shadow = Shadow(ALL, lambda: assignment(default_stack(), tmp_path), patience=SECONDS)
    shadow.start()
    try:
        for offset, file in enumerate(sample_files()):
            picture = file.read_bytes()
            (verdict,) = stack.classify([stack.prepare(picture)])
            shadow.see(Source("catdogimage", 0, offset), picture, verdict)
        wait_until(lambda: compared(shadow) == 3, "the shadow to look", SECONDS)
        assert shadow.stack == in_header(DEFAULT)
        assert shadow.problem is None
        tally = shadow.tallies[in_header(DEFAULT)]
        assert (tally.agreed, tally.largest) == (3, 0.0)
        assert list(tmp_path.iterdir()) == []
    finally:
        shadow.stop()
        stack.close()


def test_what_it_says_is_counted_and_what_it_disagrees_about_is_kept(tmp_path: Path) -> None:
    folder = tmp_path / "kept"
    folder.mkdir()
    with contrary(tmp_path / "told", folder) as (shadow, show):
        for shade in (0, 51, 102, 153):
            show(shade)
        wait_until(lambda: compared(shadow) == 4, "the shadow to look", SECONDS)
        (tally,) = shadow.tallies.values()
        assert (tally.agreed, tally.disagreed) == (0, 4)
        assert tally.largest == 1.0
        assert tally.mean == pytest.approx((1 + 0.6 + 0.2 + 0.2) / 4)
        assert len(list(folder.glob("*.png"))) == len(list(folder.glob("*.json"))) == 4


def test_verdicts_of_a_stack_with_other_classes_are_not_compared(tmp_path: Path) -> None:
    with contrary(tmp_path / "told") as (shadow, show):
        verdict = Verdict({"bus": 0.5, "van": 0.5}, "cars 1")
        shadow.see(Source("catdogimage", 0, 1), grey(0), verdict)
        wait_until(lambda: shadow.problem is not None, "the problem to show", SECONDS)
        assert shadow.problem == (
            "The shadow contrary 1 has the classes dark, light, and cars 1 has bus, van: "
            "their verdicts cannot be compared."
        )
        assert shadow.tallies == {}
        show(0)  # after a rollout of a stack with its classes
        wait_until(lambda: compared(shadow) == 1, "the next one", SECONDS)
        assert shadow.problem is None


def test_it_has_the_lowest_priority_and_ends_with_the_worker(tmp_path: Path) -> None:
    with contrary(tmp_path / "told") as (shadow, _):
        wait_until(lambda: shadow.stack is not None, "it to load", SECONDS)
        ((pid, priority),) = starts(tmp_path / "told")
        assert priority == 19
        # In another session Linux would give it the same share of the cores as the worker.
        assert os.getsid(pid) == os.getsid(0)
        assert os.getpgid(pid) != os.getpgid(0)
    assert is_gone(pid)


def test_one_picture_that_it_fails_on_costs_no_other(tmp_path: Path) -> None:
    with contrary(tmp_path / "told") as (shadow, show):
        show(RAISES)
        wait_until(lambda: shadow.problem is not None, "the problem to show", SECONDS)
        assert "no such shade" in str(shadow.problem)
        show(0)
        wait_until(lambda: compared(shadow) == 1, "the next one", SECONDS)
        assert shadow.problem is None
        assert len(starts(tmp_path / "told")) == 1


@pytest.mark.parametrize("shade", [0, HANGS])
def test_its_process_ends_when_the_worker_is_gone_whatever_it_is_at(
    tmp_path: Path, shade: int
) -> None:
    child = Child("tests.support.odd_shadow")
    try:
        child.begin(assignment(tmp_path / "told"), SECONDS)
        ((pid, _),) = starts(tmp_path / "told")
        verdict = Verdict({"dark": 1.0, "light": 0.0}, "first 1")
        with suppress(ShadowError):
            child.look(Seen(Source("catdogimage", 0, 0), grey(shade), verdict), 0.5)
        child._connection.close()  # as the kernel does when the worker is killed
        wait_until(lambda: child._process.poll() == 0, "it to end", SECONDS)
        assert is_gone(pid)
    finally:
        child.close()


@pytest.mark.parametrize(("shade", "why"), [(HANGS, "did not answer"), (ENDS, "status 7")])
def test_one_that_hangs_or_ends_is_started_anew(tmp_path: Path, shade: int, why: str) -> None:
    with contrary(tmp_path / "told", patience=1.0) as (shadow, show):
        show(shade)
        wait_until(lambda: shadow.problem is not None, "it to fail", SECONDS)
        assert why in str(shadow.problem)
        show(0)
        wait_until(lambda: compared(shadow) == 1, "the next one", SECONDS)
        assert shadow.problem is None
        first, second = starts(tmp_path / "told")
        assert is_gone(first[0])
        assert not is_gone(second[0])


def test_whoever_shows_it_a_picture_never_waits(tmp_path: Path) -> None:
    """Freeze the shadow, with more pictures than it can queue; it must still stop."""
    with contrary(tmp_path / "told", patience=1000) as (shadow, _):
        wait_until(lambda: shadow.stack is not None, "it to load", SECONDS)
        ((pid, _),) = starts(tmp_path / "told")
        os.kill(pid, signal.SIGSTOP)
        large = grey(0) + b"\0" * 900_000  # more than a socket holds
        first = Shade("first")
        (verdict,) = first.classify([first.prepare(large)])

        def see() -> int:
            shadow.see(Source("catdogimage", 0, 0), large, verdict)
            return shadow.dropped

        started = time.monotonic()
        dropped = [see() for _ in range(2 * MOST_WAITING + 10)][-1]
        assert time.monotonic() - started < 1
        assert dropped >= MOST_WAITING
        # There is capacity for one more when the first one is on its way; the frozen shadow reads
        # none.
        wait_until(lambda: shadow.dropped == see(), "the first one to be handed over", SECONDS)
    assert is_gone(pid)


def test_a_stack_that_cannot_be_used_is_tried_again_and_says_why(tmp_path: Path) -> None:
    names = [BROKEN, "told"]
    shadow = Shadow(
        ALL,
        lambda: assignment(tmp_path / names[0]),
        patience=5,
        module="tests.support.odd_shadow",
        pause=0.05,
    )
    shadow.start()
    try:
        wait_until(lambda: shadow.problem == "broken cannot be used.", "the sentence", SECONDS)
        del names[0]  # the stack is repaired
        wait_until(lambda: shadow.stack == "contrary 1", "it to look on", SECONDS)
        assert shadow.problem is None
    finally:
        shadow.stop()


def test_a_stack_that_is_not_there_says_so_too() -> None:
    def assign() -> Assignment:
        raise StackError("There is no stack pets/9 in /srv/stacks.")

    shadow = Shadow(ALL, assign, patience=5)
    shadow.start()
    try:
        wait_until(lambda: shadow.problem is not None, "the sentence", SECONDS)
        assert shadow.problem == "There is no stack pets/9 in /srv/stacks."
    finally:
        shadow.stop()


def test_a_folder_that_cannot_be_written_costs_no_comparison(tmp_path: Path) -> None:
    with contrary(tmp_path / "told", tmp_path / "nowhere") as (shadow, show):
        show(0)
        show(1)
        wait_until(lambda: compared(shadow) == 2, "the shadow to look", SECONDS)
        assert "nowhere cannot be used: No such file" in str(shadow.problem)
