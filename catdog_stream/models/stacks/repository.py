"""A folder of stacks, ``NAME/VERSION/``, from which stacks are rolled out.

Every repository has the stacks that come with the project, without copies in the folder.
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

#: The name of a folder, not a path; it does not begin with a dot.
_PART = re.compile(r"[A-Za-z0-9_-][A-Za-z0-9._-]{0,63}")


def is_part(text: str) -> bool:
    """Return if ``text`` is a valid name, or a valid version, of a stack."""
    return _PART.fullmatch(text) is not None


@dataclass(frozen=True, slots=True, order=True)
class StackId:
    """Name and version of a stack."""

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
    """Stacks in ``folder`` and stacks that come with the project; ``folder`` takes precedence."""

    folder: Path

    def __iter__(self) -> Iterator[StackId]:
        """Yield all stacks, sorted by name and version, even those that cannot be loaded."""
        yield from sorted({*self._own(), *shipped()})

    def _own(self) -> Iterator[StackId]:
        """Yield the stacks in the folder.

        Raises ``StackError`` if the folder is not readable; ``glob`` would find nothing.
        """
        if self.folder.is_dir() and not os.access(self.folder, os.R_OK | os.X_OK):
            raise StackError(f"The folder {self.folder} cannot be read: Permission denied.")
        for manifest in self.folder.glob(f"*/*/{FILE_NAME}"):
            version = manifest.parent
            try:
                yield StackId.parse(f"{version.parent.name}/{version.name}")
            except StackError:
                continue  # not a valid name, such as a folder that is being copied

    def directory(self, stack: StackId) -> Path:
        """Return the directory of ``stack``. Raises ``StackError`` if there is none."""
        directory = self.folder / stack.name / stack.version
        if not directory.is_dir():
            ours = shipped().get(stack)
            if ours is None:
                raise StackError(f"There is no stack {stack} in {self.folder}.")
            return ours
        return directory

    def manifest(self, stack: StackId) -> Manifest:
        """Return the manifest of ``stack``, with its files checked. Raises ``StackError``."""
        manifest = load_manifest(self.directory(stack))
        self.check_name(stack, manifest.name, manifest.version)
        return manifest

    def holds(self, stack: StackId, manifest: Manifest) -> bool:
        """Return if ``stack`` has this manifest, and so the same files, without reading them."""
        if StackId(manifest.name, manifest.version) != stack:
            return False
        try:
            return read_manifest(self.directory(stack)) == manifest
        except StackError:
            return False

    def document(self, stack: StackId) -> Any:
        """Return the JSON of the manifest of ``stack``, not validated. Raises ``StackError``."""
        return load_document(self.directory(stack))

    def check_name(self, stack: StackId, name: str, version: str) -> None:
        """Raise ``StackError`` if name or version of a manifest differ from those of ``stack``."""
        if (name, version) != (stack.name, stack.version):
            raise StackError(f"The stack in {self.directory(stack)} calls itself {name}/{version}.")


def shipped() -> dict[StackId, Path]:
    """Return the stacks that come with the project, each with its directory."""
    found = {}
    for directory in shipped_stacks():
        manifest = json.loads((directory / FILE_NAME).read_bytes())
        found[StackId(manifest["name"], manifest["version"])] = directory
    return found
