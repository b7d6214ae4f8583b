"""Tests of the wheel: installed on its own, it needs no file of the checkout."""

import asyncio
import json
import os
import shutil
import subprocess
import sys
import sysconfig
from pathlib import Path
from typing import Any

import pytest

from catdog_stream.settings import Settings
from catdog_stream.testing import Answered, own_broker, publish_answers
from tests.support.command import Command, Surroundings
from tests.support.examples import AUDIT
from tests.system import test_join

pytestmark = [pytest.mark.integration, pytest.mark.long]

CHECKOUT = Path(__file__).parents[2]
SOURCES = ["catdog_stream", "weights", "samples"]
FILES = ["setup.cfg", "pyproject.toml", "README.md", "LICENSE", "NOTICE"]


@pytest.fixture(scope="module")
def scripts(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the scripts of an environment with the wheel and a path to this Python's libraries."""
    folder = tmp_path_factory.mktemp("wheel")
    source, wheels, environment = folder / "source", folder / "wheels", folder / "venv"
    for name in SOURCES:
        shutil.copytree(
            CHECKOUT / name, source / name, ignore=shutil.ignore_patterns("__pycache__")
        )
    for name in FILES:
        shutil.copy(CHECKOUT / name, source)
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "--quiet"]
    options = ["--no-deps", "--no-build-isolation", "--wheel-dir", str(wheels)]
    subprocess.run([*pip, "wheel", *options, str(source)], check=True)
    shutil.rmtree(source)

    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(environment)], check=True)
    python = environment / "bin" / "python"
    (wheel,) = wheels.iterdir()
    subprocess.run([*pip, "--python", str(python), "install", "--no-deps", str(wheel)], check=True)
    libraries = sysconfig.get_path("purelib", vars={"base": str(environment)})
    # A path in a .pth file is searched last, and the .pth files in it, of an editable
    # installation for example, are not read.
    (Path(libraries) / "libraries.pth").write_text(sysconfig.get_path("purelib"))
    return environment / "bin"


def test_nothing_is_taken_from_the_checkout(scripts: Path, tmp_path: Path) -> None:
    program = (
        "import catdog_stream;"
        "from catdog_stream.models.stacks.locate import default_stack, samples;"
        "print(catdog_stream.__file__, default_stack(), samples(), sep='\\n')"
    )
    answer = subprocess.run(
        [scripts / "python", "-c", program], cwd=tmp_path, capture_output=True, check=True
    )
    for path in answer.stdout.decode().split():
        assert Path(path).is_relative_to(scripts.parent)


@pytest.mark.parametrize(
    "folder", ["weights/inception_v3", "weights/efficientnet_lite2", "samples"]
)
def test_a_stack_and_the_samples_have_the_files_of_the_checkout(scripts: Path, folder: str) -> None:
    libraries = Path(sysconfig.get_path("purelib", vars={"base": str(scripts.parent)}))
    installed = libraries / "catdog_stream" / folder
    assert sizes(installed) == sizes(CHECKOUT / folder)


def sizes(folder: Path) -> dict[str, int]:
    """Return the size in bytes of each file of a folder by its name."""
    return {file.name: file.stat().st_size for file in folder.iterdir()}


def test_the_licences_are_in_it(scripts: Path) -> None:
    (licences,) = scripts.parent.rglob("catdog_stream-*.dist-info/licenses")
    assert {file.name for file in licences.iterdir()} == {"LICENSE", "NOTICE"}


def test_its_stack_classifies_from_any_working_directory(scripts: Path, tmp_path: Path) -> None:
    for sample in (CHECKOUT / "samples").glob("*-*"):
        folder = tmp_path / "pictures" / sample.name.partition("-")[0]
        folder.mkdir(parents=True, exist_ok=True)
        shutil.copy(sample, folder)
    answer = subprocess.run(
        [scripts / "catdog-stream", "evaluate", "pictures", "--json"],
        cwd=tmp_path,
        env={**os.environ, "APP_DATADIR": str(tmp_path / "data")},
        capture_output=True,
        check=True,
    )
    result = json.loads(answer.stdout)
    assert (result["pictures"], result["accuracy"]) == (3, 1)


def test_it_runs_the_whole_system(scripts: Path, tmp_path: Path) -> None:
    around = Surroundings(tmp_path)
    up = Command([str(scripts / "catdog-stream"), "up", "--samples"], around.environment, tmp_path)
    with up:
        up.wait_for("Ctrl-C stops everything.")
        assert up.output().count("Probabilities:") == 3
        print_it = "from catdog_stream.web.page.first_picture import *; print(first_picture())"
        python = [str(scripts / "python"), "-c", print_it]
        begin: dict[str, Any] = {"cwd": tmp_path, "env": around.environment, "text": True}
        command = subprocess.check_output(python, **begin)
        answer = subprocess.check_output(command, shell=True, **begin)
        assert answer == "Sent 3 requests to catdogimage.\n"
        up.press_ctrl_c()
        assert up.wait() == 0


def test_an_agent_of_ones_own_begins_where_it_stopped(scripts: Path, tmp_path: Path) -> None:
    (tmp_path / "audit.py").write_text(AUDIT)
    command = [str(scripts / "python"), "audit.py", "worker", "-l", "info"]
    with own_broker(tmp_path / "broker") as broker:
        cluster = Settings(broker=f"kafka://{broker.address}").cluster
        environment = {
            **{name: value for name, value in os.environ.items() if name != "PYTHONPATH"},
            "CATDOG_BROKER": f"kafka://{broker.address}",
            "APP_DATADIR": str(tmp_path / "data"),
        }
        written: list[Answered] = []
        for _ in range(2):
            written += asyncio.run(publish_answers(cluster, [{"cat": 0.9, "dog": 0.1}]))
            with Command(command, environment, tmp_path) as audit:
                lines = asyncio.run(test_join.audited(broker.address, written))
                audit.process.terminate()
                assert audit.wait() == 0, audit.output()
    joined = [line["source"] for line in lines]
    assert [joined.count(str(one.source)) for one in written] == [1, 1], "read again"
