"""Rollout of stacks: follows deployments, loads each stack beside the serving one, switches."""

import asyncio
import logging
from collections.abc import AsyncIterator, Callable, Iterable
from typing import Any

from mode import Service

from catdog_stream import deadlines, metrics
from catdog_stream.errors import BrokerError, StackError
from catdog_stream.kafka.deployments import (
    NONE,
    Deployment,
    Report,
    RolloutState,
    follow,
    report,
    rollout_state,
)
from catdog_stream.models.stacks.repository import Repository, StackId
from catdog_stream.pipeline.model_runner import ModelRunner
from catdog_stream.settings import Settings
from catdog_stream.terminal import shown
from catdog_stream.worker.checked_stack import from_repository, of_settings
from catdog_stream.worker.inference import Inference

__all__ = ["Rollout"]

logger = logging.getLogger(__name__)

#: A stack during whose loading this process has ended this often is not tried again: it may have
#: exhausted the memory.
MAX_TRIES = 3
OWN = "The stack of its settings"


class _Superseded(Exception):  # noqa: N818 - nothing went wrong
    """Newer deployment that replaces the one being loaded."""


class Rollout(Service):
    """Service that serves the latest deployment, from before the worker's first request.

    If that stack cannot be used, the current stack continues to serve. A worker that has just
    started uses the stack that served in the cluster before, or else the stack of its settings.
    Without ``CATDOG_STACKS`` the service does nothing.

    Args:
        settings: the settings of the worker.
        inference: service that serves the stack.
        voter: name of the voter whose deployments are followed; ``None`` for all other workers.
        address: returns the address under which this worker reports.
    """

    def __init__(
        self,
        settings: Settings,
        inference: Inference,
        *,
        voter: str | None,
        address: Callable[[], str],
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self._settings = settings
        self._inference = inference
        self._voter = voter
        self._address = address
        #: Why the latest deployment was not followed; ``None`` if it was.
        self.problem: str | None = None
        #: Stack that is being loaded; ``None`` if none is.
        self.loading: str | None = None
        #: Stack that replaced the stack of the settings; ``None`` while that one serves.
        self._deployed: str | None = None
        self._next_offset = 0
        self._followed = NONE
        #: The newest deployment that arrived while another stack was being loaded.
        self._newest: Deployment | None = None
        self._newer = asyncio.Event()
        self._logged: str | None = None

    @property
    def serving(self) -> str:
        """Stack that answers the next request: name and version, as in the ``stack`` header."""
        classifier = self._inference.classifier
        return f"{classifier.name} {classifier.version}"

    async def on_start(self) -> None:
        """Follow the current deployment, and all later ones."""
        if self._settings.stacks is None:
            return
        state = await self._state()
        if state is None:
            return  # the worker stops
        if state.deployment is None:
            await self._report_state()
        else:
            self._next_offset = state.deployment.offset + 1
            mine = state.reports.get(self._address())
            died = mine is not None and mine.order == state.deployment.offset and not mine.done
            tries = mine.tries if mine is not None and died else 0
            await self._apply(state.deployment, tries, state.fallbacks())
        self.add_future(self._follow())
        self.add_future(self._apply_newest())

    async def _state(self) -> RolloutState | None:
        """Return the current deployment once Kafka answers; ``None`` if the worker stops before."""
        while not self.should_stop:
            try:
                state = await rollout_state(self._settings.cluster, self._voter)
            except BrokerError as error:
                self._log_once(error)
                self.problem = f"Orders for stacks cannot be read: {error}"
                await asyncio.sleep(deadlines.TRY_AGAIN)
            else:
                self.problem = None
                return state
        return None

    async def _follow(self) -> None:
        while not self.should_stop:
            try:
                async for content in self._records():
                    if isinstance(content, Deployment):
                        self._receive(content)
            except Exception as error:  # the topic may hold any untrusted record
                logger.warning(
                    "Orders for stacks cannot be read: %s Trying again.",
                    error,
                    exc_info=None if isinstance(error, BrokerError) else error,
                )
            await asyncio.sleep(deadlines.LOOK_AGAIN)

    def _records(self) -> AsyncIterator[Deployment | Report]:
        return follow(self._settings.cluster, self._next_offset, self._voter)

    def _receive(self, order: Deployment) -> None:
        if self._newest is not None:
            logger.info("%s is passed over: another order came.", _named(self._newest.stack))
        self._next_offset = order.offset + 1
        self._newest = order
        self._newer.set()

    async def _apply_newest(self) -> None:
        while not self.should_stop:
            await self._newer.wait()
            order, self._newest = self._newest, None
            self._newer.clear()
            if order is not None:
                await self._apply(order)

    async def _apply(
        self, order: Deployment, tries: int = 0, instead: Iterable[str | None] = ()
    ) -> None:
        """Serve the deployment, or else the first stack of ``instead`` that can be used.

        ``tries``: number of times that this worker has begun to load it, and ended.
        """
        self._followed = order.offset
        self.loading = _named(order.stack)
        problem = None
        try:
            if not await self._serves(order.stack):
                _check_tries(tries)
                await self._report_state(tries + 1)
                await self._switch(order.stack)
        except _Superseded:
            logger.info("%s is given up: another order came.", self.loading)
            return
        except Exception as error:  # the current stack continues to serve after any error
            problem = shown(str(error) or repr(error))
            trace = None if isinstance(error, StackError) else error
            logger.warning("%s is refused: %s", self.loading, problem, exc_info=trace)
            metrics.STACKS_REFUSED.inc()
            await self._switch_to_one_of(instead)
        finally:
            self.loading = None
        self.problem = problem
        metrics.STACK_ORDER_FOLLOWED.set(problem is None)
        logger.info("%s serves.", self.serving)
        await self._report_state()

    async def _switch_to_one_of(self, stacks: Iterable[str | None]) -> None:
        for stack in stacks:
            try:
                if not await self._serves(stack):
                    await self._switch(stack)
            except Exception as error:  # noqa: BLE001 - try the next stack, or keep the current one
                logger.warning("Nor can %s be used: %s", _named(stack), error)
            else:
                return

    async def _serves(self, stack: str | None) -> bool:
        """Return true if the stack serves already, and is not another of the same name."""
        if stack == self._deployed:
            return True
        if stack is None or self._deployed is not None:
            return False
        wanted = StackId.parse(stack)
        # A custom classifier has no manifest.
        own = getattr(self._inference.classifier, "manifest", None)
        if own is None:
            return False
        assert self._settings.stacks is not None
        return await asyncio.to_thread(Repository(self._settings.stacks).holds, wanted, own)

    async def _switch(self, stack: str | None) -> None:
        """Load the stack and switch to it. Raise the loading error or ``_Superseded``."""
        runner = await self._loaded(stack)
        await self._inference.take_over(runner)
        self._deployed = stack

    async def _loaded(self, stack: str | None) -> ModelRunner:
        """Load a stack; if a newer deployment arrives, wait a limited time, then raise.

        Without that wait, many deployments would hold many stacks in memory at once.
        """
        inference = self._inference
        load = of_settings(inference.load)
        if stack is not None:
            load = from_repository(StackId.parse(stack))
        loading = asyncio.ensure_future(inference.beside(load, seconds=deadlines.STACK_LOADED))
        newer = asyncio.ensure_future(self._newer.wait())
        try:
            await asyncio.wait((loading, newer), return_when=asyncio.FIRST_COMPLETED)
            if newer.done():
                await asyncio.wait((loading,), timeout=deadlines.SUPERSEDED)
                if loading.done() and loading.exception() is None:
                    await loading.result().stop()
                raise _Superseded
            return loading.result()
        finally:
            loading.cancel()
            newer.cancel()

    async def _report_state(self, tries: int = 0) -> None:
        """Report the state of the deployment, until Kafka has the report or a newer one arrives."""
        problem = self.problem if self.loading is None else None
        current = Report(
            self._address(), self._followed, self.serving, problem, self.loading, tries
        )
        while not self.should_stop:
            try:
                await report(self._settings.cluster, current, self._voter)
            except BrokerError as error:
                self._log_once(error)
                await asyncio.sleep(deadlines.TRY_AGAIN)
            else:
                self._logged = None
                return
            if self._newer.is_set():
                return

    def _log_once(self, error: BrokerError) -> None:
        """Log once why deployments cannot be read or reported on."""
        if str(error) != self._logged:
            logger.warning("Orders for stacks cannot be followed: %s Trying again.", error)
        self._logged = str(error)


def _check_tries(tries: int) -> None:
    if tries >= MAX_TRIES:
        raise StackError(f"This worker has ended {tries} times while it loaded it.")


def _named(stack: str | None) -> str:
    return OWN if stack is None else shown(stack)
