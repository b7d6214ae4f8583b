"""``catdog-stream stacks``: which stacks there are, and which of them serves."""

import asyncio

import click

from catdog_stream import deadlines
from catdog_stream.commands.stopping import until_stopped
from catdog_stream.errors import SettingError, StackError
from catdog_stream.kafka.cluster import admin, group_members
from catdog_stream.kafka.config import ClusterConfig
from catdog_stream.kafka.orders import Order, Report, follow, give, latest
from catdog_stream.models.stacks.manifest import Manifest
from catdog_stream.models.stacks.repository import Repository, StackId
from catdog_stream.settings import Settings
from catdog_stream.showing import shown
from catdog_stream.topics import GROUP

__all__ = ["stacks"]


@click.group()
def stacks() -> None:
    """Show, swap and roll back the stacks in CATDOG_STACKS."""


@stacks.command("list")
def list_() -> None:
    """List the stacks, and mark the one that is ordered."""
    settings = Settings.from_environment()
    repository = _repository(settings)
    with until_stopped() as signals:
        order = signals.run(latest(settings.cluster))
    found = list(repository)
    for stack in found:
        try:
            about = _quality(repository.manifest(stack))
        except StackError as error:
            about = f"cannot be used: {error}"
        mark = "*" if order is not None and order.stack == str(stack) else " "
        click.echo(shown(f"{mark} {stack}  {about}"))
    if not found:
        click.echo(shown(f"There is no stack in {repository.folder}."))
    if order is None or order.stack is None:
        click.echo("Each worker serves the stack of its own settings.")


@stacks.command()
@click.argument("stack")
def show(stack: str) -> None:
    """Show the manifest of STACK, which is NAME/VERSION."""
    repository = _repository(Settings.from_environment())
    manifest = repository.manifest(StackId.parse(stack))
    click.echo(shown(f"{manifest.name} {manifest.version}: {', '.join(manifest.classes)}"))
    click.echo(shown(f"  quality   {_quality(manifest)}"))
    for name, part in manifest.parts.items():
        click.echo(shown(f"  {name:<9} {part.file}  sha256 {part.sha256}"))
    click.echo(f"  golden    {len(manifest.golden)} pictures")


@stacks.command()
@click.argument("stack")
def use(stack: str) -> None:
    """Have all workers serve STACK, which is NAME/VERSION, and wait for what they say."""
    settings = Settings.from_environment()
    wanted = StackId.parse(stack)
    if settings.stacks is not None:  # the workers may run elsewhere
        _repository(settings).manifest(wanted)
    with until_stopped() as signals:
        before = signals.run(latest(settings.cluster))
        history = (None,) if before is None else (before.stack, *before.history)
        signals.run(_order(settings.cluster, str(wanted), history))


@stacks.command()
def rollback() -> None:
    """Have all workers serve what they served before the last order, and so on back."""
    settings = Settings.from_environment()
    with until_stopped() as signals:
        now = signals.run(latest(settings.cluster))
        if now is None or not now.history:
            raise click.ClickException("No order is known that could be taken back.")
        signals.run(_order(settings.cluster, now.history[0], now.history[1:]))


async def _order(
    cluster: ClusterConfig, stack: str | None, history: tuple[str | None, ...]
) -> None:
    """Give the order, and print what each worker made of it."""
    expected = await _workers(cluster)
    order = await give(cluster, stack, history)
    what = stack or "the stack of their settings"
    if not expected:
        click.echo(shown(f"No worker runs: those to come serve {what}."))
        return
    said = await _said(cluster, order, expected)
    for each in said:
        text = each.stack if each.problem is None else f"{each.stack} goes on: {each.problem}"
        click.echo(shown(f"{each.worker}: {text}"))
    refused = sum(each.problem is not None for each in said)
    if refused or len(said) < expected:
        raise click.ClickException(
            f"Of {expected} workers {len(said) - refused} serve {what}, {refused} refused, and "
            f"{expected - len(said)} said nothing: such a worker has no CATDOG_STACKS, or is slow."
        )


async def _said(cluster: ClusterConfig, order: Order, expected: int) -> list[Report]:
    said: dict[str, Report] = {}
    try:
        async with asyncio.timeout(deadlines.SWAPPED):
            async for news in follow(cluster, order.offset + 1):
                if isinstance(news, Report) and news.order == order.offset:
                    said[news.worker] = news
                    if len(said) >= expected:
                        break
    except TimeoutError:
        pass  # who has said nothing is told
    return list(said.values())


async def _workers(cluster: ClusterConfig) -> int:
    async with admin(cluster) as client:
        return await group_members(client, GROUP)


def _repository(settings: Settings) -> Repository:
    if settings.stacks is None:
        raise SettingError("CATDOG_STACKS must name the folder of the stacks.")
    return Repository(settings.stacks)


def _quality(manifest: Manifest) -> str:
    accuracy = (manifest.quality or {}).get("accuracy")
    count = (manifest.quality or {}).get("count")
    if not isinstance(accuracy, int | float):
        return "never measured"
    return f"accuracy {accuracy:.2%} on {count} pictures"
