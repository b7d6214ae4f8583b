"""Which classifier answers a request: the one that it was taken with, while another takes over.

A picture is prepared for one classifier, and no other one can look at it. So each request holds a
lease on a classifier from when it is taken until its verdict is there, and a classifier that was
replaced stays until nobody holds it any more. Requests of the one and of the other are never in one
batch: each classifier has its own, as large and as many at a time as suit it.

Two more may stand beside it, whatever takes over: a canary, which answers a share of the requests,
and an onlooker, which sees the pictures of a share and what was answered.
"""

import asyncio
from collections.abc import Callable
from typing import Protocol

from catdog_stream.models.classifier import Classifier, Prepared
from catdog_stream.models.verdict import Verdict
from catdog_stream.pipeline.batch_policy import BatchPolicy
from catdog_stream.pipeline.batching import Batcher
from catdog_stream.pipeline.model_runner import ModelRunner
from catdog_stream.pipeline.sampling import Sample
from catdog_stream.wire import Source

__all__ = ["PARALLEL_BATCHES", "Lease", "Serving", "ShadowTap"]

#: Batches in a model at a time: when threads run out of work at the end of one, the other is there.
#: A GPU takes one after the other.
PARALLEL_BATCHES = 2


class _Deployment:
    """A classifier in service."""

    def __init__(self, runner: ModelRunner, max_wait: float) -> None:
        classifier = runner.classifier
        on_gpu = classifier.on_gpu
        self.runner = runner
        self.batcher: Batcher[Prepared, Verdict] = Batcher(
            runner.classify,
            # Batches side by side do not tell what one costs, and on a CPU waiting never pays.
            BatchPolicy(max_batch=classifier.batch_size, max_wait=max_wait if on_gpu else 0.0),
            parallel=1 if on_gpu else PARALLEL_BATCHES,
        )
        self.leases = 0
        #: Set when nobody holds it any more; there once another one has taken over.
        self.nobody: asyncio.Event | None = None
        self.batching: asyncio.Task[None] | None = None

    async def stop(self) -> None:
        if self.batching is not None:
            self.batching.cancel()
            await asyncio.wait({self.batching})
        await self.runner.stop()


class Lease:
    """A request's hold on a classifier, until ``release``. Belongs to the event loop."""

    __slots__ = ("_released", "_stand")

    def __init__(self, stand: _Deployment) -> None:
        self._stand = stand
        self._released = False
        stand.leases += 1

    def prepare(self, data: bytes) -> Prepared:
        """Decode one picture. Thread-safe. Raises ``RejectedRequest`` if it is bad."""
        return self._stand.runner.prepare(data)

    def classify(
        self, picture: Prepared, on_begin: Callable[[], object] | None = None
    ) -> asyncio.Future[Verdict]:
        """What becomes of a picture that was prepared with this lease.

        ``on_begin`` is called as the model gets it. Raises ``RejectedRequest`` if the model did not
        answer in time.
        """
        return self._stand.batcher.submit(picture, on_begin)

    def release(self) -> None:
        """Let the classifier go; a second time does nothing."""
        if self._released:
            return
        self._released = True
        stand = self._stand
        stand.leases -= 1
        if stand.nobody is not None and not stand.leases:
            stand.nobody.set()


class ShadowTap(Protocol):
    """Sees pictures and what was answered. It is asked in the event loop, and must not block it."""

    @property
    def sample(self) -> Sample:
        """The requests that it wants to see."""

    def see(self, source: Source, picture: bytes, verdict: Verdict) -> None:
        """Take note of an answer."""


class _WatchedLease(Lease):
    """One whose picture and verdict an onlooker sees."""

    __slots__ = ("_onlooker", "_picture", "_source")

    def __init__(self, stand: _Deployment, source: Source, onlooker: ShadowTap) -> None:
        super().__init__(stand)
        self._source = source
        self._onlooker = onlooker

    def prepare(self, data: bytes) -> Prepared:
        self._picture = data
        return super().prepare(data)

    def classify(
        self, picture: Prepared, on_begin: Callable[[], object] | None = None
    ) -> asyncio.Future[Verdict]:
        answer = super().classify(picture, on_begin)
        answer.add_done_callback(self._show)
        return answer

    def _show(self, answer: asyncio.Future[Verdict]) -> None:
        if not answer.cancelled() and answer.exception() is None:
            self._onlooker.see(self._source, self._picture, answer.result())


class Serving:
    """Has one classifier answer what comes, and another one take over.

    Args:
        max_wait: longest that a picture may wait for others to share a batch with, in seconds.
        on_failure: called with what ended the making of batches.
    """

    def __init__(self, *, max_wait: float, on_failure: Callable[[BaseException], object]) -> None:
        self._max_wait = max_wait
        self._on_failure = on_failure
        self._current: _Deployment | None = None
        self._canary: tuple[_Deployment, Sample] | None = None
        self._onlooker: ShadowTap | None = None
        self._retiring: set[_Deployment] = set()

    @property
    def classifier(self) -> Classifier:
        """What answers the next request, but for those of the canary."""
        return self._now.runner.classifier

    @property
    def canary(self) -> Classifier | None:
        """What answers a share of the requests."""
        return None if self._canary is None else self._canary[0].runner.classifier

    @property
    def problems(self) -> list[str]:
        """Return the reason why a classifier that serves cannot be replaced by a sound one."""
        stands = (self._current, None if self._canary is None else self._canary[0])
        return [
            stand.runner.problem
            for stand in stands
            if stand is not None and stand.runner.problem is not None
        ]

    @property
    def _now(self) -> _Deployment:
        if self._current is None:
            raise RuntimeError("No classifier is in service yet.")
        return self._current

    def lease(self, source: Source) -> Lease:
        """A hold on the classifier that answers a request now, for the request at ``source``."""
        stand = self._now
        if self._canary is not None and source in self._canary[1]:
            stand = self._canary[0]
        if self._onlooker is not None and source in self._onlooker.sample:
            return _WatchedLease(stand, source, self._onlooker)
        return Lease(stand)

    def watch(self, onlooker: ShadowTap) -> None:
        """Show ``onlooker`` what is answered of the requests taken from now on."""
        self._onlooker = onlooker

    def share(self, runner: ModelRunner, sample: Sample) -> None:
        """Have ``runner``, which was started, answer ``sample`` from now on: it is the canary."""
        self._canary = self._begun(runner), sample

    async def take_over(self, runner: ModelRunner) -> None:
        """Have ``runner``, which was started, answer what is taken from now on.

        Returns once nobody holds the classifier that was in service before, which is then stopped.
        """
        before = self._current
        self._current = self._begun(runner)
        if before is not None:
            self._retiring.add(before)
            if before.leases:
                before.nobody = asyncio.Event()
                await before.nobody.wait()
            self._retiring.discard(before)
            await before.stop()

    async def stop(self) -> None:
        """Stop every classifier, whoever holds it."""
        canary = () if self._canary is None else self._canary[:1]
        current = () if self._current is None else (self._current,)
        for stand in (*self._retiring, *current, *canary):
            await stand.stop()

    def _begun(self, runner: ModelRunner) -> _Deployment:
        stand = _Deployment(runner, self._max_wait)
        stand.batching = asyncio.get_running_loop().create_task(stand.batcher.run())
        stand.batching.add_done_callback(self._on_done)
        return stand

    def _on_done(self, batching: "asyncio.Task[None]") -> None:
        if not batching.cancelled() and (error := batching.exception()) is not None:
            self._on_failure(error)
