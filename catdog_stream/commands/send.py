"""``catdog-stream send``: publishes pictures, and waits for their answers."""

import asyncio
import sys
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import click
from aiokafka.errors import KafkaError, MessageSizeTooLargeError
from tqdm import tqdm

from catdog_stream.commands.silence import saying_silence
from catdog_stream.commands.stopping import Stopped, until_stopped
from catdog_stream.errors import BrokerError, InputError, Refusal, UnansweredError
from catdog_stream.folders import files_below
from catdog_stream.kafka.client import opaque_url, producer
from catdog_stream.kafka.cluster import create_topics
from catdog_stream.kafka.config import ClusterConfig
from catdog_stream.kafka.explanations import Access, broker_error
from catdog_stream.kafka.replies import Reply
from catdog_stream.kafka.request_reply import RequestReply, request_reply
from catdog_stream.messages.wire import Headers, Source
from catdog_stream.models.stacks.locate import samples as samples_directory
from catdog_stream.settings import Settings
from catdog_stream.terminal import shown

#: For Kafka to confirm the last request after a signal.
LAST_REQUEST_SECONDS = 0.2

#: The producer accepts records of twice the largest answer, and base64 adds a third.
MAX_ANSWERS = 1.5
#: Suffixes of pictures in a folder; a file named on the command line is always sent.
SUFFIXES = frozenset({".png", ".jpg", ".jpeg", ".webp", ".gif", ".bmp"})


@dataclass(slots=True)
class Sent:
    """Result of sending the requests."""

    confirmed: int = 0
    #: Text added if one more request may have been sent.
    doubt: str = ""
    #: Number of files skipped; each was reported.
    skipped: int = 0

    def skip(self, file: Path, why: str) -> None:
        """Count a skipped file, and print the reason."""
        self.skipped += 1
        tqdm.write(shown(f"{file}: not sent: {why}"), file=sys.stderr)


@click.command()
@click.argument("paths", nargs=-1, type=click.Path(path_type=Path))
@click.option("--samples", is_flag=True, help="Send the sample pictures, too.")
@click.option("--wait", is_flag=True, help="Print each label; exit 1 if a picture gets none.")
@click.option(
    "--timeout",
    default=60.0,
    show_default=True,
    type=click.FloatRange(min=0, min_open=True),
    help="With --wait: give up after this many seconds without an answer.",
)
def send(paths: tuple[Path, ...], samples: bool, wait: bool, timeout: float) -> None:
    """Publish the pictures in PATHS, files and folders, as requests."""
    if not paths and not samples:
        raise click.UsageError("There is nothing to send: name PATHS, or give --samples.")
    files = pictures(paths) + (sample_pictures() if samples else [])
    sent = Sent()
    cluster = Settings.from_environment().cluster
    topic = cluster.names.requests
    with until_stopped() as signals:
        try:
            work = send_and_wait(files, timeout, sent) if wait else _send_all(files, sent)
            signals.run(saying_silence(cluster, work))
        except Stopped as stopped:
            click.echo(f"Sent {sent.confirmed} of {len(files)} requests to {topic}.{sent.doubt}")
            raise SystemExit(stopped.exit_code) from None
        except BrokerError:
            if sent.confirmed:
                click.echo(f"Sent {sent.confirmed} of {len(files)} requests to {topic}.")
            raise


def pictures(paths: Sequence[Path]) -> list[Path]:
    """Return the files in ``paths``, folders searched recursively. Raise ``InputError``."""
    files: list[Path] = []
    for path in paths:
        if path.is_dir():
            found = [file for file in files_below(path) if _is_picture(file)]
            if not found:
                raise InputError(f"There is no picture in the folder {path}.")
            files += found
        elif path.is_file():
            files.append(path)
        else:
            raise InputError(f"There is no file or folder {path}.")
    return files


def sample_pictures() -> list[Path]:
    """Return the sample pictures, relative to the current folder if they are in it.

    Raises:
        StackError: they are not installed.
    """
    here = Path.cwd()
    return [
        file.relative_to(here) if file.is_relative_to(here) else file
        for file in pictures([samples_directory()])
    ]


def _is_picture(file: Path) -> bool:
    return file.suffix.lower() in SUFFIXES


async def send_and_wait(files: Sequence[Path], timeout: float, sent: Sent | None = None) -> None:
    """Publish ``files`` and print each answer.

    Raises:
        UnansweredError: a request was not sent, rejected, or not answered in time.
        BrokerError: Kafka does not answer, or refuses every record.
    """
    answers = _Answers()
    sent = sent or Sent()
    settings = Settings.from_environment()
    async with request_reply(settings.cluster) as stream:
        with tqdm(total=len(files), unit="picture", desc="sending", disable=None) as bar:
            async for file, answer in publish(files, stream, settings, sent):
                answers.expect(file, answer)
                bar.update()
        await answers.until_settled(timeout)
    missing = answers.waiting.values()
    for file in missing:
        click.echo(shown(f"{file}: no answer"), err=True)
    if missing or answers.rejected or sent.skipped:
        unsent = f"{sent.skipped} were not sent, " if sent.skipped else ""
        raise UnansweredError(
            f"Of {len(files)} pictures {unsent}{answers.rejected} were rejected and "
            f"{len(missing)} not answered."
        )


