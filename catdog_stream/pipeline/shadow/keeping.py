"""Bounded folder of the latest pictures on which two stacks disagree.

Each picture is kept byte for byte as received, beside a JSON file with both verdicts. The pictures
are untrusted: the name of a file is made from the place of its request in Kafka, and its extension
is one of a fixed list.
"""

import os
import re
import time
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import orjson

from catdog_stream.errors import RejectedRequest
from catdog_stream.messages.wire import Source
from catdog_stream.models.pictures import recognise
from catdog_stream.models.verdict import Verdict

__all__ = ["Keeping"]

MOST = 500
MOST_BYTES = 256 * 1024 * 1024

#: Names of the files of this folder: no other file is touched.
_FILE = re.compile(r"(?P<stem>[0-9]{1,10}-[0-9]{1,19})\.(json|png|jpeg|webp|gif|bmp|bin)")
_UNFINISHED = re.compile(rf"\.{_FILE.pattern}\.part")
#: Age of an unfinished file in seconds after which its writer must have died.
_ABANDONED = 60.0


@dataclass(frozen=True, slots=True)
class Keeping:
    """Folder of pictures. Several workers may share it, and its limits survive restarts."""

    folder: Path
    most: int = MOST
    """Largest number of pictures."""
    most_bytes: int = MOST_BYTES
    """Largest size of all files together, in bytes."""

    def keep(self, source: Source, picture: bytes, answered: Verdict, shadow: Verdict) -> None:
        """Keep a picture; remove the oldest ones to stay within the limits. Raises ``OSError``."""
        document = {
            "source": str(source),
            "kept": datetime.now(UTC).isoformat(timespec="seconds"),
            "answered": _described(answered),
            "shadow": _described(shadow),
        }
        text = orjson.dumps(document, option=orjson.OPT_INDENT_2) + b"\n"
        size = len(picture) + len(text)
        if size > self.most_bytes:
            return
        self._remove_oldest(size)
        stem = f"{source.partition}-{source.offset}"
        self._write(f"{stem}.{_extension(picture)}", picture)
        self._write(f"{stem}.json", text)

    def _remove_oldest(self, size: int) -> None:
        """Remove the oldest pictures until one more of ``size`` bytes fits."""
        found: dict[str, list[os.DirEntry[str]]] = {}
        with os.scandir(self.folder) as entries:
            for entry in entries:
                if match := _FILE.fullmatch(entry.name):
                    found.setdefault(match["stem"], []).append(entry)
                elif _UNFINISHED.fullmatch(entry.name):
                    self._remove_if_abandoned(entry)
        kept = sorted((_Kept.of(files) for files in found.values()), key=lambda each: -each.written)
        total = size
        for place, each in enumerate(kept, start=1):
            total += each.size
            if place >= self.most or total > self.most_bytes:
                for file in each.files:
                    self._remove(file)

    def _remove_if_abandoned(self, entry: os.DirEntry[str]) -> None:
        with suppress(FileNotFoundError):  # its writer has finished it meanwhile
            if entry.stat(follow_symlinks=False).st_mtime < time.time() - _ABANDONED:
                self._remove(entry.name)

    def _remove(self, name: str) -> None:
        (self.folder / name).unlink(missing_ok=True)  # another worker may have removed it

    def _write(self, name: str, data: bytes) -> None:
        """Write a file atomically."""
        part = self.folder / f".{name}.part"
        part.unlink(missing_ok=True)
        with part.open("xb") as file:  # never through a symbolic link
            file.write(data)
        part.replace(self.folder / name)


@dataclass(frozen=True, slots=True)
class _Kept:
    """Kept picture and its JSON file."""

    files: tuple[str, ...]
    size: int
    written: float

    @classmethod
    def of(cls, entries: list[os.DirEntry[str]]) -> "_Kept":
        size, written = 0, 0.0
        for entry in entries:
            with suppress(FileNotFoundError):  # another worker has removed it
                about = entry.stat(follow_symlinks=False)
                size, written = size + about.st_size, max(written, about.st_mtime)
        return cls(tuple(entry.name for entry in entries), size, written)


def _extension(picture: bytes) -> str:
    try:
        return recognise(picture).lower()
    except RejectedRequest:
        return "bin"  # a custom classifier may read other formats


def _described(verdict: Verdict) -> dict[str, Any]:
    return {"stack": verdict.stack, "verdict": verdict.label, "scores": dict(verdict.scores)}
