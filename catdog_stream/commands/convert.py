"""``catdog-stream convert``: the backbone's float weights to the files of a stack."""

from pathlib import Path

import click

from catdog_stream.showing import shown


@click.command()
@click.argument("weights", type=click.Path(path_type=Path))
@click.option("--output", required=True, type=click.Path(path_type=Path), help="A directory.")
def convert(weights: Path, output: Path) -> None:
    """Convert WEIGHTS (.npz, float) for LiteRT and TensorFlow; needs TensorFlow."""
    from catdog_stream.models.engines.convert import convert as convert_weights

    convert_weights(weights, output)
    click.echo(shown(f"Wrote both backbone files to {output}."))
