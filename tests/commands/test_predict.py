"""Tests of ``predict``, and of the list of mistakes that ``evaluate`` writes."""

import csv
from pathlib import Path

import click
import pytest
from click.testing import CliRunner, Result

from catdog_stream.app import build_app
from catdog_stream.commands.evaluate import evaluate_command
from catdog_stream.commands.predict import predict_command
from catdog_stream.settings import Settings
from catdog_stream.worker.application import CatDogApp
from tests.support.shade import Shade, grey


@pytest.fixture
def app() -> CatDogApp:
    """Return an app whose model takes dark for light."""
    app = build_app(Settings(threads=2))
    app.inference.load = lambda _: Shade(classes=("light", "dark"))
    return app


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for label, shades in (("dark", (51, 204)), ("light", (255, 102))):
        (tmp_path / label).mkdir()
        for shade in shades:
            (tmp_path / label / f"{shade}.png").write_bytes(grey(shade))
    (tmp_path / "light" / "notes.txt").write_text("no picture")
    return tmp_path


def run(command: click.Command, *arguments: str | Path) -> Result:
    return CliRunner().invoke(command, [str(each) for each in arguments])


def test_each_picture_has_a_row(app: CatDogApp, folder: Path, tmp_path: Path) -> None:
    file = tmp_path / "verdicts.csv"
    answer = run(predict_command(app), folder / "light", "--csv", file)
    assert answer.exit_code == 0, answer.output
    rows = list(csv.DictReader(file.open()))
    assert [Path(row["path"]).name for row in rows] == ["102.png", "255.png", "notes.txt"]
    assert rows[1] == {
        "path": str(folder / "light" / "255.png"), "verdict": "light", "light": "1.000000",
        "dark": "0.000000", "stack": "shade 1", "reason": "", "detail": "",
    }  # fmt: skip
    assert (rows[0]["verdict"], rows[0]["dark"]) == ("dark", "0.600000")
    assert (rows[2]["verdict"], rows[2]["reason"]) == ("", "not_an_image")
    assert rows[2]["detail"] == "shade cannot read it."


def test_without_a_file_the_table_is_the_output(app: CatDogApp, folder: Path) -> None:
    answer = run(predict_command(app), folder)
    assert answer.exit_code == 0, answer.output
    assert answer.stdout.startswith("path,verdict,light,dark,stack,reason,detail\n")
    assert answer.stdout.count("\n") == 6


def test_a_folder_without_files_and_a_file_that_cannot_be_written(
    app: CatDogApp, folder: Path, tmp_path: Path
) -> None:
    assert "no folder" in run(predict_command(app), tmp_path / "none").stderr
    answer = run(predict_command(app), folder, "--csv", tmp_path / "none" / "verdicts.csv")
    assert answer.exit_code == 2
    assert "No such file" in answer.stderr


def test_the_mistakes_of_an_evaluation_are_written(
    app: CatDogApp, folder: Path, tmp_path: Path
) -> None:
    file = tmp_path / "mistakes.csv"
    answer = run(evaluate_command(app), folder, "--mistakes", file)
    assert answer.exit_code == 0, answer.output
    assert "mistakes, the worst first: 2" in answer.stdout
    assert f"{folder / 'light' / 'notes.txt'}: shade cannot read it." in answer.stdout
    rows = list(csv.DictReader(file.open()))
    assert [(Path(row["path"]).name, row["label"], row["verdict"]) for row in rows] == [
        ("204.png", "dark", "light"), ("102.png", "light", "dark")
    ]  # fmt: skip
    assert float(rows[0]["label_probability"]) == pytest.approx(0.2)
    refused = run(evaluate_command(app), folder, "--robustness", "--mistakes", file)
    assert refused.exit_code == 2
