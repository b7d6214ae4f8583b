"""Commands that this application adds to Faust's, one per module.

The app, including ``worker``, imports all of them. So each command imports slow modules, such
as XGBoost, inside its function.
"""

from copy import copy

import click
from faust.cli.faust import cli  # with all commands of Faust, some of which are replaced
from faust.cli.worker import worker

from catdog_stream import __version__
from catdog_stream.commands.asyncapi import asyncapi
from catdog_stream.commands.broker import broker
from catdog_stream.commands.check import add_check
from catdog_stream.commands.convert import convert
from catdog_stream.commands.evaluate import evaluate_command
from catdog_stream.commands.faust_options import describe
from catdog_stream.commands.fit_ood import fit_ood
from catdog_stream.commands.import_model import import_command
from catdog_stream.commands.import_original import import_original
from catdog_stream.commands.predict import predict_command
from catdog_stream.commands.reclassify import reclassify_command
from catdog_stream.commands.recount import recount
from catdog_stream.commands.replay import replay
from catdog_stream.commands.send import send
from catdog_stream.commands.stacks import stacks
from catdog_stream.commands.train import train
from catdog_stream.commands.train_head import train_head
from catdog_stream.commands.up import up_command
from catdog_stream.commands.watch import watch
from catdog_stream.worker.application import CatDogApp

__all__ = ["add_commands"]

COMMANDS = (
    asyncapi,
    broker,
    convert,
    fit_ood,
    import_command,
    import_original,
    recount,
    replay,
    send,
    stacks,
    train,
    train_head,
    watch,
)


def add_commands(app: CatDogApp) -> None:
    """Add the commands to Faust's command line, which exists once in a process."""
    for made in (evaluate_command, predict_command, reclassify_command, up_command):
        cli.add_command(made(app))
    for command in COMMANDS:
        cli.add_command(command)
    cli.add_command(_renamed(fit_ood, "familiarize"))
    add_check(worker._click, app)
    for described in (cli, *cli.commands.values()):
        describe(described)
    # Faust's option prints Faust's own version.
    cli.params = [option for option in cli.params if option.name != "version"]
    click.version_option(__version__, prog_name="catdog-stream", message="%(prog)s %(version)s")(
        cli
    )


def _renamed(command: click.Command, old: str) -> click.Command:
    """Return the command under its old name, which still works and is not in the list."""
    renamed = copy(command)
    renamed.name, renamed.hidden = old, True
    return renamed
