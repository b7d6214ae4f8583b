"""``catdog-stream predict``: the verdict on each picture in a folder."""

import csv
from pathlib import Path
from typing import TextIO

import click

from catdog_stream.commands.evaluate import CSV_FILE
from catdog_stream.worker.application import CatDogApp

__all__ = ["predict_command"]


def predict_command(app: CatDogApp) -> click.Command:
    """Return the command, which uses the classifier that a worker of ``app`` serves."""

    @click.command()
    @click.argument("directory", type=click.Path(path_type=Path))
    @click.option(
        "--csv",
        "file",
        type=CSV_FILE,
        default="-",
        help="The file to write; standard output by default.",
    )
    def predict(directory: Path, file: TextIO) -> None:
        """Classify every picture below DIRECTORY, and write a table of the verdicts.

        The columns are path, verdict, a probability for each class, stack, reason and detail. A
        picture that a worker would reject has a reason and a detail, and no verdict.
        """
        from tqdm import tqdm

        from catdog_stream.folders import entries_below
        from catdog_stream.models.training.classified import classified
        from catdog_stream.models.training.labelled import Unreadable

        paths = entries_below(directory)
        classifier = app.inference.load(app.settings)
        classifier.warm_up()
        classes = list(classifier.classes)
        table = csv.writer(file, lineterminator="\n")
        table.writerow(["path", "verdict", *classes, "stack", "reason", "detail"])
        found = classified(classifier, paths, threads=app.settings.threads)
        for path, answer in zip(paths, tqdm(found, total=len(paths), unit="picture"), strict=True):
            if isinstance(answer, Unreadable):
                blank = [""] * len(classes)
                table.writerow([path, "", *blank, "", answer.reason, answer.detail])
            else:
                scores = [f"{answer.scores[name]:.6f}" for name in classes]
                table.writerow([path, answer.label, *scores, answer.stack, "", ""])

    return predict
