"""``catdog-stream import --legacy`` or ``import-original``: imports the first system as a stack."""

from pathlib import Path

import click

from catdog_stream.commands.stack_names import STACK_PART
from catdog_stream.commands.stopping import Stopped, until_stopped
from catdog_stream.errors import InputError
from catdog_stream.terminal import shown


@click.command("import-original", hidden=True)
@click.option(
    "--head",
    "pickle",
    required=True,
    type=click.Path(path_type=Path),
    help="The pickle of its XGBClassifier (xgboost 0.6 to 0.9). Nothing in it is executed.",
)
@click.option(
    "--checkpoint",
    required=True,
    metavar="FILE",
    help="TF-Slim's inception_v3_2016_08_28: the .ckpt, the .tar.gz, or its http(s) address.",
)
@click.option(
    "--output", required=True, type=click.Path(path_type=Path), help="Where the stack goes."
)
@click.option(
    "--sha256",
    metavar="HEX",
    help="What the checkpoint's file must have; without it, what it has is printed.",
)
@click.option(
    "--classes",
    metavar="A,B",
    help="Names for the head's classes 0 and 1; those in the pickle, or cat,dog, by default.",
)
@click.option(
    "--name", type=STACK_PART, default="original", show_default=True, help="The stack's name."
)
@click.option(
    "--version", type=STACK_PART, default="1", show_default=True, help="The stack's version."
)
@click.option("--force", is_flag=True, help="Write into a directory that holds something.")
def import_original(
    pickle: Path,
    checkpoint: str,
    output: Path,
    sha256: str | None,
    classes: str | None,
    name: str,
    version: str,
    force: bool,
) -> None:
    """Import the model of the first system as a stack; needs TensorFlow.

    The model was a pickled head and TF-Slim's checkpoint of Inception V3, whose 1,001
    probabilities are the head's features. The stack serves like any other.
    """
    from catdog_stream.models.engines.convert import require_tensorflow
    from catdog_stream.models.legacy.checkpoint_file import at_hand
    from catdog_stream.models.legacy.head import read_head
    from catdog_stream.models.legacy.importing import check_features, import_stack
    from catdog_stream.models.legacy.slim import read_checkpoint
    from catdog_stream.settings import Settings

    if not force and output.is_dir() and any(output.iterdir()):
        raise InputError(f"There is something in {output} already: --force replaces a stack there.")
    threads = Settings.from_environment().threads
    head = read_head(pickle, tuple(classes.split(",")) if classes is not None else None)
    check_features(head)
    require_tensorflow("The import")
    # A signal must not leave a checkpoint of 109 MB in a temporary folder.
    with until_stopped() as signals:
        try:
            with signals.interrupting(), at_hand(checkpoint, sha256=sha256) as found:
                network = read_checkpoint(found.path, checkpoint)
        except Stopped as stopped:
            raise SystemExit(stopped.exit_code) from None
    click.echo(f"The head's SHA-256 is {head.sha256}.")
    if sha256 is None and found.sha256 is not None:
        click.echo(f"The checkpoint's SHA-256 is {found.sha256}.")
    manifest = import_stack(
        head,
        network,
        output,
        name=name,
        version=version,
        checkpoint_sha256=found.sha256,
        threads=threads,
    )
    click.echo(
        shown(
            f"The stack {manifest.name} {manifest.version} is in {output}: {head.trees} trees on "
            f"{head.features} features for {' and '.join(manifest.classes)}."
        )
    )
