"""``catdog-stream reclassify``: labels of stored requests by another stack, in another topic."""

import asyncio
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime

import click

from catdog_stream.commands.silence import saying_silence
from catdog_stream.commands.stopping import Stopped, until_stopped
from catdog_stream.commands.times import parse_time
from catdog_stream.delivery.fetch_budget import FetchBudget
from catdog_stream.delivery.label_writer import LabelWriter
from catdog_stream.delivery.reclassification import Call, Reclassification
from catdog_stream.errors import SettingError
from catdog_stream.models.classifier import Classifier
from catdog_stream.pipeline.observing import Observers
from catdog_stream.settings import Settings, values
from catdog_stream.terminal import shown
from catdog_stream.worker.application import CatDogApp
from catdog_stream.worker.inference import Inference
from catdog_stream.worker.side_models import named_loader

__all__ = ["reclassify_command"]


def _topic(_context: click.Context, _option: click.Parameter, text: str) -> str:
    try:
        return values.topic(text)
    except ValueError as error:
        raise SettingError(f"--to {text!r} cannot be used: {error}.") from error


def reclassify_command(app: CatDogApp) -> click.Command:
    """Return the command, which by default uses the classifier that a worker of ``app`` serves."""

    @click.command()
    @click.option(
        "--since",
        required=True,
        help="Only requests of this time or later: 2h, 3d, or 2024-05-17T12:00+02:00.",
    )
    @click.option("--until", help="Only requests before this time; by default, all that there are.")
    @click.option(
        "--stack",
        metavar="STACK",
        help="NAME/VERSION, a directory, or a class as in CATDOG_CLASSIFIER; by default, what a "
        "worker serves.",
    )
    @click.option("--to", "topic", required=True, callback=_topic, help="Topic of the new labels.")
    @click.option("--compare", is_flag=True, help="Compare the verdicts with those in the labels.")
    def reclassify(
        since: str, until: str | None, stack: str | None, topic: str, compare: bool
    ) -> None:
        """Classify stored requests again, and write the labels to another topic.

        Labels and counts stay as they are. A request that has a label of the stack in the topic
        is skipped, so after a stop or a crash the same command continues.
        """
        now = time.time()
        settings = _alone(app.settings)
        call = Call(
            since=since,
            until=until,
            since_ms=parse_time("--since", since, now),
            until_ms=None if until is None else parse_time("--until", until, now),
        )
        if call.until_ms is not None and call.until_ms <= call.since_ms:
            raise SettingError("--until must be later than --since.")
        run = Reclassification(settings.cluster, topic, call, LabelWriter.of(settings))
        load = app.inference.load if stack is None else named_loader(stack)
        with until_stopped() as signals:
            try:
                signals.run(saying_silence(settings.cluster, _run(run, settings, load)))
            except Stopped as stopped:
                _summarize(run)
                click.echo("Stopped before the end: call it again for the rest.")
                raise SystemExit(stopped.exit_code) from None
            _summarize(run)
            if compare:
                _print(signals.run(saying_silence(settings.cluster, run.compare())), settings)

    return reclassify


def _alone(settings: Settings) -> Settings:
    """Return the settings without a canary, a shadow, and limits of rejections."""
    return replace(
        settings,
        canary=None,
        shadow=None,
        max_rejected_in_a_row=sys.maxsize,
        max_rejected_share=1.0,
    )


async def _run(
    run: Reclassification, settings: Settings, load: Callable[[Settings], Classifier]
) -> None:
    """Load the classifier and run the reclassification.

    Raises:
        BrokerError: no broker answers, it stopped answering, or it refused.
        StackError: the stack cannot be used.
        HungModelError: the model hung too often.
    """
    failure: asyncio.Future[None] = asyncio.get_running_loop().create_future()
    inference = Inference(
        settings,
        load=load,
        publisher=run,
        owns=_always,
        fetched=FetchBudget((), fetch=1, most=1),
        observers=Observers(),
        weights={},
        on_failure=lambda error: None if failure.done() else failure.set_exception(error),
    )
    async with run:
        try:
            await inference.start()
            stack = inference.classifier
            work = asyncio.ensure_future(
                run.run(inference.pipeline, f"{stack.name} {stack.version}")
            )
            await asyncio.wait((work, failure), return_when=asyncio.FIRST_COMPLETED)
            if failure.done():
                work.cancel()
                failure.result()
            await work
        finally:
            await inference.stop()


async def _always() -> bool:
    return True


def _summarize(run: Reclassification) -> None:
    call = run.call
    if not call.stack:
        return  # stopped before the classifier was loaded
    there = sum(len(verdicts) for verdicts in run.verdicts.values())
    since = datetime.fromtimestamp(call.since_ms / 1000).astimezone()
    click.echo(
        shown(
            f"Wrote {run.written} labels of {call.stack} to {run.topic}, which has {there} for "
            f"requests since {since.isoformat(' ', 'seconds')}."
        )
    )
    if rejected := run.rejected:
        reasons = ", ".join(f"{number} {reason}" for reason, number in sorted(rejected.items()))
        click.echo(shown(f"Rejected, and got no label: {reasons}."))


def _print(compared: Mapping[str, Mapping[str, int]], settings: Settings) -> None:
    from catdog_stream.models.training.evaluation import confusion_lines
    from catdog_stream.models.training.intervals import as_text, share_interval

    labels = settings.names.labels
    total = sum(sum(new.values()) for new in compared.values())
    if not total:
        click.echo(f"No request has a label in {labels}, too: there is nothing to compare.")
        return
    same = sum(new.get(old, 0) for old, new in compared.items())
    click.echo(
        f"The verdict is that in {labels} for {same / total:.2%} of {total} requests "
        f"({as_text(share_interval(same, total))})."
    )
    for line in confusion_lines(compared, row="old ", column="new ", title="changes"):
        click.echo(shown(line))
