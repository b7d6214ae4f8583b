"""Service that runs the model in a worker: loaded and warm before the first request."""

import asyncio
import logging
import math
import os
from collections.abc import Awaitable, Callable, MutableMapping, Sequence
from dataclasses import replace
from typing import Any

from mode import Service

from catdog_stream import metrics
from catdog_stream.delivery.fetch_budget import FetchBudget
from catdog_stream.errors import StackError
from catdog_stream.fetching.references import References
from catdog_stream.memory import MemoryPlan
from catdog_stream.models.classes import listed
from catdog_stream.models.classifier import Classifier
from catdog_stream.pipeline.model_runner import ModelRunner
from catdog_stream.pipeline.observing import Observers
from catdog_stream.pipeline.ordered_publisher import PartitionFlow
from catdog_stream.pipeline.pipeline import Pipeline, Publisher
from catdog_stream.pipeline.rejection_limit import RejectionLimit
from catdog_stream.pipeline.serving import PARALLEL_BATCHES, Serving
from catdog_stream.pipeline.shadow.watching import Shadow
from catdog_stream.settings import Settings
from catdog_stream.worker.allocator import Trimmer
from catdog_stream.worker.drift_monitor import DriftMonitor
from catdog_stream.worker.loading import load_stack
from catdog_stream.worker.side_models import canary_sample, named_loader, shadow_of

__all__ = ["Inference", "load_stack", "rejection_limit"]

logger = logging.getLogger(__name__)

#: Maximum number of requests taken and not yet acknowledged, in batches, and the minimum of that
#: limit: enough that the model never waits for a picture.
BATCHES_IN_FLIGHT = 4
LEAST_IN_FLIGHT = 32
#: Threads that decode beside a model that computes on the same cores.
DECODERS = 4
#: Models that may hang before the process must be replaced: each keeps a core and its memory.
MAX_HANGS = 3
#: Seconds between two trims of an idle worker's memory.
TRIM_INTERVAL = 2.0
#: Number of answers over which the share of rejections is computed.
REJECTION_WINDOW = 1000


class WarmClassifiers:
    """Loader of warm classifiers, each with the batch size that the first one found.

    A model that replaces a hung one then gives bit-identical answers.
    """

    def __init__(self, load: Callable[[Settings], Classifier], settings: Settings) -> None:
        self._load = load
        self._settings = settings

    def __call__(self) -> Classifier:
        """Load and warm up one classifier; blocks. Raise ``StackError``."""
        stack = self._load(self._settings)
        stack.warm_up()
        self._settings = replace(self._settings, batch=stack.batch_size)
        logger.info(
            "Stack %s %s is warm: engine %s, threads %d, batch %d.",
            stack.name,
            stack.version,
            stack.engine,
            self._settings.threads,
            stack.batch_size,
        )
        return stack


def decoders(*, on_gpu: bool) -> int:
    """Return the number of decoding threads: a model on a GPU leaves all cores to them."""
    cores = os.cpu_count() or 1
    return cores if on_gpu else min(DECODERS, cores)


def rejection_limit(settings: Settings) -> RejectionLimit:
    """Return the limit on rejections from the settings."""
    return RejectionLimit(
        in_a_row=settings.max_rejected_in_a_row,
        share=settings.max_rejected_share,
        window=REJECTION_WINDOW,
    )


def _described(classifier: Classifier) -> dict[str, str]:
    return {
        "name": classifier.name,
        "version": classifier.version,
        "engine": classifier.engine,
    }


