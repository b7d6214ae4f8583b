"""``catdog-stream convert``: converts a backbone's float weights to the files of a stack."""

from pathlib import Path
from typing import get_args

import click

from catdog_stream.models.engines.networks import NETWORKS, NetworkName
from catdog_stream.terminal import shown

#: Number of pictures whose minimum and maximum values set the range of each layer.
CALIBRATED_ON = 200


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
@click.option(
    "--calibration",
    type=click.Path(path_type=Path),
    help="DIRECTORY/CLASS/*, of which 200 pictures give LiteRT the ranges to compute in integers.",
)
def convert(weights: Path, output: Path, network: NetworkName, calibration: Path | None) -> None:
    """Convert WEIGHTS (.npz, .h5 or .pth, float) for LiteRT and TensorFlow; needs TensorFlow."""
    from catdog_stream.commands.left_out import print_left_out
    from catdog_stream.models.engines.convert import convert as convert_weights
    from catdog_stream.models.training.labelled import typical_pictures
    from catdog_stream.settings import Settings
    from catdog_stream.worker.loading import limits_of

    if calibration is None:
        convert_weights(weights, output, network)
    else:
        settings = Settings.from_environment()
        wanted = NETWORKS[network].preprocessing
        pictures, unreadable = typical_pictures(
            calibration,
            wanted,
            CALIBRATED_ON,
            threads=settings.threads,
            limits=limits_of(settings),
        )
        print_left_out(unreadable)
        convert_weights(weights, output, network, pictures)
    click.echo(shown(f"Wrote both backbone files to {output}."))
