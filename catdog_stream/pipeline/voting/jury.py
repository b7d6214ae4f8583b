"""Decides the requests of all partitions: each has a task, which decides them in their order.

A ``Clerk`` puts the records into dockets as they are read, a ``Judge`` decides what is due; when
that is, and what there is room for, is known here.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence

from catdog_stream.models.deciding import Rule
from catdog_stream.pipeline.answering import Answering, Job
from catdog_stream.pipeline.voting.absence import Absence
from catdog_stream.pipeline.voting.bench import LOOK_SECONDS, Bench, Paper, acknowledge
from catdog_stream.pipeline.voting.clerk import Clerk
from catdog_stream.pipeline.voting.docket import Docket
from catdog_stream.pipeline.voting.judge import Judge, Requests
from catdog_stream.pipeline.voting.room import Room
from catdog_stream.votes import Closing

__all__ = ["Jury"]


class Jury:
    """Decides requests.

    Args:
        voters: who is expected to vote.
        rule: how votes become a verdict.
        deadline: seconds from the first vote on a request until it is decided without the others.
        topic: of the requests.
        answering: publishes the decisions.
        requests: what is known of the requests.
        close: writes into the log of the votes that deadlines have passed.
        first: tells the first request of a partition that was not decided, as it was committed.
        on_failure: called once with what made deciding impossible.
        clock: seconds that never go back.
        room: for the votes that wait.
    """

    def __init__(
        self,
        voters: Sequence[str],
        *,
        rule: Rule,
        deadline: float,
        topic: str,
        answering: Answering[Job],
        requests: Requests,
        close: Callable[[Closing], Awaitable[object]],
        first: Callable[[int], int | None],
        on_failure: Callable[[BaseException], object],
        clock: Callable[[], float] = time.perf_counter,
        room: Room | None = None,
    ) -> None:
        self._voters = voters
        self._deadline = deadline
        self._topic = topic
        self._answering = answering
        self._close = close
        self._first = first
        self._on_failure = on_failure
        self._clock = clock
        self._room = Room() if room is None else room
        self._absence = Absence(voters)
        self._clerk = Clerk(topic, clock)
        self._judge = Judge(
            rule=rule,
            deadline=deadline,
            topic=topic,
            answering=answering,
            requests=requests,
            room=self._room,
            absence=self._absence,
            clock=clock,
        )
        self._benches: dict[int, Bench] = {}
        self._tasks: dict[int, asyncio.Task[None]] = {}

    @property
    def pending(self) -> int:
        """Requests that wait for votes."""
        return sum(len(bench.docket) for bench in self._benches.values())

    @property
    def classes(self) -> Sequence[str]:
        """What the voters tell apart; nothing before the first verdict."""
        return self._judge.classes

    @property
    def absent(self) -> list[str]:
        """Sentences about the voters that the latest decision had to do without."""
        return self._absence.problems()

    @property
    def gaps(self) -> list[str]:
        """What keeps requests from being decided though their deadlines have passed."""
        return self._room.problems(self._held)

    @property
    def full(self) -> bool:
        """Whether so much is held that nothing more is read until something is decided."""
        return self._room.is_full(self._held)

    @property
    def _held(self) -> int:
        return sum(bench.docket.bytes for bench in self._benches.values())

    async def stop(self) -> None:
        """Forget what is undecided, unacknowledged: Kafka will deliver it again."""
        await self._forget()
        await self._answering.stop()

    async def abandon(self) -> None:
        """Forget what is undecided or not confirmed, and be ready for what comes next."""
        await self._forget()
        await self._answering.abandon()

    async def _forget(self) -> None:
        tasks = tuple(self._tasks.values())
        self._tasks.clear()
        self._benches.clear()
        self._room.forget_gaps()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def submit(self, paper: Paper) -> None:
        """Take a record, as soon as there is room for one more."""
        self._room.tell(self._held)
        while self.full and paper.is_current():
            await asyncio.sleep(LOOK_SECONDS)
            self._room.tell(self._held)
        if not paper.is_current():
            return
        bench = self._bench(paper)
        self._clerk.enter(paper, bench.docket)
        bench.tell()
        await acknowledge(bench.docket.free())

    def _bench(self, paper: Paper) -> Bench:
        bench = self._benches.get(paper.partition)
        if bench is None or not bench.is_current():
            first = self._first(paper.partition)
            docket: Docket[Paper] = Docket(self._voters, deadline=self._deadline, first=first)
            bench = self._benches[paper.partition] = Bench(docket, paper)
            if (task := self._tasks.pop(paper.partition, None)) is not None:
                task.cancel()
            task = asyncio.get_running_loop().create_task(self._serve(bench))
            task.add_done_callback(self._on_done)
            self._tasks[paper.partition] = task
        return bench

    def _on_done(self, task: "asyncio.Task[None]") -> None:
        if not task.cancelled() and (error := task.exception()) is not None:
            self._on_failure(error)

    async def _serve(self, bench: Bench) -> None:
        """Decide what is due, for as long as the partition is this process's."""
        while bench.is_current():
            await self._close_overdue(bench)
            if not bench.docket.is_ready:
                await bench.wait(self._seconds_to_wait(bench.docket))
            elif not await self._answering.room():
                break
            elif not await self._judge.decide(bench):
                await asyncio.sleep(LOOK_SECONDS)
        if self._benches.get(bench.partition) is bench:
            self._room.end_gap(bench.partition)
            # The votes that it held are read again, by whoever has it.
            del self._benches[bench.partition]

    async def _close_overdue(self, bench: Bench) -> None:
        """Have the log say that deadlines have passed; it is read there, behind votes in time."""
        if self.full:
            # It would never be read, nor what was written before there was no room. Only here may
            # a request be decided otherwise after a crash.
            bench.docket.close_head(self._clock())
        elif overdue := bench.docket.overdue(self._clock()):
            await self._close(Closing(self._topic, bench.partition, tuple(overdue)))

    def _seconds_to_wait(self, docket: Docket[Paper]) -> float:
        # While there is no room, deadlines that have passed are not told, and stay the next ones.
        deadline = None if self.full else docket.next_deadline()
        return LOOK_SECONDS if deadline is None else min(deadline - self._clock(), LOOK_SECONDS)
