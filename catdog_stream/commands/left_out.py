"""Lines about files that a command leaves out."""

from collections.abc import Sequence

import click

from catdog_stream.models.training.labelled import Unreadable, lines_about
from catdog_stream.terminal import shown

__all__ = ["print_left_out"]


def print_left_out(unreadable: Sequence[Unreadable]) -> None:
    """Print the files that were left out, with their reasons, to standard error."""
    for line in lines_about(unreadable):
        click.echo(shown(f"Left out: {line}"), err=True)
