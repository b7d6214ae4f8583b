"""Option of the commands that train on the features of a backbone of another library."""

from typing import get_args

import click

from catdog_stream.models.presets import PresetName

__all__ = ["BACKBONE_PRESET"]

BACKBONE_PRESET = click.option(
    "--preset",
    type=click.Choice(get_args(PresetName)),
    help="The library whose way to prepare pictures a --backbone of another library expects.",
)
