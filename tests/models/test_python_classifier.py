"""Tests of loading the Python classifier that a setting names, and of what is wrong with one."""

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from catdog_stream.errors import SettingError
from catdog_stream.models import python_classifier
from catdog_stream.models.pictures import PictureLimits

GOOD = """
from catdog_stream.classifiers import PictureClassifier

class Mean(PictureClassifier):
    classes = ("dark", "light")

    def classify(self, batch):
        light = batch.mean(axis=(1, 2, 3)) / 255
        return [[1 - each, each] for each in light]

def with_settings(settings):
    made = Mean()
    made.name = settings
    return made

def with_default(name="default"):
    return with_settings(name)

def nothing():
    return None

def failing():
    return open("no-such-weights.bin")

value = 5
"""


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Make a new current folder, and forget its modules afterwards."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", sys.path[:])
    before = set(sys.modules)
    (tmp_path / "mine.py").write_text(GOOD)
    yield tmp_path
    for name in set(sys.modules) - before:
        del sys.modules[name]


def load(named: str) -> object:
    return python_classifier.load(named, "from-settings", limits=PictureLimits())


@pytest.mark.parametrize(
    ("factory", "name"),
    [("Mean", "mean"), ("with_settings", "from-settings"), ("with_default", "default")],
)
def test_a_factory_gets_the_settings_if_it_needs_an_argument(factory: str, name: str) -> None:
    assert load(f"mine:{factory}").name == name  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("named", "reason"),
    [
        ("none_such:Mean", r"there is no module none_such in /.* or installed\."),
        ("mine.inner:Mean", r"there is no module mine.inner"),
        ("mine:Median", r"AttributeError: module 'mine' has no attribute 'Median'\."),
        ("mine:value", r"it is int, and no class or function\."),
        ("mine:nothing", r"it returned NoneType without name, .*: return a .*PictureClassifier\."),
        ("mine:failing", r"FileNotFoundError: .*no-such-weights.* \(/.*/mine\.py, line \d+\)\."),
        ("bad_syntax:Mean", r"SyntaxError: .* \(/.*/bad_syntax\.py, line 2\)\."),
        ("bad_import:Mean", r"ModuleNotFoundError: .*'no_such_library' \(/.*/bad_import\.py, line"),
        ("exits:Mean", r"SystemExit: 3 \(/.*/exits\.py, line 1\)\."),
    ],
)
def test_a_mistake_is_one_sentence_with_its_place(folder: Path, named: str, reason: str) -> None:
    (folder / "bad_syntax.py").write_text("a = 1\nclass Mean(:\n")
    (folder / "bad_import.py").write_text("import no_such_library\n")
    (folder / "exits.py").write_text("raise SystemExit(3)\n")
    with pytest.raises(SettingError, match=f"^The classifier '{named}' cannot be used: {reason}"):
        load(named)


def test_one_that_breaks_the_contract_is_named(folder: Path) -> None:
    (folder / "worse.py").write_text(GOOD.replace("[1 - each, each]", "[each, each]"))
    broken = python_classifier.load("worse:Mean", None, limits=PictureLimits())
    with pytest.raises(SettingError, match=r"The classifier 'worse:Mean' .*scores must .* sum"):
        python_classifier.check("worse:Mean", broken)
