"""Tokens for SASL's mechanism OAUTHBEARER: fetched, kept, and replaced before they expire.

aiokafka requests a token for each connection. Clients of one process connect from the event loops
of several threads; they share one token and one request for it.
"""

import asyncio
import logging
import threading
import time
from collections.abc import Callable, Mapping
from concurrent.futures import Future
from contextlib import suppress
from typing import NamedTuple

from aiokafka.abc import AbstractTokenProvider
from aiokafka.errors import KafkaError

from catdog_stream import deadlines

__all__ = ["Token", "TokenError", "TokenSource"]

logger = logging.getLogger(__name__)
# A command has no log: it prints the sentence itself.
logger.addHandler(logging.NullHandler())

#: Part of a token's lifetime after which a connection requests the next one, as in Kafka's client.
_REFRESH = 0.8
#: Seconds until the next request after a failure, doubled each time.
_FIRST_PAUSE = 0.5
_LONGEST_PAUSE = 30.0
#: Seconds that a connection waits for the next token while the present one is valid.
_NEXT_TOKEN = 1.0


class TokenError(KafkaError):  # type: ignore[misc]  # aiokafka is untyped
    """No token: one sentence, without secrets. A subclass of the errors that clients expect.

    Args:
        sentence: what happened, and what to do.
        passing: a retry can help before an operator has changed anything.
    """

    def __init__(self, sentence: str, *, passing: bool) -> None:
        super().__init__(sentence)
        self.sentence = sentence
        self.passing = passing

    def __str__(self) -> str:
        return self.sentence


class Token(NamedTuple):
    """Token, and the seconds that it is valid; 0: for one connection."""

    text: str
    lifetime: float = 0.0


class TokenSource(AbstractTokenProvider):  # type: ignore[misc]  # aiokafka is untyped
    """Provider of tokens, for the clients of all event loops of this process.

    Args:
        fetch: returns a new token, in a thread of its own. Raises ``TokenError``.
        extensions: SASL extensions, sent with each token.
        clock: monotonic time in seconds.
    """

    def __init__(
        self,
        fetch: Callable[[], Token],
        extensions: Mapping[str, str],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._fetch = fetch
        self._extensions = dict(extensions)
        self._clock = clock
        self._lock = threading.Lock()
        self._request: Future[str] | None = None
        self._token = ""
        self._fetched_at = self._due_at = self._expires_at = -float("inf")
        self._error: TokenError | None = None
        self._pause = 0.0
        self._retry_at = -float("inf")

    def extensions(self) -> dict[str, str]:
        """Return the SASL extensions."""
        return self._extensions

    async def token(self) -> str:
        """Return a valid token. Failures that may pass are retried for ``deadlines.TOKEN``.

        Raises:
            TokenError: there is none.
        """
        if self._clock() < self._due_at:
            return self._token
        if self._clock() < self._expires_at:
            with suppress(TokenError, TimeoutError):
                return await asyncio.wait_for(self._next(), _NEXT_TOKEN)
            if self._clock() < self._expires_at:
                return self._token
        give_up_at = self._clock() + deadlines.TOKEN
        try:
            async with asyncio.timeout(deadlines.TOKEN):
                while True:
                    try:
                        return await self._next()
                    except TokenError as error:
                        if not error.passing or self._retry_at > give_up_at:
                            raise
                    await asyncio.sleep(self._retry_at - self._clock())
        except TimeoutError:
            sentence = f"No token for Kafka arrived in {deadlines.TOKEN:g} s."
            with self._lock:
                self._error = self._error or TokenError(sentence, passing=True)
                raise self._error from None

    def discard(self) -> None:
        """Request another token for the next connection: a broker has refused the present one.

        The broker's reason may be one that no other token changes, so a new token is kept.
        """
        with self._lock:
            if self._clock() > self._fetched_at + _LONGEST_PAUSE:
                self._due_at = self._expires_at = -float("inf")

    @property
    def error(self) -> TokenError | None:
        """The last failure; ``None`` if there is a valid token, or no request has failed."""
        return self._error if self._clock() >= self._expires_at else None

    async def _next(self) -> str:
        """Wait for the request under way, or start one unless the last failure is recent."""
        with self._lock:
            if self._request is None:
                if self._error is not None and self._clock() < self._retry_at:
                    raise self._error.with_traceback(None)
                self._request = Future()
                threading.Thread(
                    target=self._run, args=[self._request], name="token", daemon=True
                ).start()
            request = self._request
        # The request continues for other connections when this one is cancelled.
        return await asyncio.shield(asyncio.wrap_future(request))

    def _run(self, request: "Future[str]") -> None:
        started = self._clock()
        try:
            text, lifetime = self._fetch()
        # Without a result, every connection would wait for this request.
        except Exception as error:  # noqa: BLE001
            sentence = f"No token for Kafka can be had: {type(error).__name__}."
            failure = error if isinstance(error, TokenError) else TokenError(sentence, passing=True)
            with self._lock:
                self._request = None
                self._pause = min(2 * self._pause or _FIRST_PAUSE, _LONGEST_PAUSE)
                self._error, self._retry_at = failure, self._clock() + self._pause
            logger.warning("%s", failure)
            request.set_exception(failure)
        else:
            with self._lock:
                self._request = None
                self._pause, self._error = 0.0, None
                self._token, self._fetched_at = text, started
                self._due_at = started + _REFRESH * lifetime
                self._expires_at = started + lifetime
            request.set_result(text)
