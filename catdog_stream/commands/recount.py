"""``catdog-stream recount``: have the counts be what the topics hold."""

from collections.abc import Iterator

import click

from catdog_stream.commands.silence import saying_silence
from catdog_stream.commands.stopping import until_stopped
from catdog_stream.delivery.counting import Shard
from catdog_stream.delivery.recounting import Found, Recount
from catdog_stream.settings import Settings
from catdog_stream.showing import shown


@click.command()
@click.option("--dry-run", is_flag=True, help="Say what differs, and correct nothing.")
def recount(dry_run: bool) -> None:
    """Count the answers in the topics again, and correct the statistics by what differs.

    Workers may run, and go on counting meanwhile; if none runs, the next one corrects its counts
    as it starts. What Kafka has deleted (after a week) counts no more.
    """
    cluster = Settings.from_environment().cluster
    run = Recount(cluster)
    with until_stopped() as signals:
        signals.run(saying_silence(cluster, run.look()))
        for line in told(run):
            click.echo(line)
        if dry_run or not run.corrections:
            return
        signals.run(saying_silence(cluster, run.leave()))
        if not signals.run(saying_silence(cluster, run.workers())):
            click.echo("No worker runs: the next one corrects its counts when it has started.")
            return
        done = signals.run(saying_silence(cluster, run.taken_over()))
    left = len(run.corrections) - len(done)
    if left:
        raise click.ClickException(
            f"{left} of {len(run.corrections)} partitions are not corrected yet: "
            "a worker does so when it next has them; call it again to see."
        )
    click.echo("Corrected.")


def told(run: Recount) -> Iterator[str]:
    """What was found: a line for each partition that differs, and one for all."""
    for tp, found in run.corrections.items():
        yield shown(f"{tp.topic}/{tp.partition}: {_differences(found)}.")
    for tp in run.shortened:
        yield f"{tp.topic}/{tp.partition}: its oldest records are deleted, and count no more."
    for tp in run.without_counts:
        yield f"{tp.topic}/{tp.partition}: no counts are committed, so none can be corrected."
    before = sum(_total(found.committed) for found in run.found.values())
    after = sum(_total(found.found) for found in run.found.values())
    number = len(run.corrections)
    differ = f"{number} partition{'s' * (number != 1)} to correct" if number else "nothing differs"
    yield f"{before} answers are counted, {after} are in the topics: {differ}."


def _differences(found: Found) -> str:
    parts = []
    for before, after in (
        (found.committed["labels"], found.found["labels"]),
        (found.committed["rejections"], found.found["rejections"]),
    ):
        for name in sorted(before.keys() | after.keys()):
            counted, there = before.get(name, 0), after.get(name, 0)
            if counted != there:
                parts.append(f"{counted} {name} counted, {there} there")
    return "; ".join(parts)


def _total(shard: Shard) -> int:
    return sum(shard["labels"].values()) + sum(shard["rejections"].values())
