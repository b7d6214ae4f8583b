"""The model as part of a worker: loaded and warm before the first request is taken."""

import logging
import os
from functools import partial
from typing import TYPE_CHECKING, Any

from mode import Service

from catdog_stream import metrics
from catdog_stream.model_runner import ModelRunner
from catdog_stream.models.locate import default_stack
from catdog_stream.models.pictures import PictureLimits
from catdog_stream.models.stack import ModelStack
from catdog_stream.pipeline import Pipeline
from catdog_stream.publishing import KafkaPublisher
from catdog_stream.rejection_limit import RejectionLimit
from catdog_stream.settings import Settings

if TYPE_CHECKING:
    from catdog_stream.application import CatDogApp

__all__ = ["Classifying", "load_stack"]

logger = logging.getLogger(__name__)

#: Pictures in one call of the model. Larger batches gain nothing on a CPU.
MAX_BATCH = 8
#: Requests taken and not yet acknowledged: enough that the model never waits for a picture.
MAX_IN_FLIGHT = 4 * MAX_BATCH
#: Models that may hang before the process is to be replaced: each keeps a core and its memory.
MAX_HANGS = 3
#: Answers over which the share of rejections is taken.
REJECTION_WINDOW = 1000


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
    """Owns the model and the pipeline around it."""

    def __init__(self, app: "CatDogApp", **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.app = app
        self._model: ModelRunner | None = None
        self._pipeline: Pipeline | None = None

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

    @property
    def in_flight(self) -> int:
        """Requests taken and not yet answered."""
        return self._pipeline.in_flight if self._pipeline else 0

    @property
    def answered(self) -> int:
        """Requests answered since the start."""
        return self._pipeline.answered if self._pipeline else 0

    async def on_start(self) -> None:
        """Load the stack and warm it up. Raises ``StackError``."""
        settings = self.app.settings
        model = self._model = ModelRunner(
            partial(_load_warm, settings),
            timeout=settings.inference_timeout,
            max_hangs=MAX_HANGS,
            on_failure=self.app.give_up,
        )
        await model.start()
        pipeline = Pipeline(
            model,
            KafkaPublisher(
                self.app,
                stack=f"{model.classifier.name} {model.classifier.version}",
                partitions=lambda topic: self.app.gate.partitions[topic],
                max_bytes=settings.max_answer_bytes,
            ),
            limit=RejectionLimit(
                in_a_row=settings.max_rejected_in_a_row,
                share=settings.max_rejected_share,
                window=REJECTION_WINDOW,
            ),
            on_failure=self.app.give_up,
            max_image_bytes=settings.max_image_bytes,
            max_in_flight=MAX_IN_FLIGHT,
            max_batch=MAX_BATCH,
            max_wait=settings.batch_wait,
            decode_threads=min(4, os.cpu_count() or 1),
        )
        pipeline.start()
        metrics.IN_FLIGHT.set_function(lambda: pipeline.in_flight)
        self._pipeline = pipeline

    async def on_stop(self) -> None:
        """Stop the pipeline and free the model."""
        if self._pipeline is not None:
            await self._pipeline.stop()
        if self._model is not None:
            await self._model.stop()

    async def abandon(self) -> None:
        """Drop what could not be answered in time; Kafka delivers it again."""
        if self._pipeline is not None:
            await self._pipeline.abandon()
