"""``catdog-stream evaluate``: accuracy and speed of the model on labelled pictures."""

from dataclasses import replace
from pathlib import Path

import click
import orjson


@click.command()
@click.argument("directory", type=click.Path(path_type=Path))
@click.option(
    "--robustness",
    is_flag=True,
    help="Measure pictures turned, mirrored, dark, blurred and so on instead.",
)
@click.option(
    "--sample",
    type=click.IntRange(1),
    help="Number of pictures for --robustness, at even distances; all by default.",
)
@click.option("--json", "as_json", is_flag=True, help="Print JSON instead of a table.")
def evaluate(directory: Path, robustness: bool, sample: int | None, as_json: bool) -> None:
    """Measure the stack, or those that vote, on DIRECTORY/CLASS/*."""
    if sample is not None and not robustness:
        raise click.UsageError("--sample is for --robustness: give both, or neither.")
    from catdog_stream.models.stacks.locate import stack_directory
    from catdog_stream.models.stacks.manifest import load_manifest
    from catdog_stream.models.training.evaluation import Evaluation
    from catdog_stream.models.training.evaluation import evaluate as evaluate_stack
    from catdog_stream.models.training.labelled import labelled_files
    from catdog_stream.models.training.robustness import Robustness, evaluate_robustness
    from catdog_stream.settings import Settings
    from catdog_stream.worker.loading import StacksOfSettings

    settings = Settings.from_environment()
    manifest = load_manifest(stack_directory(settings.stack))
    labelled_files(directory, manifest.classes)  # reports a wrong folder before the model is loaded
    # Views are written as BMP, larger than the file; low limits are for untrusted pictures.
    limits = Settings()
    stack = StacksOfSettings()(
        replace(
            settings,
            max_image_bytes=max(settings.max_image_bytes, limits.max_image_bytes),
            max_image_pixels=max(settings.max_image_pixels, limits.max_image_pixels),
        )
    )
    result: Evaluation | Robustness
    if robustness:
        result = evaluate_robustness(stack, directory, sample=sample, threads=settings.threads)
    else:
        result = evaluate_stack(stack, directory)
    if as_json:
        click.echo(orjson.dumps(result.as_json(), option=orjson.OPT_INDENT_2).decode())
    else:
        click.echo(result.as_table())
