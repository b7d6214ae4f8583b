"""``catdog-stream evaluate``: how good and how fast the model is on labelled pictures."""

from pathlib import Path

import click
import orjson


@click.command()
@click.argument("directory", type=click.Path(path_type=Path))
@click.option("--json", "as_json", is_flag=True, help="Print JSON instead of a table.")
def evaluate(directory: Path, as_json: bool) -> None:
    """Measure the stack, or those that vote, on DIRECTORY/CLASS/*."""
    from catdog_stream.models.stacks.locate import stack_directory
    from catdog_stream.models.stacks.manifest import load_manifest
    from catdog_stream.models.training.evaluation import evaluate as evaluate_stack
    from catdog_stream.models.training.labelled import labelled_files
    from catdog_stream.settings import Settings
    from catdog_stream.worker.loading import StacksOfSettings

    settings = Settings.from_environment()
    manifest = load_manifest(stack_directory(settings.stack))
    labelled_files(directory, manifest.classes)  # a wrong folder is told before the model is loaded
    stack = StacksOfSettings()(settings)
    result = evaluate_stack(stack, directory)
    if as_json:
        click.echo(orjson.dumps(result.as_json(), option=orjson.OPT_INDENT_2).decode())
    else:
        click.echo(result.as_table())
