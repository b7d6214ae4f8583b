"""Tests that an unreadable folder is not taken for an empty one."""

import errno
import os
from pathlib import Path
from typing import Any

import pytest

from catdog_stream.commands.send import pictures
from catdog_stream.errors import InputError
from catdog_stream.folders import files_below


def test_all_files_below_are_found_in_order(tmp_path: Path) -> None:
    (tmp_path / "b").mkdir()
    for name in ("c.png", "b/a.png", "a.png"):
        (tmp_path / name).touch()
    (tmp_path / "loop").symlink_to(tmp_path)
    assert files_below(tmp_path) == [tmp_path / name for name in ("a.png", "b/a.png", "c.png")]


def test_a_folder_that_may_not_be_read_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "private").mkdir()
    scandir = os.scandir

    def guarded(path: Any) -> Any:
        if str(path).endswith("private"):
            raise PermissionError(errno.EACCES, "Permission denied", str(path))
        return scandir(path)

    monkeypatch.setattr(os, "scandir", guarded)
    for look in (files_below, lambda folder: pictures([folder])):
        with pytest.raises(InputError, match=r"private cannot be read: Permission denied\.$"):
            look(tmp_path)
