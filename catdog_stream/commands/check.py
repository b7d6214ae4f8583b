"""``catdog-stream worker --check``: checks the environment of a worker without a start."""

from collections.abc import Iterator, Sequence
from typing import Any

import click

from catdog_stream.commands.silence import saying_silence
from catdog_stream.commands.stopping import until_stopped
from catdog_stream.errors import CatDogError
from catdog_stream.kafka.cluster import topic_partitions
from catdog_stream.terminal import shown
from catdog_stream.worker.application import CatDogApp
from catdog_stream.worker.cluster_checks import Finding, Level
from catdog_stream.worker.cluster_readiness import cluster_findings
from catdog_stream.worker.local_checks import (
    check_references,
    check_settings,
    check_stacks,
    check_web,
)

__all__ = ["add_check"]


def add_check(worker: click.Command, app: CatDogApp) -> None:
    """Add the option ``--check`` to Faust's command ``worker``."""
    start = worker.callback
    assert start is not None

    def check_or_start(
        *args: Any,
        check: bool,
        web_port: int | None,
        web_bind: str | None,
        **options: Any,
    ) -> Any:
        if check:
            _check(app, web_port, web_bind)
        return start(*args, web_port=web_port, web_bind=web_bind, **options)

    worker.callback = check_or_start
    help_text = "Check settings, rights, topics, stack and web address, and start no worker."
    worker.params.append(click.Option(["--check"], is_flag=True, help=help_text))


def _check(app: CatDogApp, web_port: int | None, web_bind: str | None) -> None:
    """Print the findings; exit with 1 if one is an error."""
    app.worker_init()
    failed = False
    with until_stopped() as signals:
        for lookup in _findings(app, web_port, web_bind, signals.run):
            click.echo(shown(str(lookup)))
            failed |= lookup.level is Level.ERROR
    raise SystemExit(int(failed))


def _findings(
    app: CatDogApp, web_port: int | None, web_bind: str | None, run: Any
) -> Iterator[Finding]:
    yield check_settings(app.settings, app.role)
    if not app.role.is_jury:
        yield from check_stacks(app.settings)
        yield from check_references(app.settings)
    yield check_web(web_bind or app.conf.web_bind, web_port or app.conf.web_port)
    try:
        yield from run(saying_silence(app.settings.cluster, _cluster(app)))
    except CatDogError as error:
        yield Finding(Level.ERROR, "cluster", error.message)


async def _cluster(app: CatDogApp) -> Sequence[Finding]:
    await topic_partitions(app.settings.cluster)  # reports why no broker answers
    return await cluster_findings(app.settings, app.role)
