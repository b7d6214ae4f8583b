"""Fetching of the pictures that requests name by a reference (claim check)."""

import asyncio
import os
import random
import ssl
import stat
from collections.abc import Awaitable, Callable, Collection
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import BinaryIO

from catdog_stream.errors import FetchError, Reason, RejectedRequest
from catdog_stream.fetching.addresses import MAX_CHARACTERS, typed
from catdog_stream.fetching.body import Reserve
from catdog_stream.fetching.fair_budget import FairBudget
from catdog_stream.fetching.fetcher import Fetcher
from catdog_stream.fetching.rules import Rules
from catdog_stream.fetching.stores import OpenBucket
from catdog_stream.settings.allowed_references import STORES, AllowedReferences, file_path

__all__ = ["AT_A_TIME", "SECONDS", "Fetched", "References"]

#: Seconds for one reference, all attempts together, without the wait for its turn.
SECONDS = 10.0
#: Seconds between two attempts, at most; at random from half of it on.
PAUSES = (0.1, 0.4, 1.6)
#: Maximum number of fetches; those of one partition get half of them.
AT_A_TIME = 64
#: Threads that read files.
FILE_THREADS = 16


class Fetched:
    """Fetched picture, whose bytes count as used until ``release``."""

    def __init__(self, picture: bytes, release: Callable[[], None]) -> None:
        self.picture = picture
        self._release: Callable[[], None] | None = release

    def release(self) -> None:
        """Stop counting the bytes; a second call does nothing."""
        if self._release is not None:
            self._release()
            self._release = None


class _Attempts:
    """Bytes that the attempts for one reference hold, within a limit of time for all of them."""

    def __init__(self, budget: FairBudget[int], partition: int, deadline: asyncio.Timeout) -> None:
        self._budget = budget
        self._partition = partition
        self._deadline = deadline
        self.held = 0

    async def reserve(self, size: int) -> None:
        """Hold ``size`` bytes; the wait for them does not count."""
        if size <= self.held:
            return
        self.shrink(0)  # whoever waits must hold nothing
        clock = asyncio.get_running_loop().time
        left = (self._deadline.when() or 0.0) - clock()
        self._deadline.reschedule(None)
        try:
            await self._budget.acquire(self._partition, size)
            self.held = size
        finally:
            self._deadline.reschedule(clock() + left)

    def shrink(self, size: int) -> None:
        """Hold at most ``size`` bytes."""
        if self.held > size:
            self._budget.release(self._partition, self.held - size)
            self.held = size


