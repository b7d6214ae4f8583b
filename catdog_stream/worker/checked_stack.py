"""Loading of a stack for a rollout, with checks that its files and answers are right."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from catdog_stream.errors import StackError
from catdog_stream.models.classifier import Classifier
from catdog_stream.models.stacks.locate import stack_directory
from catdog_stream.models.stacks.repository import Repository, StackId
from catdog_stream.models.stacks.stack import ModelStack
from catdog_stream.settings import Settings
from catdog_stream.worker.loading import load_stack

__all__ = ["free_memory", "from_repository", "of_settings"]

_MEMORY = Path("/proc/meminfo")
_LIMIT = Path("/sys/fs/cgroup/memory.max")


def from_repository(stack: StackId) -> Callable[[Settings], Classifier]:
    """Return a loader of ``stack`` from the folder that the settings name."""

    def load(settings: Settings) -> Classifier:
        assert settings.stacks is not None
        repository = Repository(settings.stacks)
        directory = repository.directory(stack)
        try:
            _check_room(directory)
            before = _files(directory)
            loaded = load_stack(replace(settings, stack=directory))
        except OSError as error:  # such as a broken link
            raise StackError(f"The stack {stack} cannot be read: {error}.") from error
        try:
            repository.check_name(stack, loaded.name, loaded.version)
            loaded.check_golden(directory)
            _check_same(stack, directory, before)
        except BaseException:
            loaded.close()
            raise
        return loaded

    return load


def of_settings(load: Callable[[Settings], Classifier]) -> Callable[[Settings], Classifier]:
    """Return a loader that loads the stack of the settings with ``load`` and checks it."""

    def checked(settings: Settings) -> Classifier:
        loaded = load(settings)
        if isinstance(loaded, ModelStack):
            try:
                loaded.check_golden(stack_directory(settings.stack))
            except BaseException:
                loaded.close()
                raise
        return loaded

    return checked


def _files(directory: Path) -> set[tuple[str, int, int, int]]:
    """Return a fingerprint that changes if a file is written or replaced, without a second hash."""
    return {
        (file.name, state.st_ino, state.st_size, state.st_ctime_ns)
        for file in directory.iterdir()
        for state in [file.stat()]
        if file.name[0] != "."
    }


def _check_same(stack: StackId, directory: Path, before: object) -> None:
    """Raise ``StackError`` if a file in the folder has changed since ``before``."""
    if _files(directory) != before:
        raise StackError(f"The stack {stack} changed while it was loaded.")


def _check_room(directory: Path) -> None:
    """Raise ``StackError`` if the stack exceeds free memory: the kernel would kill the worker."""
    size = max((file.stat().st_size for file in directory.iterdir() if file.is_file()), default=0)
    free = free_memory()
    if free is not None and size > free:
        raise StackError(
            f"The largest file in {directory} has {size / 2**20:.0f} MB, "
            f"and {free / 2**20:.0f} MB of memory are free."
        )


def free_memory() -> int | None:
    """Return an upper bound on the bytes available to this process; ``None`` if unknown."""
    try:
        lines = _MEMORY.read_text().splitlines()
        free = next(1024 * int(line.split()[1]) for line in lines if line.startswith("MemAvail"))
    except (OSError, ValueError, IndexError, StopIteration):
        return None
    try:
        return min(free, int(_LIMIT.read_text()))
    except (OSError, ValueError):  # no limit
        return free
