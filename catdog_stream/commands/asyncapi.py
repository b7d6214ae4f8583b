"""``catdog-stream asyncapi``: a description of the topics for other programs."""

import json

import click

from catdog_stream.settings import Settings

__all__ = ["asyncapi"]


@click.command()
def asyncapi() -> None:
    """Print an AsyncAPI 3 document of the topics, formats and headers that the settings choose.

    It asks no broker, and reads the classes from the stack's manifest.
    """
    from catdog_stream.commands.asyncapi_document import asyncapi_document

    settings = Settings.from_environment()
    click.echo(json.dumps(asyncapi_document(settings), indent=2, ensure_ascii=False))
