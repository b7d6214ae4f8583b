"""Inference in separate threads, with a deadline, and replacement of a model that hangs."""

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

#: Errors that an asyncio future treats as its own cancellation, or cannot hold at all.
_NO_RESULT = (StopIteration, CancelledError)

#: Number of parts of a deadline. A pause of the process counts as one part at most.
PARTS = 20


async def _is_there(answer: asyncio.Future[T], seconds: float) -> bool:
    """Return whether the answer arrives while this process runs for ``seconds``."""
    for _ in range(PARTS):
        done, _ = await asyncio.wait((answer,), timeout=seconds / PARTS)
        if done:
            return True
    return False


def _close_late(loading: "asyncio.Future[Classifier]") -> None:
    if not loading.cancelled() and loading.exception() is None:
        loading.result().close()


class ModelRunner:
    """Runner of inference outside the event loop.

    A hanging thread cannot be ended. It is abandoned with its model, and a new model takes over in
    a new thread; after too many hangs the process must be replaced. If no new model can be loaded,
    the previous one continues in new threads, with the same limit.

    Args:
        load: loads a model and warms it up; blocks.
        parallel: number of batches that the model gets at a time.
        timeout: seconds for one batch, counted only while this process runs: after the process was
            stopped and continued, or the machine slept, a good model does not count as hung.
        max_hangs: number of hangs at which ``on_failure`` is called.
        on_failure: called with the reason why the process must be replaced.
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
        #: Why a hung model could not be replaced; ``None`` if it was, or none hung.
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
        """True once the model is loaded and has answered its first picture."""
        return self._classifier is not None

    async def start(self, seconds: float = math.inf) -> None:
        """Load the model.

        If the start is cancelled, or takes more than ``seconds``, its thread is abandoned; a model
        that it still loads is closed.

        Raises:
            StackError: the model cannot be used, or was not loaded in time.
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
        """Return a verdict for each picture.

        Raises:
            RejectedRequest: ``timeout``, the model did not answer in time; ``bad_verdict``, its
                answer is not a valid verdict.
        """
        async with self._changing:  # during a replacement, wait for the new model
            classifier, threads = self.classifier, self._threads
        if self._ended:
            await asyncio.get_running_loop().create_future()  # never: Kafka delivers it again
        answer = asyncio.get_running_loop().run_in_executor(
            threads, self._timed, classifier, pictures
        )
        if await _is_there(answer, self._timeout):
            return answer.result()
        if not await self._replace(threads, len(pictures)):
            # Another batch hung, and this batch may only have waited behind that one.
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
        """Replace the hung model; return false if another batch has had it replaced already."""
        async with self._changing:
            if hung is not self._threads:
                return False
            logger.warning("The model hangs on a batch of %d; replacing it.", batch)
            self._hangs += 1
            self._leave_threads()
            try:
                await self.start(deadlines.STACK_LOADED)
            except Exception as error:  # a custom model may raise anything
                self._leave_threads()  # the load may hang in them
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
        """Request a new process; without a working model, answer nothing until then."""
        self._ended = self.problem is not None
        more = f" {self.problem}" if self.problem is not None else ""
        self._on_failure(HungModelError(f"The model hung {self._hangs} times.{more}"))

    def _leave_threads(self) -> None:
        self._threads.shutdown(wait=False)
        self._threads = self._new_threads()

    def _new_threads(self) -> ThreadPoolExecutor:
        return ThreadPoolExecutor(self._parallel, thread_name_prefix="model")

    async def stop(self) -> None:
        """Close the model after its last batch; never wait for a thread that hangs."""
        hung = self._hangs > 0
        await asyncio.to_thread(self._threads.shutdown, wait=not hung, cancel_futures=True)
        if self._classifier is not None and not hung:
            self._classifier.close()
