"""Tests that weights and samples are found beside a checkout and in every kind of installation."""

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


def install(site: Path, share: Path, recorded: str) -> None:
    """Create the files of an installed wheel, only those that the search needs."""
    stacks = site / "catdog_stream" / "models" / "stacks"
    stacks.mkdir(parents=True)
    for name in ("__init__.py", "errors.py"):
        shutil.copy(PACKAGE / name, site / "catdog_stream" / name)
    for name in ("models/__init__.py", "models/stacks/__init__.py", "models/stacks/locate.py"):
        shutil.copy(PACKAGE / name, site / "catdog_stream" / name)
    weights = share / "weights" / "inception_v3"
    weights.mkdir(parents=True)
    (weights / "manifest.json").write_text("{}")
    information = site / "catdog_stream-0.1.0.dist-info"
    information.mkdir()
    (information / "METADATA").write_text("Metadata-Version: 2.1\nName: catdog-stream\n")
    record = f"{recorded}/weights/inception_v3/manifest.json,,\n"
    (information / "RECORD").write_text(record)


def located(site: Path) -> str:
    program = "from catdog_stream.models.stacks.locate import default_stack; print(default_stack())"
    command = [sys.executable, "-c", program]
    done = subprocess.run(
        command,
        env={"PYTHONPATH": str(site)},
        cwd=site,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    return done.stdout.strip() or done.stderr.strip().splitlines()[-1]


@pytest.mark.parametrize("site", ["lib/python3.11/site-packages", "lib64/python/site-packages"])
def test_a_wheel_s_files_are_found_where_they_were_recorded(tmp_path: Path, site: str) -> None:
    share = tmp_path / "share" / "catdog_stream"
    recorded = "../" * (site.count("/") + 1) + "share/catdog_stream"
    install(tmp_path / site, share, recorded)
    assert located(tmp_path / site) == str(share / "weights" / "inception_v3")


def test_a_wheel_installed_with_target_is_found_though_its_record_is_stale(tmp_path: Path) -> None:
    share = tmp_path / "target" / "share" / "catdog_stream"
    install(tmp_path / "target", share, "../../share/catdog_stream")
    assert located(tmp_path / "target") == str(share / "weights" / "inception_v3")


def test_a_stack_that_was_not_installed_is_one_clear_sentence(tmp_path: Path) -> None:
    share = tmp_path / "share" / "catdog_stream"
    install(tmp_path / "site", share, "../share/catdog_stream")
    shutil.rmtree(share)
    assert located(tmp_path / "site").endswith("were not installed with catdog-stream.")


def test_a_stack_that_ships_has_a_name_unless_a_folder_has_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    name = Path("inception_v3")
    assert stack_directory(None) == stack_directory(name) == default_stack()
    assert stack_directory(Path("./pets/1")) == Path("pets/1")
    name.mkdir()
    assert stack_directory(name) == name
