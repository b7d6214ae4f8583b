"""Classifiers in service: a request keeps its classifier while another one takes over.

A picture is prepared for one classifier, and no other one can classify it. So each request holds a
lease on a classifier from the moment it is taken until its verdict is known, and a replaced
classifier stays until its last lease is released. Requests of different classifiers never share a
batch: each classifier has its own batcher, with a suitable size and number of batches.

Two more may run beside it, and a takeover does not change them: a canary, which answers a share of
the requests, and a shadow tap, which receives the pictures and verdicts of a share.
"""

import asyncio
from collections.abc import Callable
from typing import Protocol

from catdog_stream.messages.wire import Source
from catdog_stream.models.classifier import Classifier, Prepared
from catdog_stream.models.verdict import Verdict
from catdog_stream.pipeline.batch_policy import BatchPolicy
from catdog_stream.pipeline.batching import Batcher
from catdog_stream.pipeline.model_runner import ModelRunner
from catdog_stream.pipeline.sampling import Sample

__all__ = ["PARALLEL_BATCHES", "Lease", "Serving", "ShadowTap"]

#: Number of batches in a model at a time on a CPU: threads that are idle at the end of one batch
#: continue with the other. A GPU processes one after the other.
PARALLEL_BATCHES = 2


class _Deployment:
    """Classifier in service, with its batcher and the number of its leases."""

    def __init__(self, runner: ModelRunner, max_wait: float) -> None:
        classifier = runner.classifier
        on_gpu = classifier.on_gpu
        self.runner = runner
        self.batcher: Batcher[Prepared, Verdict] = Batcher(
            runner.classify,
            # Parallel batches do not show the cost of one, and on a CPU waiting never pays.
            BatchPolicy(max_batch=classifier.batch_size, max_wait=max_wait if on_gpu else 0.0),
            parallel=1 if on_gpu else PARALLEL_BATCHES,
        )
        self.leases = 0
        #: Set when the last lease is released; exists once another classifier has taken over.
        self.nobody: asyncio.Event | None = None
        self.batching: asyncio.Task[None] | None = None

    async def stop(self) -> None:
        if self.batching is not None:
            self.batching.cancel()
            await asyncio.wait({self.batching})
        await self.runner.stop()


class Lease:
    """A request's hold on a classifier, until ``release``. Only ``prepare`` is thread-safe."""

    __slots__ = ("_deployment", "_released")

    def __init__(self, deployment: _Deployment) -> None:
        self._deployment = deployment
        self._released = False
        deployment.leases += 1

    def prepare(self, data: bytes) -> Prepared:
        """Decode one picture. Thread-safe. Raises ``RejectedRequest`` if it is bad."""
        return self._deployment.runner.prepare(data)

    def classify(
        self, picture: Prepared, on_begin: Callable[[], object] | None = None
    ) -> asyncio.Future[Verdict]:
        """Return a future of the verdict on a picture that was prepared with this lease.

        The future raises ``RejectedRequest`` if the model does not answer in time.

        Args:
            picture: the prepared picture.
            on_begin: called when the model receives the picture.
        """
        return self._deployment.batcher.submit(picture, on_begin)

    def release(self) -> None:
        """Release the classifier; a second call does nothing."""
        if self._released:
            return
        self._released = True
        deployment = self._deployment
        deployment.leases -= 1
        if deployment.nobody is not None and not deployment.leases:
            deployment.nobody.set()


class ShadowTap(Protocol):
    """Receiver of pictures and verdicts. Called in the event loop, which it must not block."""

    @property
    def sample(self) -> Sample:
        """Sample of the requests that it receives."""

    def see(self, source: Source, picture: bytes, verdict: Verdict) -> None:
        """Process an answer."""


class _WatchedLease(Lease):
    """Lease that passes its picture and verdict to a shadow tap."""

    __slots__ = ("_picture", "_source", "_tap")

    def __init__(self, deployment: _Deployment, source: Source, tap: ShadowTap) -> None:
        super().__init__(deployment)
        self._source = source
        self._tap = tap

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
            self._tap.see(self._source, self._picture, answer.result())


class Serving:
    """The classifier in service, which another one can replace while requests arrive.

    Args:
        max_wait: longest time that a picture may wait for others to share a batch, in seconds.
        on_failure: called with the error that ended a batcher.
    """

    def __init__(self, *, max_wait: float, on_failure: Callable[[BaseException], object]) -> None:
        self._max_wait = max_wait
        self._on_failure = on_failure
        self._current: _Deployment | None = None
        self._canary: tuple[_Deployment, Sample] | None = None
        self._tap: ShadowTap | None = None
        self._retiring: set[_Deployment] = set()

    @property
    def classifier(self) -> Classifier:
        """The classifier for the next request, except for requests of the canary."""
        return self._now.runner.classifier

    @property
    def canary(self) -> Classifier | None:
        """The classifier that answers a share of the requests; ``None`` without a canary."""
        return None if self._canary is None else self._canary[0].runner.classifier

    @property
    def problems(self) -> list[str]:
        """Reasons why a classifier in service that hung could not be replaced by a new one."""
        deployments = (self._current, None if self._canary is None else self._canary[0])
        return [
            deployment.runner.problem
            for deployment in deployments
            if deployment is not None and deployment.runner.problem is not None
        ]

    @property
    def _now(self) -> _Deployment:
        if self._current is None:
            raise RuntimeError("No classifier is in service yet.")
        return self._current

    def lease(self, source: Source) -> Lease:
        """Return a lease on the classifier that answers the request at ``source``."""
        deployment = self._now
        if self._canary is not None and source in self._canary[1]:
            deployment = self._canary[0]
        if self._tap is not None and source in self._tap.sample:
            return _WatchedLease(deployment, source, self._tap)
        return Lease(deployment)

    def watch(self, tap: ShadowTap) -> None:
        """Pass the answers to requests that are taken from now on to ``tap``."""
        self._tap = tap

    def share(self, runner: ModelRunner, sample: Sample) -> None:
        """Make ``runner``, which was started, the canary: it answers ``sample`` from now on."""
        self._canary = self._begun(runner), sample

    async def take_over(self, runner: ModelRunner) -> None:
        """Make ``runner``, which was started, answer the requests that are taken from now on.

        Return once the last lease on the previous classifier is released and it is stopped.
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
        """Stop every classifier, even while leases on it exist."""
        canary = () if self._canary is None else self._canary[:1]
        current = () if self._current is None else (self._current,)
        for deployment in (*self._retiring, *current, *canary):
            await deployment.stop()

    def _begun(self, runner: ModelRunner) -> _Deployment:
        deployment = _Deployment(runner, self._max_wait)
        deployment.batching = asyncio.get_running_loop().create_task(deployment.batcher.run())
        deployment.batching.add_done_callback(self._on_done)
        return deployment

    def _on_done(self, batching: "asyncio.Task[None]") -> None:
        if not batching.cancelled() and (error := batching.exception()) is not None:
            self._on_failure(error)
