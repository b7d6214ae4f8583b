"""Runs the model in threads of its own, with a deadline, and replaces one that hangs."""

import asyncio
import logging
import math
from collections.abc import Callable, Sequence
from concurrent.futures import CancelledError, ThreadPoolExecutor
from typing import TypeVar

from catdog_stream import deadlines, metrics
from catdog_stream.errors import HungModelError, Reason, RejectedRequest, StackError
from catdog_stream.models.checked_verdicts import checked_verdicts
from catdog_stream.models.classifier import Classifier, Prepared
from catdog_stream.models.verdict import Verdict

__all__ = ["ModelRunner"]

logger = logging.getLogger(__name__)


T = TypeVar("T")

#: What a future of asyncio takes for its own end, or cannot hold at all.
_NO_RESULT = (StopIteration, CancelledError)

#: A deadline is waited for in so many parts, each of which counts as itself at most.
PARTS = 20


async def _is_there(answer: asyncio.Future[T], seconds: float) -> bool:
    """Whether the answer comes while this process runs so long."""
    for _ in range(PARTS):
        done, _ = await asyncio.wait((answer,), timeout=seconds / PARTS)
        if done:
            return True
    return False


def _close_late(loading: "asyncio.Future[Classifier]") -> None:
    if not loading.cancelled() and loading.exception() is None:
        loading.result().close()


class ModelRunner:
    """Classifies off the event loop.

    A thread that hangs cannot be ended. It is left behind with the model it holds, and a new
    model takes over in a new thread; after too many of them the process must be replaced. Where no
    new model can be loaded, the one before works in new threads, with the same limit.

    Args:
        load: loads a model and warms it up; blocks.
        parallel: batches that the model gets at a time.
        timeout: seconds that one batch may take, in which this process ran: one that was stopped
            and goes on, or a machine that slept, does not find a good model hung.
        max_hangs: models that may hang before ``on_failure`` is called.
        on_failure: called with the reason for which the process must be replaced.
    """

    def __init__(
        self,
        load: Callable[[], Classifier],
        *,
        parallel: int,
        timeout: float,
        max_hangs: int,
        on_failure: Callable[[BaseException], object],
    ) -> None:
        self._load = load
        self._timeout = timeout
        self._max_hangs = max_hangs
        self._on_failure = on_failure
        self._parallel = parallel
        self._hangs = 0
        self._ended = False
        #: Why no other model took the place of one that hung; ``None`` if one did.
        self.problem: str | None = None
        self._threads = self._new_threads()
        self._classifier: Classifier | None = None
        self._changing = asyncio.Lock()

    @property
    def classifier(self) -> Classifier:
        """The model in use."""
        if self._classifier is None:
            raise RuntimeError("The model is not loaded yet.")
        return self._classifier

    @property
    def warm(self) -> bool:
        """Whether the model is loaded and has answered its first picture."""
        return self._classifier is not None

    async def start(self, seconds: float = math.inf) -> None:
        """Load the model.

        The thread of a start that is cancelled, or takes more than ``seconds``, is left behind;
        what it loads after all is closed.

        Raises:
            StackError: it cannot be used, or was not there in time.
        """
        loading = asyncio.get_running_loop().run_in_executor(self._threads, self._load)
        try:
            if math.isinf(seconds):
                await asyncio.wait((loading,))
            elif not await _is_there(loading, seconds):
                raise StackError(f"It was not loaded within {seconds:g} s.")
        finally:
            if not loading.done():
                self._hangs += 1
                loading.add_done_callback(_close_late)
        self._classifier = loading.result()

    def prepare(self, data: bytes) -> Prepared:
        """Decode one picture. Thread-safe. Raises ``RejectedRequest`` if it is bad."""
        return self.classifier.prepare(data)

    async def classify(self, pictures: Sequence[Prepared]) -> list[Verdict]:
        """A verdict for each picture.

        Raises:
            RejectedRequest: ``timeout``, the model did not answer in time; ``bad_verdict``, it
                answered with something that is no verdict.
        """
        async with self._changing:  # while a model is replaced, the new one is waited for
            classifier, threads = self.classifier, self._threads
        if self._ended:
            await asyncio.get_running_loop().create_future()  # never: Kafka delivers it again
        answer = asyncio.get_running_loop().run_in_executor(
            threads, self._timed, classifier, pictures
        )
        if await _is_there(answer, self._timeout):
            return answer.result()
        if not await self._replace(threads, len(pictures)):
            # Another batch hung, and this one may only have waited behind it.
            return await self.classify(pictures)
        detail = f"The model did not answer within {self._timeout:g} s."
        raise RejectedRequest(Reason.TIMEOUT, detail)

    @staticmethod
    def _timed(classifier: Classifier, pictures: Sequence[Prepared]) -> list[Verdict]:
        metrics.BATCH_PICTURES.observe(len(pictures))
        with metrics.INFERENCE_SECONDS.time():
            try:
                verdicts = classifier.classify(pictures)
            except BaseException as error:
                if isinstance(error, Exception) and not isinstance(error, _NO_RESULT):
                    raise
                raise RuntimeError(f"The model raised {error!r}.") from error
        return checked_verdicts(verdicts, len(pictures), classifier.classes)

    async def _replace(self, hung: ThreadPoolExecutor, batch: int) -> bool:
        """Have another model answer; false if another batch has had it replaced already."""
        async with self._changing:
            if hung is not self._threads:
                return False
            logger.warning("The model hangs on a batch of %d; replacing it.", batch)
            self._hangs += 1
            self._leave_threads()
            try:
                await self.start(deadlines.STACK_LOADED)
            except Exception as error:  # of a model of any make
                self._leave_threads()  # where the load may hang
                reason = str(error) or repr(error)
                self.problem = f"The model hung, and no other could be loaded: {reason}"
                trace = None if isinstance(error, StackError) else error
                logger.warning("%s The one before works on.", self.problem, exc_info=trace)
            else:
                self.problem = None
            if self._hangs >= self._max_hangs:
                self._end()
        return True

    def _end(self) -> None:
        """Have the process replaced; without a model that works, nothing is answered before."""
        self._ended = self.problem is not None
        more = f" {self.problem}" if self.problem is not None else ""
        self._on_failure(HungModelError(f"The model hung {self._hangs} times.{more}"))

    def _leave_threads(self) -> None:
        self._threads.shutdown(wait=False)
        self._threads = self._new_threads()

    def _new_threads(self) -> ThreadPoolExecutor:
        return ThreadPoolExecutor(self._parallel, thread_name_prefix="model")

    async def stop(self) -> None:
        """Free the model, once it has finished its work; never waits for a thread that hangs."""
        hung = self._hangs > 0
        await asyncio.to_thread(self._threads.shutdown, wait=not hung, cancel_futures=True)
        if self._classifier is not None and not hung:
            self._classifier.close()
