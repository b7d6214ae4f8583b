"""``catdog-stream stacks``: lists stacks and rolls them out."""

import json
from collections.abc import Coroutine, Iterable
from dataclasses import replace
from pathlib import Path
from typing import Any, TypeVar

import click

from catdog_stream.commands.silence import saying_silence
from catdog_stream.commands.stack_facts import about, details, serving
from catdog_stream.commands.stopping import Signals, until_stopped
from catdog_stream.errors import SettingError
from catdog_stream.kafka.config import ClusterConfig
from catdog_stream.kafka.deployments import Past, RolloutState, deploy, forget, rollout_state
from catdog_stream.kafka.rollout_status import Outcome, Running, outcome, running
from catdog_stream.messages.scores import DEFAULT_LIMITS
from catdog_stream.models.classes import listed
from catdog_stream.models.stacks.repository import Repository, StackId, shipped
from catdog_stream.settings import Settings
from catdog_stream.terminal import shown

__all__ = ["stacks"]

#: Option that selects the voters whose deployments the command uses.
for_voter = click.option(
    "--voter",
    metavar="NAME",
    help="For the voters of this name, which have deployments of their own.",
)

T = TypeVar("T")

OWN = "the stack of its own settings"


@click.group()
def stacks() -> None:
    """Show, roll out and roll back the stacks in CATDOG_STACKS."""


@stacks.command("list")
@click.option("--json", "as_json", is_flag=True, help="Print JSON instead.")
@for_voter
def list_(as_json: bool, voter: str | None) -> None:
    """List the stacks, mark the deployed one, and print what each worker serves."""
    settings = Settings.from_environment()
    repository = _repository(settings)
    with until_stopped() as signals:
        state = _ask(signals, settings.cluster, rollout_state(settings.cluster, voter))
        workers = _ask(signals, settings.cluster, running(settings.cluster, voter)).workers
    ordered = state.deployment.stack if state.deployment is not None else None
    found = {str(stack): about(repository, stack) for stack in repository}
    if as_json:
        rows = [{"stack": name, "ordered": name == ordered, **each} for name, each in found.items()]
        serve = [serving(worker, state).as_json() for worker in sorted(workers)]
        click.echo(_json({"ordered": ordered, "stacks": rows, "workers": serve}))
        return
    for name, each in found.items():
        click.echo(shown(f"{'*' if name == ordered else ' '} {name}  {each['about']}"))
    if not found:
        click.echo(shown(f"There is no stack in {repository.folder}."))
    if ordered is None:
        click.echo("Each worker serves the stack of its own settings.")
    elif ordered not in found:
        click.echo(shown(f"{ordered} is deployed, but is not in the folder."))
    for worker in sorted(workers):
        click.echo(shown(str(serving(worker, state))))


@stacks.command()
@click.argument("stack")
@click.option("--json", "as_json", is_flag=True, help="Print the manifest as JSON.")
def show(stack: str, as_json: bool) -> None:
    """Show the manifest of STACK, which is NAME/VERSION, and check its files."""
    repository = _repository(Settings.from_environment())
    wanted = StackId.parse(stack)
    if as_json:
        repository.manifest(wanted)
        click.echo(_json(repository.document(wanted)))
    else:
        for line in details(repository, wanted):
            click.echo(shown(line))


@stacks.command()
@click.argument("directory", type=click.Path(path_type=Path))
@click.argument("pictures", type=click.Path(path_type=Path))
def golden(directory: Path, pictures: Path) -> None:
    """Store PICTURES in the stack in DIRECTORY as its golden pictures, with its verdicts.

    Before a stack takes over, a worker classifies them, and refuses the stack if a verdict differs.
    """
    from catdog_stream.models.stacks.golden import give as give_golden
    from catdog_stream.worker.loading import load_stack

    stack = load_stack(replace(Settings.from_environment(), stack=directory))
    for each in give_golden(stack, directory, pictures):
        scores = DEFAULT_LIMITS.shown(each.scores)
        chances = " ".join(f"{name} {chance:.1%}" for name, chance in scores.items())
        click.echo(shown(f"{each.file}: {chances}"))
    stack.close()


