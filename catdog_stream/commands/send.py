"""``catdog-stream send``: publish pictures, and wait for what becomes of them."""

import asyncio
import sys
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import click
from tqdm import tqdm

from catdog_stream.commands.silence import saying_silence
from catdog_stream.commands.stopping import Stopped, until_stopped
from catdog_stream.errors import InputError, UnansweredError
from catdog_stream.kafka.asking import Asking, asking
from catdog_stream.kafka.client import opaque_url, producer, request_value
from catdog_stream.kafka.replies import Reply
from catdog_stream.settings import Settings
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
            work = send_and_wait(files, timeout, sent) if wait else _send_all(files, sent)
            signals.run(saying_silence(Settings.from_environment().cluster, work))
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
    answers = _Answers()
    async with asking(Settings.from_environment().cluster) as stream:
        with tqdm(total=len(files), unit="picture", desc="sending", disable=None) as bar:
            async for file, answer in publish(files, stream, sent or Sent()):
                answers.expect(file, answer)
                bar.update()
        await answers.until_settled(timeout)
    missing = answers.waiting.values()
    for file in missing:
        click.echo(shown(f"{file}: no answer"), err=True)
    if missing or answers.rejected:
        raise UnansweredError(
            f"Of {len(files)} pictures {answers.rejected} were rejected and "
            f"{len(missing)} not answered."
        )


class _Answers:
    """The pictures that wait for an answer. Prints each as it comes."""

    def __init__(self) -> None:
        self.waiting: dict[asyncio.Future[Reply], Path] = {}
        self.rejected = 0
        self._news = asyncio.Event()
        self._failure: BaseException | None = None

    def expect(self, file: Path, answer: asyncio.Future[Reply]) -> None:
        """Wait for one more."""
        self.waiting[answer] = file
        answer.add_done_callback(self._settle)

    def _settle(self, answer: asyncio.Future[Reply]) -> None:
        if answer.cancelled():
            return  # stopped
        self._news.set()
        if (error := answer.exception()) is not None:
            self._failure = error
            return
        reply = answer.result()
        self.rejected += reply.label is None
        tqdm.write(outcome(self.waiting.pop(answer), reply), file=sys.stdout)

    async def until_settled(self, timeout: float) -> None:
        """Return when nothing waits any more, or nothing was answered for ``timeout`` seconds.

        Raises:
            BrokerError: no answer can come any more.
        """
        while self.waiting:
            if self._failure is not None:
                raise self._failure
            self._news.clear()
            try:
                await asyncio.wait_for(self._news.wait(), timeout)
            except TimeoutError:
                return


def outcome(file: Path, reply: Reply) -> str:
    """One line about the answer to a picture. Anybody may have written it."""
    if reply.label is not None:
        return shown(f"{file}: {reply.label}")
    if reply.rejection is None:
        return shown(f"{file}: rejected")
    return shown(f"{file}: rejected ({reply.rejection.reason}): {reply.rejection.detail}")


async def _send_all(files: Sequence[Path], sent: Sent) -> None:
    cluster = Settings.from_environment().cluster
    async with producer(cluster) as sender:
        with tqdm(total=len(files), unit="picture", desc="sending", disable=None) as bar:
            async for _, answer in publish(files, Asking(sender, cluster), sent):
                answer.cancel()  # nobody waits for it
                bar.update()
    click.echo(f"Sent {len(files)} requests to {REQUESTS}.")


async def publish(
    files: Sequence[Path], stream: Asking, sent: Sent
) -> AsyncIterator[tuple[Path, "asyncio.Future[Reply]"]]:
    """Publish each file as a request, counted in ``sent``; yields it with its answer to come."""
    for file in files:
        try:
            picture = file.read_bytes()
        except OSError as error:
            raise InputError(f"{file} cannot be read: {error.strerror}.") from error
        question = await stream.send(request_value(picture, opaque_url(str(file))))
        try:
            await asyncio.shield(question.sent)
        except asyncio.CancelledError:
            await _last(question.sent, sent)
            raise
        sent.confirmed += 1
        yield file, question.reply


async def _last(delivery: "asyncio.Future[Source]", sent: Sent) -> None:
    """Learn what became of the request that was on its way when a signal came."""
    await asyncio.wait({delivery}, timeout=LAST_REQUEST_SECONDS)
    if not delivery.done():
        sent.doubt = " One more may have arrived."
    elif not delivery.cancelled() and delivery.exception() is None:
        sent.confirmed += 1
