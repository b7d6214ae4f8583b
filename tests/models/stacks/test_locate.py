"""Tests that stacks and samples are found in a checkout and in an installed wheel."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import catdog_stream
from catdog_stream.models.stacks.locate import (
    default_stack,
    samples,
    shipped_stacks,
    stack_directory,
)

PACKAGE = Path(catdog_stream.__file__).parent


def test_a_checkout_holds_the_stacks_and_the_samples() -> None:
    assert [stack.name for stack in shipped_stacks()] == ["inception_v3", "efficientnet_lite2"]
    assert (default_stack() / "manifest.json").is_file()
    assert (samples() / "CREDITS.md").is_file()


@pytest.fixture
def site(tmp_path: Path) -> Path:
    """Return a folder with the modules of an installed wheel that the search needs."""
    for name in ("", "models", "models/stacks"):
        (tmp_path / "catdog_stream" / name).mkdir()
        shutil.copy(PACKAGE / name / "__init__.py", tmp_path / "catdog_stream" / name)
    for name in ("errors.py", "models/stacks/locate.py"):
        shutil.copy(PACKAGE / name, tmp_path / "catdog_stream" / name)
    return tmp_path


def located(site: Path) -> str:
    program = "from catdog_stream.models.stacks.locate import default_stack; print(default_stack())"
    done = subprocess.run(
        [sys.executable, "-c", program],
        env={"PYTHONPATH": str(site)},
        cwd=site,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    return done.stdout.strip() or done.stderr.strip().splitlines()[-1]


@pytest.mark.parametrize("below", ["catdog_stream", "."])
def test_a_stack_is_found_in_the_package_and_beside_it(site: Path, below: str) -> None:
    stack = site / below / "weights" / "inception_v3"
    stack.mkdir(parents=True)
    (stack / "manifest.json").write_text("{}")
    assert located(site) == str(stack)


def test_a_stack_that_was_not_installed_is_one_clear_sentence(site: Path) -> None:
    assert located(site).endswith("were not installed with catdog-stream.")


def test_a_stack_that_ships_has_a_name_unless_a_folder_has_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    name = Path("inception_v3")
    assert stack_directory(None) == stack_directory(name) == default_stack()
    assert stack_directory(Path("./pets/1")) == Path("pets/1")
    name.mkdir()
    assert stack_directory(name) == name