class References:
    """Client for the pictures of requests; close it in an event loop.

    It can be created without an event loop.

    Args:
        allowed: everything that a reference may name.
        max_bytes: largest picture file.
        budget: bytes of all pictures that are fetched and not classified yet; those of one
            partition get half of them.
        tls: trusted certificates of ``https://``; by default the system's.

    Raises:
        SettingError: an object store cannot be used.
    """

    def __init__(
        self,
        allowed: AllowedReferences,
        *,
        max_bytes: int,
        budget: int,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        self._allowed = allowed
        self._max_bytes = max_bytes
        self._rules = Rules("on", allowed.hosts, public=allowed.public)
        self._fetcher = Fetcher(
            self._rules, max_bytes=max_bytes, connections=AT_A_TIME, keep_alive=True, tls=tls
        )
        self._stores = {bucket: OpenBucket(bucket) for bucket in allowed.buckets}
        self._threads = ThreadPoolExecutor(FILE_THREADS, thread_name_prefix="file")
        self._turns: FairBudget[int] = FairBudget(AT_A_TIME)
        self._bytes: FairBudget[int] = FairBudget(budget)

    @property
    def held(self) -> int:
        """Bytes of pictures that are fetched and not classified yet."""
        return self._bytes.held

    async def close(self) -> None:
        """Fetch nothing any more."""
        self._threads.shutdown(wait=False, cancel_futures=True)
        await self._fetcher.close()

    async def fetch(self, reference: str, partition: int) -> Fetched:
        """Return the picture file; release it once it is classified.

        Args:
            reference: the reference.
            partition: partition of the request, with which it shares the limits.

        Raises:
            RejectedRequest: the picture cannot be fetched.
        """
        try:
            read = self._reader(reference)
            await self._turns.acquire(partition, 1)
            try:
                return await self._attempt(read, partition)
            finally:
                self._turns.release(partition, 1)
        except FetchError as error:
            raise RejectedRequest(error.reason, error.message) from error

    async def _attempt(
        self, read: Callable[[Reserve], Awaitable[bytes]], partition: int
    ) -> Fetched:
        deadline = asyncio.timeout(SECONDS)
        attempts = _Attempts(self._bytes, partition, deadline)
        picture = b""
        try:
            async with deadline:
                picture = await self._read(read, attempts.reserve)
        except TimeoutError:
            sentence = f"The picture was not fetched within {SECONDS:g} seconds."
            raise FetchError(sentence, Reason.REFERENCE_TIMEOUT) from None
        finally:
            attempts.shrink(len(picture))
        if not picture:
            raise FetchError("The file is empty.")
        return Fetched(picture, partial(attempts.shrink, 0))

    @staticmethod
    async def _read(read: Callable[[Reserve], Awaitable[bytes]], reserve: Reserve) -> bytes:
        for pause in PAUSES:
            try:
                return await read(reserve)
            except FetchError as error:
                if not error.passes:
                    raise
            await asyncio.sleep(pause * random.uniform(0.5, 1.0))
        return await read(reserve)

    def _reader(self, reference: str) -> Callable[[Reserve], Awaitable[bytes]]:
        """Return a function that reads an allowed picture once. Raise ``FetchError``."""
        if len(reference) > MAX_CHARACTERS:
            raise FetchError(
                f"The reference has more than {MAX_CHARACTERS} characters.", Reason.BAD_REFERENCE
            )
        scheme = reference.partition("://")[0]
        if scheme in STORES:
            found = self._allowed.object_at(reference)
            if found is None:
                raise FetchError(
                    "The reference names no bucket, or no part of one, that CATDOG_FETCH allows.",
                    Reason.REFERENCE_NOT_ALLOWED,
                )
            bucket, key = found
            if not key or key.endswith("/"):  # the library would leave the slash out
                raise FetchError("The reference names no object.", Reason.BAD_REFERENCE)
            return partial(self._stores[bucket].read, key, self._max_bytes)
        if scheme == "file":
            return partial(self._file, reference)
        return partial(self._fetcher.download, typed(reference, self._rules))

    async def _file(self, reference: str, reserve: Reserve) -> bytes:
        run = partial(asyncio.get_running_loop().run_in_executor, self._threads)
        with await run(_open, reference, self._allowed.folders) as file:
            size = os.fstat(file.fileno()).st_size
            if size > self._max_bytes:
                raise FetchError(
                    f"The file has {size} bytes, more than {self._max_bytes}.", Reason.TOO_LARGE
                )
            await reserve(size)
            return await run(file.read, size)


def _open(reference: str, folders: Collection[Path]) -> BinaryIO:
    """Open a regular file below one of the folders. Raise ``FetchError``."""
    try:
        real = Path(os.path.realpath(file_path(reference)))
    except ValueError:
        raise FetchError("The path cannot be read.", Reason.BAD_REFERENCE) from None
    folder = next((folder for folder in folders if real.is_relative_to(folder)), None)
    if folder is None:
        raise FetchError(
            "The file is in no folder that CATDOG_FETCH allows.", Reason.REFERENCE_NOT_ALLOWED
        )
    try:
        file = open(real, "rb", opener=partial(_opener, folder))  # noqa: SIM115 - see caller
    except PermissionError:
        raise FetchError("The file may not be read.", Reason.REFERENCE_DENIED) from None
    except FileNotFoundError:
        raise FetchError("There is no such file.", Reason.REFERENCE_NOT_FOUND) from None
    except OSError as error:
        raise FetchError(f"The file cannot be read: {error.strerror}.") from None
    if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
        file.close()
        raise FetchError("The reference names no regular file.", Reason.BAD_REFERENCE)
    return file


def _opener(folder: Path, path: str, flags: int) -> int:
    """Open a file below a folder. A pipe must not block. No link may have appeared meanwhile."""
    *parents, name = Path(path).relative_to(folder).parts or (".",)
    at = os.open(folder, os.O_DIRECTORY)
    try:
        for parent in parents:
            below = os.open(parent, os.O_DIRECTORY | os.O_NOFOLLOW, dir_fd=at)
            os.close(at)
            at = below
        return os.open(name, flags | os.O_NONBLOCK | os.O_NOFOLLOW, dir_fd=at)
    finally:
        os.close(at)
