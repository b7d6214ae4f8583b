"""Follows the orders which stack is to serve: loads it beside the one that serves, and swaps."""

import asyncio
import logging
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from mode import Service

from catdog_stream import deadlines, metrics
from catdog_stream.errors import BrokerError, StackError
from catdog_stream.kafka.orders import Order, Report, follow, latest, report
from catdog_stream.models.stacks.repository import Repository, StackId
from catdog_stream.models.stacks.stack import ModelStack
from catdog_stream.settings import Settings
from catdog_stream.worker.classifying import load_stack

if TYPE_CHECKING:
    from catdog_stream.worker.application import CatDogApp

__all__ = ["Swapping"]

logger = logging.getLogger(__name__)


class Swapping(Service):
    """Serves what the latest order says, from before the worker's first request on.

    Without ``CATDOG_STACKS`` it does nothing.
    """

    def __init__(self, app: "CatDogApp", **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.app = app
        #: Why the latest order was not followed; ``None`` if it was.
        self.problem: str | None = None
        self._seen = -1

    async def on_start(self) -> None:
        """Obey the order in force, and follow those to come."""
        if self.app.settings.stacks is None:
            return
        while not self.should_stop:
            try:
                order = await latest(self.app.settings.cluster)
            except BrokerError as error:
                logger.warning("Orders for stacks cannot be read: %s Trying again.", error)
                await asyncio.sleep(deadlines.TRY_AGAIN)
            else:
                break
        else:
            return
        if order is not None:
            await self._obey(order)
        self.add_future(self._follow())

    async def _follow(self) -> None:
        cluster = self.app.settings.cluster
        while not self.should_stop:
            try:
                async for news in follow(cluster, self._seen + 1):
                    if isinstance(news, Order) and news.offset > self._seen:
                        await self._obey(news)
            except BrokerError as error:
                logger.warning("Orders for stacks cannot be read: %s Trying again.", error)
                await asyncio.sleep(deadlines.LOOK_AGAIN)

    async def _obey(self, order: Order) -> None:
        self._seen = order.offset
        classifying = self.app.classifying
        try:
            if order.stack is None:
                await classifying.change(classifying.load)
            else:
                wanted = StackId.parse(order.stack)
                if wanted != StackId(classifying.classifier.name, classifying.classifier.version):
                    await classifying.change(self._load(wanted))
        except Exception as error:
            self.problem = str(error) or repr(error)
            metrics.STACKS_REFUSED.inc()
            trace = None if isinstance(error, StackError) else error
            logger.warning("%s goes on: %s", self.serving, self.problem, exc_info=trace)
        else:
            self.problem = None
            logger.info("%s serves.", self.serving)
        told = Report(str(self.app.conf.canonical_url), order.offset, self.serving, self.problem)
        try:
            await report(self.app.settings.cluster, told)
        except BrokerError as error:
            logger.warning("It could not be told which stack serves: %s", error)

    @property
    def serving(self) -> str:
        """What answers the next request, as in the ``stack`` header."""
        classifier = self.app.classifying.classifier
        return f"{classifier.name} {classifier.version}"

    def _load(self, stack: StackId) -> "_Checked":
        assert self.app.settings.stacks is not None
        return _Checked(Repository(self.app.settings.stacks), stack)


class _Checked:
    """Loads a stack of a repository, and looks whether it is what it should be."""

    def __init__(self, repository: Repository, stack: StackId) -> None:
        self._repository = repository
        self._stack = stack

    def __call__(self, settings: Settings) -> ModelStack:
        """Raises ``StackError``."""
        directory = self._repository.directory(self._stack)
        stack = load_stack(replace(settings, stack=directory))
        self._repository.check_name(self._stack, stack.name, stack.version)
        stack.check_golden(directory)
        return stack
