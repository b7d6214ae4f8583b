"""Checkpoints of a training on disk, from which it can resume."""

import os
import zipfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from catdog_stream.errors import InputError

__all__ = ["Checkpoint", "load", "save"]

FILE_NAME = "checkpoint.npz"
Arrays = list[npt.NDArray[np.float32]]


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """The state of a training."""

    about: str
    """Digest of the pictures, options and networks; another digest means another training."""
    phase: int
    step: int
    """Number of finished steps of the phase."""
    weights: Arrays
    averages: Arrays
    """Running averages of the weights."""
    optimizer: Arrays
    losses: list[float]


def save(folder: Path, state: Checkpoint) -> None:
    """Replace the checkpoint in ``folder`` atomically. Raises ``InputError``."""
    arrays = {
        f"{kind}-{number:05}": array
        for kind in ("weights", "averages", "optimizer")
        for number, array in enumerate(getattr(state, kind))
    }
    new = folder / f"{FILE_NAME}.new"
    try:
        with new.open("wb") as file:
            np.savez(
                file,
                about=np.array(state.about),
                at=np.array([state.phase, state.step]),
                losses=np.array(state.losses),
                **arrays,
            )
            file.flush()
            os.fsync(file.fileno())
        new.replace(folder / FILE_NAME)
    except OSError as error:
        raise InputError(f"{new} cannot be written: {error.strerror}.") from error


def load(folder: Path, about: str) -> Checkpoint | None:
    """Return the checkpoint in ``folder``; ``None`` if there is none.

    Raises ``InputError`` if the checkpoint is damaged or of another training.
    """
    file = folder / FILE_NAME
    if not file.is_file():
        return None
    try:
        with np.load(file, allow_pickle=False) as archive:
            found = {name: archive[name] for name in archive.files}
            phase, step = found["at"].tolist()
            state = Checkpoint(
                about=str(found["about"]),
                phase=phase,
                step=step,
                weights=_kind(found, "weights"),
                averages=_kind(found, "averages"),
                optimizer=_kind(found, "optimizer"),
                losses=found["losses"].tolist(),
            )
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile) as error:
        raise InputError(f"{file} is no checkpoint: {error}.") from error
    if state.about != about:
        raise InputError(f"{file} is of another training: use another folder, or remove it.")
    return state


def _kind(found: dict[str, npt.NDArray[np.float32]], kind: str) -> Arrays:
    return [found[name] for name in sorted(found) if name.startswith(f"{kind}-")]