@stacks.command()
@click.argument("stack")
@for_voter
def use(stack: str, voter: str | None) -> None:
    """Deploy STACK, which is NAME/VERSION, to all workers, and wait for their reports."""
    settings = Settings.from_environment()
    wanted = StackId.parse(stack)
    if settings.stacks is not None:  # the workers may run on other machines
        classes = listed(_repository(settings).manifest(wanted).classes)
        click.echo(shown(f"{wanted}: its classes are {classes}."))
    with until_stopped() as signals:
        state = _ask(signals, settings.cluster, rollout_state(settings.cluster, voter))
        if settings.stacks is None and wanted not in shipped():
            _require_worker(
                _ask(signals, settings.cluster, running(settings.cluster, voter)), wanted
            )
        _deploy(signals, settings.cluster, state, str(wanted), state.next_history(), voter)


def _require_worker(now: Running, wanted: StackId) -> None:
    """Raise ``SettingError`` if neither a worker nor a folder can confirm that the stack exists.

    The deployment would stay in force, and each new worker would refuse it.
    """
    if not now:
        raise SettingError(
            f"No worker runs to say whether there is a stack {wanted}: set CATDOG_STACKS to the "
            "folder of the stacks, or start a worker first."
        )


@stacks.command()
@for_voter
def rollback(voter: str | None) -> None:
    """Deploy the stack that served before to all workers; repeat it to go further back.

    Stacks that no worker could use do not count.
    """
    settings = Settings.from_environment()
    with until_stopped() as signals:
        state = _ask(signals, settings.cluster, rollout_state(settings.cluster, voter))
        back = state.rollback()
        if back is None:
            raise click.ClickException(
                "No stack is known that served before: nothing to go back to."
            )
        stack, history = back
        click.echo(shown(f"Back to {stack or OWN}."))
        _deploy(signals, settings.cluster, state, stack, history, voter)


def _deploy(
    signals: Signals,
    cluster: ClusterConfig,
    state: RolloutState,
    stack: str | None,
    history: Iterable[Past],
    voter: str | None,
) -> None:
    """Publish the deployment, and print the result of each worker."""
    what = stack or OWN
    now = _ask(signals, cluster, running(cluster, voter))
    if not now.nameless:
        _ask(signals, cluster, forget(cluster, state.reports.keys() - now.workers, voter))
    deployment = _ask(signals, cluster, deploy(cluster, stack, history, voter))
    if not now:
        click.echo(shown(f"No worker runs: those to come serve {what}."))
        return
    _print_reports(_ask(signals, cluster, outcome(cluster, deployment, voter)), what)


def _ask(signals: Signals, cluster: ClusterConfig, work: Coroutine[Any, Any, T]) -> T:
    """Run ``work``, which queries Kafka. Raise ``Stopped`` and the errors of ``work``."""
    return signals.run(saying_silence(cluster, work))


def _print_reports(found: Outcome, what: str) -> None:
    """Print the reports. Raise ``click.ClickException`` unless every worker serves the stack."""
    refused = silent = 0
    for worker, each in found.reports.items():
        if found.superseded is not None and (each is None or not each.done):
            continue  # it skips or abandons the deployment
        if each is None:
            silent += 1
            text = "has not reported: it has no CATDOG_STACKS, or is slow"
        elif not each.done:
            silent += 1
            text = f"{each.stack} stays in service: {what} is still being loaded"
        elif each.problem is not None:
            refused += 1
            text = f"{each.stack} stays in service: {each.problem}"
        else:
            text = each.stack
        click.echo(shown(f"{worker}: {text}"))
    if found.superseded is not None:
        newer = found.superseded.stack or OWN
        raise click.ClickException(shown(f"A newer deployment is in force: {newer}."))
    if not found.served:
        number = len(found.reports) + found.running.nameless
        silent += found.running.nameless
        served = number - refused - silent
        raise click.ClickException(
            shown(
                f"Of {number} workers {served} serve {what}, {refused} refused, "
                f"and {silent} did not report in time."
            )
        )


def _repository(settings: Settings) -> Repository:
    if settings.stacks is None:
        raise SettingError("CATDOG_STACKS must name the folder of the stacks.")
    return Repository(settings.stacks)


def _json(document: object) -> str:
    return json.dumps(document, indent=2)  # in ASCII, for any manifest