class Inference(Service):
    """Service that owns the model and its pipeline.

    Args:
        settings: the settings of the worker.
        load: loads a classifier; called again to replace a hung one.
        publisher: writes the answers.
        owns: returns whether this process still owns the requests that it has taken.
        fetched: budget of requests in memory, which is set for the batch size of the model.
        observers: observers of the answers.
        weights: filled with the weight of each stack that serves here, by name and version.
        on_failure: called with the reason when the worker must stop.
        flow: pauses partitions while pictures are fetched; ``None`` if none can be paused.
    """

    #: An idle model waits for requests, not for an event that only a restart would bring.
    waits = False

    def __init__(
        self,
        settings: Settings,
        *,
        load: Callable[[Settings], Classifier],
        publisher: Publisher,
        owns: Callable[[], Awaitable[bool]],
        fetched: FetchBudget,
        observers: Observers,
        weights: MutableMapping[str, float],
        on_failure: Callable[[BaseException], None],
        flow: PartitionFlow | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self._settings = settings
        self._publisher = publisher
        self._owns = owns
        self._fetched = fetched
        self._observers = observers
        self._weights = weights
        self._on_failure = on_failure
        self._flow = flow
        #: A program of one's own may set another loader before the service starts.
        self.load = load
        #: Shadow that classifies pictures without answering, if the settings name one.
        self.shadow: Shadow | None = None
        #: Comparison of the stack's verdicts with those of its test.
        self.drift_monitor = DriftMonitor(most_labels=settings.metric_labels)
        observers.add(self.drift_monitor)
        self._serving = Serving(max_wait=settings.batch_wait, on_failure=on_failure)
        self._pipeline: Pipeline | None = None
        self._references: References | None = None

    @property
    def warm(self) -> bool:
        """``True`` if the model has answered its first picture."""
        return self._pipeline is not None

    @property
    def pipeline(self) -> Pipeline:
        """The pipeline of requests; raises ``RuntimeError`` before the service has started."""
        if self._pipeline is None:
            raise RuntimeError("The model is not loaded yet.")
        return self._pipeline

    @property
    def classifier(self) -> Classifier:
        """Classifier that answers the next request."""
        return self._serving.classifier

    @property
    def canary(self) -> Classifier | None:
        """Classifier that answers a share of the requests, if the settings name one."""
        return self._serving.canary

    @property
    def classes(self) -> Sequence[str]:
        """Classes of the model; empty before it is loaded."""
        return self._serving.classifier.classes if self.warm else ()

    @property
    def problems(self) -> list[str]:
        """Faults that only a new process can repair: a model hung, and no other replaced it."""
        return self._serving.problems

    @property
    def in_flight(self) -> int:
        """Number of requests taken and not yet answered."""
        return self._pipeline.in_flight if self._pipeline else 0

    @property
    def answered(self) -> int:
        """Number of requests answered since the start."""
        return self._pipeline.answered if self._pipeline else 0

    async def on_start(self) -> None:
        """Load the serving stack, the canary and the shadow. Raise ``CatDogError``."""
        settings = self._settings
        if settings.fetch is not None:
            self._references = References(
                settings.fetch,
                max_bytes=settings.max_image_bytes,
                budget=MemoryPlan.of(settings).references,
            )
        if settings.shadow is not None:
            # TensorFlow would reserve all memory of a GPU, and leave none for the shadow's process.
            os.environ.setdefault("TF_FORCE_GPU_ALLOW_GROWTH", "true")
        runner = await self._running(self.load)
        await self.take_over(runner)
        if settings.canary is not None:
            await self._share_with_canary(settings.canary)
        if settings.shadow is not None:
            self.shadow = shadow_of(settings)
            self.shadow.start()
            self._serving.watch(self.shadow)
        on_gpu = runner.classifier.on_gpu
        in_flight = max(LEAST_IN_FLIGHT, BATCHES_IN_FLIGHT * runner.classifier.batch_size)
        self._fetched.most = MemoryPlan.of(settings, in_flight=in_flight).records
        pipeline = Pipeline(
            self._serving,
            self._publisher,
            owns=self._owns,
            limit=rejection_limit(settings),
            on_failure=self._on_failure,
            parser=settings.request_parser,
            max_in_flight=in_flight,
            decode_threads=decoders(on_gpu=on_gpu),
            observers=self._observers,
            references=self._references,
            flow=None if self._references is None else self._flow,
        )
        pipeline.start()
        metrics.IN_FLIGHT.set_function(lambda: pipeline.in_flight)
        self._pipeline = pipeline

    @Service.task
    async def _return_memory(self) -> None:
        trimmer = Trimmer()
        async for _ in self.itertimer(TRIM_INTERVAL, name="trim"):
            if self.warm and not self.in_flight:
                await asyncio.to_thread(trimmer.trim)

    async def _running(
        self, load: Callable[[Settings], Classifier], seconds: float = math.inf
    ) -> ModelRunner:
        runner = ModelRunner(
            WarmClassifiers(load, self._settings),
            parallel=PARALLEL_BATCHES,
            timeout=self._settings.inference_timeout,
            max_hangs=MAX_HANGS,
            on_failure=self._on_failure,
        )
        try:
            await runner.start(seconds)
        except BaseException:
            await runner.stop()
            raise
        return runner

    async def beside(
        self, load: Callable[[Settings], Classifier], *, seconds: float
    ) -> ModelRunner:
        """Load and warm up another classifier while the current one serves.

        The caller must let it take over or stop it.

        Raises:
            StackError: it cannot be used, or did not load within ``seconds``.
        """
        return await self._running(load, seconds)

    async def _share_with_canary(self, name: str) -> None:
        runner = await self._running(named_loader(name))
        canary = runner.classifier
        await self._check_classes(canary, self.classifier, runner)
        self._note_weight(canary)
        metrics.CANARY.info(_described(canary))
        self._serving.share(runner, canary_sample(self._settings))

    @staticmethod
    async def _check_classes(canary: Classifier, serving: Classifier, new: ModelRunner) -> None:
        """Stop ``new`` and raise ``StackError`` if the two have different classes."""
        if set(canary.classes) != set(serving.classes):
            await new.stop()
            raise StackError(
                f"The canary {canary.name}/{canary.version} has the classes "
                f"{listed(canary.classes)}, and {serving.name}/{serving.version} has "
                f"{listed(serving.classes)}: one stream has the same classes in all its labels."
            )

    async def take_over(self, runner: ModelRunner) -> None:
        """Switch all further requests to another classifier.

        Returns when the previous one has answered every request that it took.

        Raises:
            StackError: its classes differ from the canary's; it was stopped.
        """
        stack = runner.classifier
        self._note_weight(stack)
        if self.canary is not None:
            await self._check_classes(self.canary, stack, runner)
        self.drift_monitor.follow(stack)
        metrics.STACK.info(_described(stack))
        await self._serving.take_over(runner)

    def _note_weight(self, stack: Classifier) -> None:
        # A custom classifier need not have a weight.
        self._weights[f"{stack.name} {stack.version}"] = getattr(stack, "weight", 1.0)

    async def on_stop(self) -> None:
        """Stop the pipeline and free the model."""
        if self._pipeline is not None:
            await self._pipeline.stop()
        if self._references is not None:
            await self._references.close()
        await self._serving.stop()
        if self.shadow is not None:
            await asyncio.to_thread(self.shadow.stop)

    async def abandon(self) -> None:
        """Drop requests that could not be answered in time; Kafka delivers them again."""
        if self._pipeline is not None:
            await self._pipeline.abandon()
