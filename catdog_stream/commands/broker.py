"""``catdog-stream broker``: the local Kafka in the foreground."""

import asyncio
import time
from pathlib import Path

import click
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import KafkaError

from catdog_stream import deadlines
from catdog_stream.broker import LocalKafka
from catdog_stream.commands.local_kafka import local_port, running_kafka
from catdog_stream.commands.stopping import POLL_SECONDS, Stopped, until_stopped
from catdog_stream.errors import SettingError
from catdog_stream.kafka.cluster import group_members
from catdog_stream.settings import Settings
from catdog_stream.terminal import shown


@click.command()
@click.option("--port", type=click.IntRange(1, 65535), help="Port; CATDOG_BROKER's by default.")
@click.option(
    "--data-dir",
    type=click.Path(path_type=Path, file_okay=False),
    help="Where it keeps its topics; ~/.local/state/catdog_stream/kafka-PORT by default.",
)
def broker(port: int | None, data_dir: Path | None) -> None:
    """Run an Apache Kafka on this machine: for a first try and for development."""
    cluster = Settings.from_environment().cluster
    port = port or local_port(cluster)
    if port is None:
        raise SettingError("CATDOG_BROKER is not on this machine: choose a --port.")
    with until_stopped() as signals, running_kafka(cluster, port, data_dir, signals) as running:
        click.echo(shown(f"The broker listens on {running.address}, data in {running.data_dir}."))
        try:
            while running.poll() is None:
                signals.pause()
        except Stopped:
            signals.run(_let_workers_leave(running, cluster.names.group), most=1)
            raise
    click.echo("Stopped.")


async def _let_workers_leave(kafka: LocalKafka, group: str) -> None:
    """Return once ``group`` has no member, or after a few seconds; a second signal ends it."""
    deadline = time.monotonic() + deadlines.LEAVE
    admin = AIOKafkaAdminClient(bootstrap_servers=kafka.address)
    try:
        async with asyncio.timeout(deadlines.LEAVE):
            await admin.start()
            while kafka.poll() is None and time.monotonic() < deadline:
                if not await group_members(admin, group):
                    return
                await asyncio.sleep(POLL_SECONDS)
    except (KafkaError, TimeoutError):
        return
    finally:
        await admin.close()
