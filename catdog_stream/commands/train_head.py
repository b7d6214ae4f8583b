"""``catdog-stream train-head``: trains a head on labelled pictures, and writes a stack."""

from pathlib import Path
from typing import get_args

import click

from catdog_stream.commands.backbone_option import BACKBONE_PRESET
from catdog_stream.commands.stack_names import STACK_PART, stack_name
from catdog_stream.errors import InputError
from catdog_stream.models.presets import PresetName
from catdog_stream.models.stacks.locate import stack_directory
from catdog_stream.models.training.head.options import MOST_TO_BOOST, HeadOption
from catdog_stream.settings import Settings
from catdog_stream.terminal import shown


@click.command("train-head")
@click.argument("directory", type=click.Path(path_type=Path))
@click.option(
    "--output", required=True, type=click.Path(path_type=Path), help="Where the stack goes."
)
@click.option(
    "--backbone",
    type=click.Path(path_type=Path),
    help="What convert wrote, another stack, or an .onnx or .tflite file that gives features; the "
    "stack in use by default.",
)
@BACKBONE_PRESET
@click.option(
    "--validation",
    type=click.Path(path_type=Path),
    help="Labelled pictures to measure the new stack on, never trained on.",
)
@click.option("--name", type=STACK_PART, help="The stack's name; that of DIRECTORY by default.")
@click.option(
    "--version", type=STACK_PART, default="1", show_default=True, help="The stack's version."
)
@click.option(
    "--head",
    type=click.Choice(get_args(HeadOption)),
    default="auto",
    show_default=True,
    help=f"Boosted trees or linear; linear above {MOST_TO_BOOST} classes.",
)
@click.option("--force", is_flag=True, help="Write into a directory that holds something.")
def train_head(
    directory: Path,
    output: Path,
    backbone: Path | None,
    preset: PresetName | None,
    validation: Path | None,
    name: str | None,
    version: str,
    head: HeadOption,
    force: bool,
) -> None:
    """Train a head on DIRECTORY/CLASS/*, two classes or more."""
    name = stack_name(name, version, directory)
    from catdog_stream.commands.left_out import print_left_out
    from catdog_stream.models.importing.backbone import described_folder
    from catdog_stream.models.training.head_training import train_head as train
    from catdog_stream.worker.loading import limits_of

    if not force and output.is_dir() and any(output.iterdir()):
        raise InputError(f"There is something in {output} already: --force replaces a stack there.")
    settings = Settings.from_environment()
    with described_folder(stack_directory(backbone or settings.stack), preset) as folder:
        trained = train(
            directory,
            output,
            backbone=folder,
            validation=validation,
            name=name,
            version=version,
            threads=settings.threads,
            head=head,
            limits=limits_of(settings),
        )
    print_left_out(trained.unreadable)
    click.echo(shown(f"Trained on {trained.pictures} pictures; the stack is in {trained.stack}."))
    if trained.validation is not None:
        click.echo(trained.validation.as_table())
