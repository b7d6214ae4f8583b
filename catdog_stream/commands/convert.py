"""``catdog-stream convert``: the backbone's float weights to the files of a stack."""

from pathlib import Path
from typing import get_args

import click

from catdog_stream.models.engines.networks import NetworkName
from catdog_stream.showing import shown


@click.command()
@click.argument("weights", type=click.Path(path_type=Path))
@click.option("--output", required=True, type=click.Path(path_type=Path), help="A directory.")
@click.option(
    "--network",
    type=click.Choice(get_args(NetworkName)),
    default="inception_v3",
    show_default=True,
    help="The architecture that the weights are of.",
)
def convert(weights: Path, output: Path, network: NetworkName) -> None:
    """Convert WEIGHTS (.npz or .pth, float) for LiteRT and TensorFlow; needs TensorFlow."""
    from catdog_stream.models.engines.convert import convert as convert_weights

    convert_weights(weights, output, network)
    click.echo(shown(f"Wrote both backbone files to {output}."))
