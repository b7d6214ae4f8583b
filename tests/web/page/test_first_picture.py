"""Tests of the command on the empty page; ``tests.browser.test_dashboard`` runs it."""

import os
import shlex
import subprocess
import sysconfig
from pathlib import Path

import pytest

from catdog_stream.web.page.first_picture import first_picture


def program(command: str) -> str:
    """Return the command without its pictures, because sending needs a broker."""
    assert command.endswith(" send --samples")
    return command.removesuffix(" --samples")


@pytest.fixture
def installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return the scripts of an installation in a folder whose name needs quotes in a shell."""
    scripts = tmp_path / "a folder" / "bin"
    scripts.mkdir(parents=True)
    (scripts / "catdog-stream").symlink_to(
        Path(sysconfig.get_path("scripts")).resolve() / "catdog-stream"
    )
    monkeypatch.setattr(sysconfig, "get_path", lambda _: str(scripts))
    return scripts


def test_in_the_worker_s_folder_its_program_is_named_by_a_short_path(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    scripts = Path(sysconfig.get_path("scripts"))
    monkeypatch.chdir(scripts.parent.parent)
    assert first_picture().startswith(f"{scripts.parent.name}/bin/catdog-stream ")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert first_picture().startswith(shlex.quote(f"{scripts.resolve()}/catdog-stream"))
    monkeypatch.setenv("PATH", str(scripts))
    assert first_picture() == "catdog-stream send --samples"


def test_a_shell_does_not_split_it(
    installed: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (installed / "catdog-stream").unlink()
    (installed / "catdog-stream").write_text("#!/bin/sh\necho it ran: $1\n")
    (installed / "catdog-stream").chmod(0o755)
    for folder in (tmp_path, Path("/")):
        monkeypatch.chdir(folder)
        answer = subprocess.check_output(program(first_picture()), shell=True, text=True)
        assert answer == "it ran: send\n"


def test_without_a_program_the_module_is_run(
    installed: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (installed / "catdog-stream").unlink()
    monkeypatch.chdir(os.sep)
    assert " -m catdog_stream send" in first_picture()
