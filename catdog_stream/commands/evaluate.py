"""``catdog-stream evaluate``: accuracy and speed of the model on labelled pictures."""

import csv
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, TextIO

import click
import orjson

from catdog_stream.settings import Settings
from catdog_stream.worker.application import CatDogApp

if TYPE_CHECKING:
    from catdog_stream.models.training.evaluation import Mistake

__all__ = ["CSV_FILE", "evaluate_command"]

#: Option for a table that is written; file names may be any bytes.
CSV_FILE = click.File("w", encoding="utf-8", errors="surrogateescape", lazy=False)


def evaluate_command(app: CatDogApp) -> click.Command:
    """Return the command, which measures the classifier that a worker of ``app`` serves."""

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
    @click.option(
        "--mistakes",
        type=CSV_FILE,
        help="CSV file for the files with a wrong verdict, the worst first.",
    )
    @click.option("--json", "as_json", is_flag=True, help="Print JSON instead of a table.")
    def evaluate(
        directory: Path,
        robustness: bool,
        sample: int | None,
        mistakes: TextIO | None,
        as_json: bool,
    ) -> None:
        """Measure the model that a worker serves on DIRECTORY/CLASS/*."""
        if sample is not None and not robustness:
            raise click.UsageError("--sample is for --robustness: give both, or neither.")
        if mistakes is not None and robustness:
            raise click.UsageError("--mistakes cannot be used with --robustness: leave one out.")
        from catdog_stream.models.training.evaluation import Evaluation
        from catdog_stream.models.training.evaluation import evaluate as evaluate_classifier
        from catdog_stream.models.training.robustness import Robustness, evaluate_robustness

        threads = app.settings.threads
        result: Evaluation | Robustness
        if robustness:
            classifier = app.inference.load(_with_default_limits(app.settings))
            result = evaluate_robustness(classifier, directory, sample=sample, threads=threads)
        else:
            classifier = app.inference.load(app.settings)
            result = evaluated = evaluate_classifier(classifier, directory, threads=threads)
            if mistakes is not None:
                _write_mistakes(evaluated.mistakes, mistakes)
        if as_json:
            click.echo(orjson.dumps(result.as_json(), option=orjson.OPT_INDENT_2).decode())
        else:
            click.echo(result.as_table())

    return evaluate


def _write_mistakes(mistakes: Sequence["Mistake"], file: TextIO) -> None:
    names = ["path", "label", "verdict", "probability", "label_probability"]
    table = csv.writer(file, lineterminator="\n")
    table.writerow(names)
    table.writerows([getattr(each, name) for name in names] for each in mistakes)


def _with_default_limits(settings: Settings) -> Settings:
    """Return ``settings`` without low limits: views are written as BMP, larger than the file."""
    default = Settings()
    return replace(
        settings,
        max_image_bytes=max(settings.max_image_bytes, default.max_image_bytes),
        max_image_pixels=max(settings.max_image_pixels, default.max_image_pixels),
    )
