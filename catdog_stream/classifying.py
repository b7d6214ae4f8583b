"""The model as part of a worker: loaded and warm before the first request is taken."""

import asyncio
import logging
import os
from typing import TYPE_CHECKING, Any

from mode import Service

from catdog_stream.models.locate import default_stack
from catdog_stream.models.pictures import PictureLimits
from catdog_stream.models.stack import ModelStack
from catdog_stream.pipeline import Pipeline
from catdog_stream.publishing import KafkaPublisher
from catdog_stream.settings import Settings
from catdog_stream.topics import LABELS, REJECTED

if TYPE_CHECKING:
    from catdog_stream.application import CatDogApp

__all__ = ["Classifying", "load_stack"]

logger = logging.getLogger(__name__)

#: Pictures in one call of the model. Larger batches gain nothing on a CPU.
MAX_BATCH = 8
#: Requests taken and not yet acknowledged: enough that the model never waits for a picture.
MAX_IN_FLIGHT = 4 * MAX_BATCH


def load_stack(settings: Settings) -> ModelStack:
    """The stack that the settings name. Raises ``StackError``."""
    return ModelStack.load(
        settings.stack or default_stack(),
        engine=settings.engine,
        threads=settings.threads,
        limits=PictureLimits(
            max_bytes=settings.max_image_bytes, max_pixels=settings.max_image_pixels
        ),
    )


def _load_warm(settings: Settings) -> ModelStack:
    stack = load_stack(settings)
    stack.warm_up()
    logger.info("Stack %s %s is warm, engine %s.", stack.name, stack.version, stack.engine)
    return stack


class Classifying(Service):
    """Owns the model stack and the pipeline around it."""

    def __init__(self, app: "CatDogApp", **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.app = app
        self._pipeline: Pipeline | None = None
        self._stack: ModelStack | None = None

    @property
    def warm(self) -> bool:
        """Whether the model has answered its first picture."""
        return self._pipeline is not None

    @property
    def pipeline(self) -> Pipeline:
        """What answers requests; there once the service has started."""
        if self._pipeline is None:
            raise RuntimeError("The model is not loaded yet.")
        return self._pipeline

    async def on_start(self) -> None:
        """Load the stack and warm it up."""
        stack = self._stack = await asyncio.to_thread(_load_warm, self.app.settings)
        settings = self.app.settings
        self._pipeline = Pipeline(
            stack,
            KafkaPublisher(
                self.app,
                stack=f"{stack.name} {stack.version}",
                partitions={
                    topic: self.app.gate.partitions.get(topic, settings.partitions)
                    for topic in (LABELS, REJECTED)
                },
                max_bytes=settings.max_answer_bytes,
            ),
            on_failure=self._on_failure,
            max_image_bytes=settings.max_image_bytes,
            max_in_flight=MAX_IN_FLIGHT,
            max_batch=MAX_BATCH,
            decode_threads=min(4, os.cpu_count() or 1),
        )
        self._pipeline.start()

    async def on_stop(self) -> None:
        """Stop the pipeline and free the model."""
        if self._pipeline is not None:
            await self._pipeline.stop()
        if self._stack is not None:
            self._stack.close()

    def _on_failure(self, error: BaseException) -> None:
        logger.critical("Answers cannot be published: %r. The worker stops.", error)
        asyncio.get_running_loop().create_task(self.app.crash(error))
