"""``catdog-stream broker``: the embedded broker in the foreground."""

from pathlib import Path

import click

from catdog_stream.commands.stopping import until_stopped
from catdog_stream.errors import SettingError
from catdog_stream.local_broker import embedded_port, running_broker


@click.command()
@click.option("--port", type=click.IntRange(1, 65535), help="Port; CATDOG_BROKER's by default.")
@click.option(
    "--data-dir",
    type=click.Path(path_type=Path, file_okay=False),
    help="Where it keeps its topics; ~/.local/state/catdog_stream/broker-PORT by default.",
)
def broker(port: int | None, data_dir: Path | None) -> None:
    """Run the embedded broker: for a first try, never for production."""
    from catdog_stream.app import app

    port = port or embedded_port(app)
    if port is None:
        raise SettingError("CATDOG_BROKER is not on this machine: choose a --port.")
    with until_stopped(), running_broker(app, port, data_dir) as running:
        click.echo(f"The broker listens on {running.address}, data in {running.data_dir}.")
        running.wait()
    click.echo("Stopped.")
