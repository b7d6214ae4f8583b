"""``catdog-stream recount``: corrects the counts to match the topics."""

from collections.abc import Iterator

import click

from catdog_stream.commands.silence import saying_silence
from catdog_stream.commands.stopping import until_stopped
from catdog_stream.delivery.recount import Found, Recount, total
from catdog_stream.settings import Settings
from catdog_stream.terminal import shown


@click.command()
@click.option("--dry-run", is_flag=True, help="Say what differs, and correct nothing.")
@click.option(
    "--forget-deleted",
    is_flag=True,
    help="Subtract answers too that are counted and that the topics no longer hold.",
)
def recount(dry_run: bool, forget_deleted: bool) -> None:
    """Count the answers in the topics again, and correct the statistics.

    Workers may run and continue counting meanwhile; if none runs, the next worker corrects its
    counts at its start. If Kafka has deleted answers (after a week), a difference is no mistake:
    then nothing is corrected without --forget-deleted.
    """
    cluster = Settings.from_environment().cluster
    run = Recount(cluster)
    with until_stopped() as signals:
        signals.run(saying_silence(cluster, run.look()))
        for line in report_lines(run):
            click.echo(line)
        running = bool(run.lost) and signals.run(saying_silence(cluster, run.workers()))
        if running:
            raise click.ClickException(
                "Nothing is corrected. The changelog has lost the counts of "
                f"{', '.join(f'{tp.topic}/{tp.partition}' for tp in run.lost)}, and only the "
                "running workers know them: stop all workers, then call it again."
            )
        if dry_run or not run.corrections:
            return
        if run.forgotten and not forget_deleted:
            raise click.ClickException(
                "Nothing is corrected. Kafka no longer holds every answer that is counted, and "
                f"{sum(run.forgotten.values())} that may be right would be subtracted: "
                "recount --forget-deleted does so."
            )
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
    if run.left_out:
        raise click.ClickException(
            f"Corrected in part: {run.left_out} further names differ. Call it again for them."
        )
    click.echo("Corrected.")


def report_lines(run: Recount) -> Iterator[str]:
    """Yield one line for each partition that differs, and one for the total."""
    for tp, found in run.corrections.items():
        yield shown(f"{tp.topic}/{tp.partition}: {_differences(found)}.")
    for tp in run.shortened:
        yield f"{tp.topic}/{tp.partition}: its oldest records are deleted."
    for tp, number in run.forgotten.items():
        yield (
            f"{tp.topic}/{tp.partition}: {number} of the answers that are counted may be among "
            "those that are deleted."
        )
    for tp in run.without_counts:
        yield f"{tp.topic}/{tp.partition}: no counts are committed, so none can be corrected."
    before = sum(total(found.committed) for found in run.found.values())
    after = sum(total(found.found) for found in run.found.values())
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
