"""Runs the model in a thread of its own, with a deadline, and replaces one that hangs."""

import asyncio
import logging
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor

from catdog_stream import metrics
from catdog_stream.errors import HungModelError, RejectedRequest
from catdog_stream.models.pictures import Picture
from catdog_stream.models.stack import Classifier, Verdict

__all__ = ["ModelRunner"]

logger = logging.getLogger(__name__)


class ModelRunner:
    """Classifies off the event loop.

    A thread that hangs cannot be ended. It is left behind with the model it holds, and a new
    model takes over in a new thread; after too many of them the process has to be replaced.

    Args:
        load: loads a model and warms it up; blocks.
        timeout: seconds that one batch may take.
        max_hangs: models that may hang before ``on_failure`` is called.
        on_failure: called with the reason for which the process must be replaced.
    """

    def __init__(
        self,
        load: Callable[[], Classifier],
        *,
        timeout: float,
        max_hangs: int,
        on_failure: Callable[[BaseException], object],
    ) -> None:
        self._load = load
        self._timeout = timeout
        self._max_hangs = max_hangs
        self._on_failure = on_failure
        self._hangs = 0
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="model")
        self._classifier: Classifier | None = None

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

    async def start(self) -> None:
        """Load the model. Raises ``StackError``."""
        self._classifier = await asyncio.get_running_loop().run_in_executor(
            self._thread, self._load
        )

    def prepare(self, data: bytes) -> Picture:
        """Decode one picture. Thread-safe. Raises ``RejectedRequest`` if it is bad."""
        return self.classifier.prepare(data)

    async def classify(self, pictures: Sequence[Picture]) -> list[Verdict]:
        """A verdict for each picture.

        Raises:
            RejectedRequest: ``timeout``, the model did not answer in time.
        """
        loop = asyncio.get_running_loop()
        answer = loop.run_in_executor(self._thread, self._timed, pictures)
        try:
            return await asyncio.wait_for(answer, self._timeout)
        except TimeoutError:
            logger.warning("The model hangs on a batch of %d; replacing it.", len(pictures))
            await self._replace()
            detail = f"The model did not answer within {self._timeout:g} s."
            raise RejectedRequest("timeout", detail) from None

    def _timed(self, pictures: Sequence[Picture]) -> list[Verdict]:
        metrics.BATCH_PICTURES.observe(len(pictures))
        with metrics.INFERENCE_SECONDS.time():
            return self.classifier.classify(pictures)

    async def _replace(self) -> None:
        self._hangs += 1
        self._thread.shutdown(wait=False)
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="model")
        await self.start()
        if self._hangs >= self._max_hangs:
            self._on_failure(HungModelError(f"The model hung {self._hangs} times."))

    async def stop(self) -> None:
        """Free the model, once it has finished its batch; never waits for a thread that hangs."""
        hung = self._hangs > 0
        await asyncio.to_thread(self._thread.shutdown, wait=not hung, cancel_futures=True)
        if self._classifier is not None and not hung:
            self._classifier.close()
