"""``catdog-stream replay``: put rejected requests back, once each."""

import asyncio
import re
import sys
import time
from datetime import datetime
from typing import Any

import click

from catdog_stream.commands.silence import saying_silence
from catdog_stream.commands.stopping import POLL_SECONDS, Signals, cancel, until_stopped
from catdog_stream.delivery.counting import UNKNOWN
from catdog_stream.delivery.replay import Replay
from catdog_stream.errors import Reason, SettingError
from catdog_stream.settings import Settings

#: For the request in hand, once a signal has come; none is in hand while it reads.
LAST_REQUEST_SECONDS = 0.3

#: Every reason code; docs/wire.md tells their meanings. The last one stands for none.
REASONS = (*(reason.value for reason in Reason), UNKNOWN)

SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86400, "w": 604800}


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
@click.option("--dry-run", is_flag=True, help="Say what would be put back, and send nothing.")
def replay(reasons: tuple[str, ...], since: str | None, dry_run: bool) -> None:
    """Put rejected requests back onto the topic of requests, once each.

    A second call puts back only what has been rejected since. Call it once at a time.
    """
    since_ms = None if since is None else parse_since(since, time.time())
    run = Replay(Settings.from_environment().cluster, frozenset(reasons), since_ms, dry_run)
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
    """A signal ends it between two requests, so that none is put back unrecorded.

    A broker that does not answer is not waited for.
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


def parse_since(text: str, now: float) -> int:
    """Milliseconds since the epoch.

    Args:
        text: a duration before ``now`` (``90s``, ``15m``, ``2h``, ``3d``, ``1w``), or a time as in
            ISO 8601; one without a zone is this machine's.
        now: seconds since the epoch.

    Raises:
        SettingError: it is neither.
    """
    if match := re.fullmatch(r"([0-9]{1,9})([smhdw])", text.strip()):
        seconds = now - int(match[1]) * SECONDS[match[2]]
    else:
        try:
            seconds = datetime.fromisoformat(text.strip()).timestamp()
        except (ValueError, OverflowError) as error:
            raise SettingError(
                f"--since {text!r} cannot be used: it must be a duration like 2h or 3d, "
                "or a time like 2024-05-17T12:00."
            ) from error
    return max(0, int(seconds * 1000))
