"""``catdog-stream train``: trains a stack on a folder of labelled pictures.

A separate process does the training: TensorFlow ignores signals for up to a minute, and a user who
presses Ctrl-C must not wait.
"""

import os
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, get_args

import click

from catdog_stream.broker import child
from catdog_stream.commands.backbone_option import BACKBONE_PRESET
from catdog_stream.commands.stack_names import STACK_PART, stack_name
from catdog_stream.commands.stopping import Stopped, until_stopped
from catdog_stream.errors import InputError
from catdog_stream.models.engines.networks import NetworkName
from catdog_stream.models.presets import PresetName
from catdog_stream.models.stacks.locate import shipped_stack
from catdog_stream.models.training.head.options import MOST_TO_BOOST, HeadOption
from catdog_stream.settings import Settings
from catdog_stream.terminal import shown

#: Environment variable that marks the training process. An option would have to be placed before
#: a "--" on the command line.
AT_WORK = "_CATDOG_TRAIN_AT_WORK"


@click.command()
@click.argument("directory", type=click.Path(path_type=Path))
@click.option(
    "--output", required=True, type=click.Path(path_type=Path), help="Where the stack goes."
)
@click.option(
    "--evaluation",
    type=click.Path(path_type=Path),
    help="Labelled pictures to measure the stack on; some of DIRECTORY by default.",
)
@click.option(
    "--group",
    metavar="PATTERN|FILE.csv",
    help="Pictures of a group stay on one side of every split: a pattern with one group for the "
    "names of the files, or a table of path and group.",
)
@click.option(
    "--network",
    type=click.Choice(get_args(NetworkName)),
    help="The backbone's architecture; that of --backbone, or inception_v3.",
)
@click.option(
    "--backbone",
    type=click.Path(path_type=Path, exists=True),
    help="A stack to begin with, a file of weights, or an .onnx or .tflite file that gives "
    "features; the one that ships by default.",
)
@BACKBONE_PRESET
@click.option(
    "--teacher",
    type=click.Path(path_type=Path, exists=True, file_okay=False),
    help="A stack whose backbone is imitated while this one learns; none by default.",
)
@click.option("--name", type=STACK_PART, help="The stack's name; that of DIRECTORY by default.")
@click.option(
    "--version", type=STACK_PART, default="1", show_default=True, help="The stack's version."
)
@click.option(
    "--size",
    type=click.IntRange(75, 1024),
    help="Width and height that pictures are resized to; the backbone's own by default.",
)
@click.option(
    "--epochs",
    type=click.FloatRange(0, 1000, min_open=True),
    help="How often the backbone sees each picture; by their number by default.",
)
@click.option(
    "--upper-layers",
    is_flag=True,
    help="Train the upper layers of the backbone alone: a third of the time on a CPU.",
)
@click.option(
    "--fine-tuning/--no-fine-tuning",
    default=None,
    help="Whether the backbone learns, too; it does where there are enough pictures.",
)
@click.option(
    "--head",
    type=click.Choice(get_args(HeadOption)),
    default="auto",
    show_default=True,
    help=f"Boosted trees or linear; by held-out loss, or linear above {MOST_TO_BOOST} classes.",
)
@click.option(
    "--seed",
    type=click.IntRange(0, 2**31 - 1),
    default=0,
    show_default=True,
    help="The same one gives the same stack.",
)
@click.option(
    "--threads", type=click.IntRange(1, 1024), help="CPU threads; CATDOG_THREADS by default."
)
@click.option("--resume", is_flag=True, help="Go on with a training that was stopped.")
@click.option("--force", is_flag=True, help="Replace what is in the output directory.")
def train(
    directory: Path,
    output: Path,
    evaluation: Path | None,
    group: str | None,
    network: NetworkName | None,
    backbone: Path | None,
    preset: PresetName | None,
    teacher: Path | None,
    name: str | None,
    version: str,
    size: int | None,
    threads: int | None,
    resume: bool,
    force: bool,
    **others: Any,
) -> None:
    """Train a stack on DIRECTORY/CLASS/*, two classes or more."""
    name = stack_name(name, version, directory)
    if AT_WORK not in os.environ:
        _work_elsewhere()
        return
    from catdog_stream.commands.left_out import print_left_out
    from catdog_stream.models.importing.backbone import described_folder
    from catdog_stream.models.training.stack.task import Options
    from catdog_stream.models.training.stack.training import train_stack
    from catdog_stream.worker.loading import limits_of

    if output.exists() and not output.is_dir():
        raise InputError(f"{output} is a file: a stack is a folder.")
    if not force and output.is_dir() and any(output.iterdir()):
        raise InputError(f"There is something in {output} already: --force replaces a stack there.")
    settings = Settings.from_environment()
    options = Options(name=name, version=version, network=network, size=size, **others)
    begin = backbone or shipped_stack(network or "inception_v3")
    with described_folder(begin, preset, size) as start:
        trained = train_stack(
            directory,
            output,
            start,
            options,
            teacher=teacher,
            evaluation=evaluation,
            group=group,
            resume=resume,
            force=force,
            threads=threads or settings.threads,
            limits=limits_of(settings),
        )
    print_left_out(trained.checked.unreadable)
    click.echo(trained.evaluation.as_table())
    if count := len(trained.label_errors):
        click.echo(f"Pictures that are likely in the wrong folder: {count}. The report names them.")
    if trained.unfamiliar is not None:
        click.echo(f"The stack calls nothing unknown: {trained.unfamiliar}")
    click.echo(shown(f"The stack is in {trained.stack}, its report is {trained.report}."))


def _work_elsewhere() -> None:
    """Run this command in another process, and exit with its status."""
    arguments = ["-m", "catdog_stream", *sys.argv[1:]]
    # The temporary files of a process that is killed go with the folder.
    with TemporaryDirectory(prefix="catdog-train-") as temporary, until_stopped() as signals:
        process = subprocess.Popen(
            [sys.executable, child.__file__, str(os.getpid()), sys.executable, *arguments],
            env={**os.environ, AT_WORK: "1", "TMPDIR": temporary},
            stdin=subprocess.DEVNULL,
            start_new_session=True,  # Ctrl-C reaches this process, which ends the other
        )
        try:
            while (status := process.poll()) is None:
                signals.pause()
        except Stopped as stopped:
            click.echo("\nStopped: the same command with --resume goes on from here.", err=True)
            raise SystemExit(stopped.exit_code) from None
        finally:
            process.kill()
            process.wait()
        raise SystemExit(status if status >= 0 else 128 - status)
