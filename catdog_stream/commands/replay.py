"""``catdog-stream replay``: replays rejected requests, once each."""

import asyncio
import sys
import time
from typing import Any

import click

from catdog_stream.commands.silence import saying_silence
from catdog_stream.commands.stopping import POLL_SECONDS, Signals, cancel, until_stopped
from catdog_stream.commands.times import parse_time
from catdog_stream.delivery.counting import UNKNOWN
from catdog_stream.delivery.replay import Replay
from catdog_stream.errors import Reason, SettingError
from catdog_stream.settings import Settings

#: For the request in flight after a signal; while the command reads, none is in flight.
LAST_REQUEST_SECONDS = 0.3

#: Every reason code; docs/wire.md describes them. The last stands for a missing code.
REASONS = (*(reason.value for reason in Reason), UNKNOWN)


def _known(_context: click.Context, _option: click.Parameter, reasons: tuple[str, ...]) -> Any:
    for reason in reasons:
        if reason not in REASONS:
            raise SettingError(
                f"There is no reason code {reason!r}: it must be one of {', '.join(REASONS)}."
            )
    return reasons


@click.command()
@click.option(
    "--reason",
    "reasons",
    multiple=True,
    metavar="REASON",
    callback=_known,
    help="Only these; may be given repeatedly. Without it, all but those for which a request is "
    "certain to be rejected again.",
)
@click.option(
    "--since", help="Only requests of this time or later: 2h, 3d, or 2024-05-17T12:00+02:00."
)
@click.option("--dry-run", is_flag=True, help="Say what would be replayed, and send nothing.")
def replay(reasons: tuple[str, ...], since: str | None, dry_run: bool) -> None:
    """Replay rejected requests: publish them as requests again, once each.

    A second call replays only requests rejected since the first. Do not run two at a time.
    """
    since_ms = None if since is None else parse_time("--since", since, time.time())
    settings = Settings.from_environment()
    run = Replay(settings.cluster, settings.request_parser, frozenset(reasons), since_ms, dry_run)
    with until_stopped() as signals:
        work = saying_silence(run.cluster, _until_done_or_stopped(run, signals))
        signals.run(work, most=sys.maxsize)
    if dry_run:
        for line in run.tally.lines():
            click.echo(line)
    click.echo(run.tally.summary(dry_run=dry_run))
    if left_out := run.tally.left_out():
        click.echo(left_out)
    if signals.count:
        click.echo("Stopped before the end: call it again for the rest.")


async def _until_done_or_stopped(run: Replay, signals: Signals) -> None:
    """Run the replay; a signal ends it between two requests, so that each replay is recorded.

    The command does not wait for a broker that does not answer.
    """
    stop = asyncio.Event()
    running = asyncio.create_task(run.run(stop))
    while not running.done() and not signals.count:
        await asyncio.wait({running}, timeout=POLL_SECONDS)
    stop.set()
    await asyncio.wait({running}, timeout=LAST_REQUEST_SECONDS)
    if not running.done():
        await cancel({running})
        signals.check()
    running.result()
