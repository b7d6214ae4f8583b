"""``catdog-stream send``: publish pictures, and wait for what becomes of them."""

import asyncio
import sys
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click
from tqdm import tqdm

from catdog_stream.commands.stopping import Stopped, until_stopped
from catdog_stream.errors import InputError, UnansweredError
from catdog_stream.kafka.client import Reply, opaque_url, producer, replies, request_value
from catdog_stream.showing import shown
from catdog_stream.topics import REQUESTS
from catdog_stream.wire import Source

#: For Kafka to confirm the last request, once a signal has come.
LAST_REQUEST_SECONDS = 0.2

#: Files of a folder that are taken for pictures; a file named itself is always sent.
SUFFIXES = frozenset({".png", ".jpg", ".jpeg", ".webp", ".gif", ".bmp"})


@dataclass(slots=True)
class Sent:
    """How many requests went out."""

    confirmed: int = 0
    #: Said where one more may have.
    doubt: str = ""


@click.command()
@click.argument("paths", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option("--wait", is_flag=True, help="Print each label; exit 1 if a picture gets none.")
@click.option(
    "--timeout",
    default=60.0,
    show_default=True,
    type=click.FloatRange(min=0, min_open=True),
    help="With --wait: give up after this many seconds without an answer.",
)
def send(paths: tuple[Path, ...], wait: bool, timeout: float) -> None:
    """Publish the pictures in PATHS, files and folders, as requests."""
    files = pictures(paths)
    sent = Sent()
    with until_stopped() as signals:
        try:
            signals.run(send_and_wait(files, timeout, sent) if wait else _send_all(files, sent))
        except Stopped as stopped:
            click.echo(f"Sent {sent.confirmed} of {len(files)} requests to {REQUESTS}.{sent.doubt}")
            raise SystemExit(stopped.exit_code) from None


def pictures(paths: Sequence[Path]) -> list[Path]:
    """The files that ``paths`` name, folders searched through. Raises ``InputError``."""
    files: list[Path] = []
    for path in paths:
        if path.is_dir():
            found = sorted(file for file in path.rglob("*") if _is_picture(file))
            if not found:
                raise InputError(f"There is no picture in the folder {path}.")
            files += found
        elif path.is_file():
            files.append(path)
        else:
            raise InputError(f"There is no file or folder {path}.")
    return files


def _is_picture(file: Path) -> bool:
    return file.suffix.lower() in SUFFIXES and file.is_file()


async def send_and_wait(files: Sequence[Path], timeout: float, sent: Sent | None = None) -> None:
    """Publish ``files`` and print each answer.

    Raises:
        UnansweredError: a request was rejected, or not answered in time.
    """
    from catdog_stream.app import app

    waiting: dict[Source, Path] = {}
    early: dict[Source, Reply] = {}
    rejected = 0

    def settle(source: Source, reply: Reply) -> None:
        nonlocal rejected
        file = waiting.pop(source)
        if reply.label is None:
            rejected += 1
        tqdm.write(outcome(file, reply), file=sys.stdout)

    async with replies(app) as stream:
        answers = aiter(stream)

        async def collect() -> None:
            """Answers may come before the broker has told us where the request stands."""
            while True:
                reply = await anext(answers)
                if reply.source in waiting:
                    settle(reply.source, reply)
                elif reply.source is not None:
                    early[reply.source] = reply

        collector = asyncio.create_task(collect())
        try:
            with tqdm(total=len(files), unit="picture", desc="sending", disable=None) as bar:
                async for file, source in publish(files, sent or Sent()):
                    waiting[source] = file
                    bar.update()
                    if source in early:
                        settle(source, early.pop(source))
            await _until_settled(waiting, collector, timeout)
        finally:
            collector.cancel()
    for file in waiting.values():
        click.echo(shown(f"{file}: no answer"), err=True)
    if waiting or rejected:
        raise UnansweredError(
            f"Of {len(files)} pictures {rejected} were rejected and {len(waiting)} not answered."
        )


def outcome(file: Path, reply: Reply) -> str:
    """One line about the answer to a picture. Anybody may have written it."""
    if reply.label is None:
        return shown(f"{file}: rejected ({reply.reason}): {reply.detail}")
    return shown(f"{file}: {reply.label}")


async def _until_settled(
    waiting: dict[Source, Path], collector: asyncio.Task[None], timeout: float
) -> None:
    """Return when nothing waits any more, or nothing was answered for ``timeout`` seconds."""
    loop = asyncio.get_running_loop()
    left, deadline = len(waiting), loop.time() + timeout
    while waiting and loop.time() < deadline:
        await asyncio.wait((collector,), timeout=0.05)
        if collector.done():
            collector.result()
        if len(waiting) < left:
            left, deadline = len(waiting), loop.time() + timeout


async def _send_all(files: Sequence[Path], sent: Sent) -> None:
    with tqdm(total=len(files), unit="picture", desc="sending", disable=None) as bar:
        async for _ in publish(files, sent):
            bar.update()
    click.echo(f"Sent {len(files)} requests to {REQUESTS}.")


async def publish(files: Sequence[Path], sent: Sent) -> AsyncIterator[tuple[Path, Source]]:
    """Publish each file as a request, counted in ``sent``; yields it with its place in Kafka."""
    from catdog_stream.app import app

    async with producer(app) as sender:
        for file in files:
            try:
                picture = file.read_bytes()
            except OSError as error:
                raise InputError(f"{file} cannot be read: {error.strerror}.") from error
            value = request_value(picture, opaque_url(str(file)))
            delivery = await sender.send(REQUESTS, value)
            try:
                record = await asyncio.shield(delivery)
            except asyncio.CancelledError:
                await _last(delivery, sent)
                raise
            sent.confirmed += 1
            yield file, Source(record.topic, record.partition, record.offset)


async def _last(delivery: "asyncio.Future[Any]", sent: Sent) -> None:
    """Learn what became of the request that was on its way when a signal came."""
    await asyncio.wait({delivery}, timeout=LAST_REQUEST_SECONDS)
    if not delivery.done():
        sent.doubt = " One more may have arrived."
    elif not delivery.cancelled() and delivery.exception() is None:
        sent.confirmed += 1
