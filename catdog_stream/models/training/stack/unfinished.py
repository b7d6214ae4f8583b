"""A training's folder, beside that of the stack to be, until the stack is whole.

It has what was done so far. A training that was stopped, however it was, goes on from there; the
stack appears where it belongs by a rename, complete.
"""

import fcntl
import json
import os
import shutil
import zipfile
from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from catdog_stream.errors import InputError
from catdog_stream.models.training.head.features import Seen

__all__ = ["Unfinished", "unfinished_folder"]

_ABOUT, _LOCK = "training.json", "lock"


def unfinished_folder(output: Path) -> Path:
    """Where the training of the stack ``output`` leaves what it has done."""
    return output.with_name(f"{output.name}.training")


@dataclass(frozen=True, slots=True)
class Unfinished:
    """A training that has begun."""

    output: Path
    folder: Path
    lock: int
    """Open as long as this process works in the folder."""

    @classmethod
    def begin(
        cls, output: Path, about: Mapping[str, Any], *, resume: bool, force: bool
    ) -> "Unfinished":
        """Begin a training of what ``about`` says, or go on with it.

        Raises ``InputError`` if another one lies there, or its folder cannot be written.
        """
        folder = unfinished_folder(output)
        here = json.loads(json.dumps(about))
        try:
            folder.mkdir(parents=True, exist_ok=True)
            with ExitStack() as otherwise:
                lock = _lock(folder)
                otherwise.callback(os.close, lock)
                found = _read(folder / _ABOUT)
                _refuse_other(folder, found, here, resume=resume, force=force)
                if not resume:
                    _empty(folder)
                (folder / "stack").mkdir(exist_ok=True)
                _replace(folder / _ABOUT, json.dumps(here, indent=2).encode())
                otherwise.pop_all()
        except OSError as error:
            raise InputError(f"{folder} cannot be written: {error.strerror}.") from error
        return cls(output, folder, lock)

    @property
    def stack(self) -> Path:
        """Where the stack is put together."""
        return self.folder / "stack"

    @property
    def backbone(self) -> Path:
        """For the checkpoints of the backbone's training."""
        return self.folder / "backbone"

    def mark(self, step: str, result: Mapping[str, Any]) -> None:
        """Note that a step is done, and what came out."""
        _replace(self.folder / f"{step}.json", json.dumps(result).encode())

    def done(self, step: str) -> dict[str, Any] | None:
        """What came out of a step; ``None`` if it has not been done."""
        return _read(self.folder / f"{step}.json")

    def keep(self, seen: Seen) -> None:
        """Keep what the backbone made of the head's pictures, which takes long."""
        new = self.folder / "features.npz.new"
        with new.open("wb") as file:
            np.savez(file, features=seen.features, labels=seen.labels)
        new.replace(self.folder / "features.npz")

    def kept(self) -> Seen | None:
        """What was kept; ``None`` if nothing was."""
        file = self.folder / "features.npz"
        if not file.is_file():
            return None
        try:
            with np.load(file, allow_pickle=False) as archive:
                return Seen(archive["features"], archive["labels"], [])
        except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile):
            return None  # cut off when the power was

    def publish(self) -> None:
        """Put the stack where it belongs, in place of one that is there. Raises ``InputError``."""
        before = self.folder / "before"
        try:
            if self.output.is_dir():
                shutil.rmtree(before, ignore_errors=True)
                self.output.rename(before)
            self.stack.rename(self.output)
        except OSError as error:
            raise InputError(
                f"The stack cannot be put into {self.output}: {error.strerror}. "
                f"It is in {self.stack}."
            ) from error
        shutil.rmtree(self.folder, ignore_errors=True)
        os.close(self.lock)


def _lock(folder: Path) -> int:
    """Keep others out until this process ends, however it does."""
    lock = os.open(folder / _LOCK, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(lock)
        raise InputError(f"Another process is training in {folder}.") from None
    return lock


def _refuse_other(
    folder: Path,
    found: Mapping[str, Any] | None,
    here: Mapping[str, Any],
    *,
    resume: bool,
    force: bool,
) -> None:
    if found is None:
        return
    if not (resume or force):
        raise InputError(
            f"A training was stopped in {folder}: --resume goes on with it, --force begins anew."
        )
    # An option that an older version did not know is as if it had not been given.
    other = sorted(key for key in {*found, *here} if found.get(key) != here.get(key))
    if resume and other:
        raise InputError(
            f"The training in {folder} was begun otherwise ({', '.join(other)}): give it the same "
            "pictures and options, or begin anew with --force alone."
        )


def _empty(folder: Path) -> None:
    for path in folder.iterdir():
        if path.is_dir():
            shutil.rmtree(path)
        elif path.name != _LOCK:
            path.unlink()


def _read(file: Path) -> dict[str, Any] | None:
    try:
        found = json.loads(file.read_bytes())
    except (OSError, ValueError):
        return None
    return found if isinstance(found, dict) else None


def _replace(file: Path, content: bytes) -> None:
    """Write ``file``, whole or not at all."""
    new = file.with_name(f"{file.name}.new")
    with new.open("wb") as stream:
        stream.write(content)
        stream.flush()
        os.fsync(stream.fileno())
    new.replace(file)
