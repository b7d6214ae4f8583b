"""``catdog-stream watch``: prints labels as they arrive."""

import click

from catdog_stream.commands.silence import saying_silence
from catdog_stream.commands.stopping import until_stopped
from catdog_stream.kafka.client import shown_url
from catdog_stream.kafka.config import ClusterConfig
from catdog_stream.kafka.replies import Reply, replies
from catdog_stream.settings import Settings
from catdog_stream.terminal import shown


@click.command()
@click.option("--from-beginning", is_flag=True, help="Start with the oldest label there is.")
def watch(from_beginning: bool) -> None:
    """Print labels as they arrive, until Ctrl-C."""
    with until_stopped() as signals:
        cluster = Settings.from_environment().cluster
        signals.run(saying_silence(cluster, _watch(cluster, from_beginning)))


async def _watch(cluster: ClusterConfig, from_beginning: bool) -> None:
    async with replies(cluster, from_beginning=from_beginning) as stream:
        async for reply in stream:
            if reply.label is not None:
                click.echo(line(reply))


def line(reply: Reply) -> str:
    """Return one line about a label, which is untrusted text."""
    return shown(f"{reply.label}  {shown_url(reply.url)}")