class _Answers:
    """Pictures that wait for an answer. Prints each answer when it arrives."""

    def __init__(self) -> None:
        self.waiting: dict[asyncio.Future[Reply], Path] = {}
        self.rejected = 0
        self._changed = asyncio.Event()
        self._failure: BaseException | None = None

    def expect(self, file: Path, answer: asyncio.Future[Reply]) -> None:
        """Wait for one more answer."""
        self.waiting[answer] = file
        answer.add_done_callback(self._settle)
        self.check()

    def check(self) -> None:
        """Raise the error because of which no further answer can arrive or be printed."""
        if self._failure is not None:
            raise self._failure

    def _settle(self, answer: asyncio.Future[Reply]) -> None:
        if answer.cancelled() or self._failure is not None:
            return  # the command was stopped
        self._changed.set()
        try:
            reply = answer.result()
            self.rejected += reply.label is None
            tqdm.write(outcome(self.waiting.pop(answer), reply), file=sys.stdout)
        except Exception as error:  # noqa: BLE001 - check() raises it, which ends the command
            self._failure = error

    async def until_settled(self, timeout: float) -> None:
        """Return when every picture has an answer, or none was answered for ``timeout`` seconds.

        Raises:
            BrokerError: no further answer can arrive.
        """
        while self.waiting:
            self.check()
            self._changed.clear()
            try:
                await asyncio.wait_for(self._changed.wait(), timeout)
            except TimeoutError:
                return
        self.check()


def outcome(file: Path, reply: Reply) -> str:
    """Return one line about the answer to a picture; the answer is untrusted text."""
    if reply.label is not None:
        return shown(f"{file}: {reply.label}")
    if reply.rejection is None:
        return shown(f"{file}: rejected")
    return shown(f"{file}: rejected ({reply.rejection.reason}): {reply.rejection.detail}")


async def _send_all(files: Sequence[Path], sent: Sent) -> None:
    settings = Settings.from_environment()
    cluster = settings.cluster
    await create_topics(cluster)
    async with producer(cluster) as sender:
        with tqdm(total=len(files), unit="picture", desc="sending", disable=None) as bar:
            async for _, answer in publish(files, RequestReply(sender, cluster), settings, sent):
                answer.cancel()  # not needed
                bar.update()
    if sent.skipped:
        raise UnansweredError(
            f"Sent {sent.confirmed} requests to {cluster.names.requests}: "
            f"{sent.skipped} of {len(files)} pictures were not sent."
        )
    click.echo(f"Sent {len(files)} requests to {cluster.names.requests}.")


async def publish(
    files: Sequence[Path], stream: RequestReply, settings: Settings, sent: Sent
) -> AsyncIterator[tuple[Path, "asyncio.Future[Reply]"]]:
    """Publish each file as a request; yield the file with the future of its answer.

    Counts in ``sent``. If a file cannot be read, or Kafka refuses only its request, the file is
    reported and skipped, and the other files are sent.

    Raises:
        BrokerError: Kafka does not answer, or refuses every record.
    """
    for file in files:
        try:
            value, headers = _request(file, settings)
            question = await stream.send(value, headers=headers)
            try:
                await asyncio.shield(question.sent)
            except asyncio.CancelledError:
                await _last(question.sent, sent)
                raise
        except OSError as error:
            sent.skip(file, f"{error.strerror or error}.")
            continue
        except (BrokerError, KafkaError) as error:
            refused = _refused(error, settings.cluster)
            if refused.refusal not in (Refusal.RECORD, Refusal.TOO_LARGE):
                raise refused from error
            sent.skip(file, refused.message)
            continue
        sent.confirmed += 1
        yield file, question.reply


def _request(file: Path, settings: Settings) -> tuple[bytes, Headers]:
    """Return the request for a file. Raise ``OSError``, or ``KafkaError`` if it is too large.

    A file that is too large is not read: it may exceed the memory.
    """
    if file.stat().st_size > MAX_ANSWERS * settings.max_answer_bytes:
        raise MessageSizeTooLargeError
    return settings.request_parser.format.write(file.read_bytes(), opaque_url(str(file)))


def _refused(error: BrokerError | KafkaError, cluster: ClusterConfig) -> BrokerError:
    if isinstance(error, BrokerError):
        return error
    return broker_error(error, cluster, Access.topic("Write", cluster.names.requests))


async def _last(delivery: "asyncio.Future[Source]", sent: Sent) -> None:
    """Wait for the result of the request that was in flight when a signal came."""
    await asyncio.wait({delivery}, timeout=LAST_REQUEST_SECONDS)
    if not delivery.done():
        sent.doubt = " One more may have arrived."
    elif not delivery.cancelled() and delivery.exception() is None:
        sent.confirmed += 1
