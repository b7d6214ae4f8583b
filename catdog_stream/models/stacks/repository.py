"""A folder of stacks, ``NAME/VERSION/``, for those who swap them.

Those that come with the project are in every repository, without being copied there.
"""

import json
import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from catdog_stream.errors import StackError
from catdog_stream.models.stacks.locate import shipped_stacks
from catdog_stream.models.stacks.manifest import (
    FILE_NAME,
    Manifest,
    load_document,
    load_manifest,
    read_manifest,
)

__all__ = ["Repository", "StackId", "is_part", "shipped"]

#: No path: the name of a folder, which does not begin with a dot.
_PART = re.compile(r"[A-Za-z0-9_-][A-Za-z0-9._-]{0,63}")


def is_part(text: str) -> bool:
    """Whether a stack may have ``text`` for its name, or for its version."""
    return _PART.fullmatch(text) is not None


@dataclass(frozen=True, slots=True, order=True)
class StackId:
    """A version of a stack."""

    name: str
    version: str

    @classmethod
    def parse(cls, text: str) -> "StackId":
        """Read ``NAME/VERSION``. Raises ``StackError``."""
        name, _, version = text.partition("/")
        if not (is_part(name) and is_part(version)):
            raise StackError(f"{text!r} is no stack: one is NAME/VERSION, such as pets/2.")
        return cls(name, version)

    def __str__(self) -> str:
        return f"{self.name}/{self.version}"


@dataclass(frozen=True, slots=True)
class Repository:
    """Stacks in ``folder``, and those that come with the project; the folder's own go first."""

    folder: Path

    def __iter__(self) -> Iterator[StackId]:
        """What is there, in the order of names and versions, whether it can be loaded or not."""
        yield from sorted({*self._own(), *shipped()})

    def _own(self) -> Iterator[StackId]:
        """Raises ``StackError`` for a folder that may not be read: ``glob`` finds nothing there."""
        if self.folder.is_dir() and not os.access(self.folder, os.R_OK | os.X_OK):
            raise StackError(f"The folder {self.folder} cannot be read: Permission denied.")
        for manifest in self.folder.glob(f"*/*/{FILE_NAME}"):
            version = manifest.parent
            try:
                yield StackId.parse(f"{version.parent.name}/{version.name}")
            except StackError:
                continue  # a folder that nobody can name, such as one that is being copied

    def directory(self, stack: StackId) -> Path:
        """Where ``stack`` lies. Raises ``StackError`` if it is not there."""
        directory = self.folder / stack.name / stack.version
        if not directory.is_dir():
            ours = shipped().get(stack)
            if ours is None:
                raise StackError(f"There is no stack {stack} in {self.folder}.")
            return ours
        return directory

    def manifest(self, stack: StackId) -> Manifest:
        """Its manifest, with its files checked. Raises ``StackError``."""
        manifest = load_manifest(self.directory(stack))
        self.check_name(stack, manifest.name, manifest.version)
        return manifest

    def holds(self, stack: StackId, manifest: Manifest) -> bool:
        """Whether ``stack`` has this manifest, and so these files; it does not look at them."""
        if StackId(manifest.name, manifest.version) != stack:
            return False
        try:
            return read_manifest(self.directory(stack)) == manifest
        except StackError:
            return False

    def document(self, stack: StackId) -> Any:
        """The JSON of its manifest, as it stands there. Raises ``StackError``."""
        return load_document(self.directory(stack))

    def check_name(self, stack: StackId, name: str, version: str) -> None:
        """Raise ``StackError`` if what lies there as ``stack`` calls itself otherwise."""
        if (name, version) != (stack.name, stack.version):
            raise StackError(f"The stack in {self.directory(stack)} calls itself {name}/{version}.")


def shipped() -> dict[StackId, Path]:
    """The stacks that come with the project, and where they lie."""
    found = {}
    for directory in shipped_stacks():
        manifest = json.loads((directory / FILE_NAME).read_bytes())
        found[StackId(manifest["name"], manifest["version"])] = directory
    return found
