"""Golden pictures: pictures with the scores that a stack gave them when it was created.

The pictures lie beside the manifest, which has the expected scores. A stack that gives them other
scores is not the stack that was measured, and a worker does not roll it out.
"""

import json
import shutil
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Protocol

import msgspec

from catdog_stream.errors import InputError, RejectedRequest, StackError
from catdog_stream.folders import files_below
from catdog_stream.models.pictures import Picture
from catdog_stream.models.stacks.manifest import (
    FILE_NAME,
    MAX_GOLDEN,
    Golden,
    describe,
    load_manifest,
)
from catdog_stream.models.verdict import Verdict

__all__ = ["TOLERANCE", "Classifying", "check", "give", "keep", "keep_first"]

#: Largest difference of a probability. Engines round the weights differently: on 200 pictures
#: LiteRT with 8 bits and TensorFlow with 16 differed by 0.207 at most
#: (``tests/models/engines/test_parity.py``).
TOLERANCE = 0.25


class Classifying(Protocol):
    """Interface of a stack that classifies pictures."""

    def prepare(self, data: bytes) -> Picture:
        """Decode one picture. Raises ``RejectedRequest`` if it is invalid."""

    def classify(self, pictures: Sequence[Picture]) -> list[Verdict]:
        """Return a verdict for each prepared picture."""


def check(stack: Classifying, who: str, golden: Sequence[Golden], directory: Path) -> None:
    """Check that ``stack`` still gives its golden pictures, in ``directory``, the same scores.

    Raises ``StackError``, with the name ``who`` for the stack, if the likeliest class of a picture
    has changed, or a probability by more than ``TOLERANCE``.
    """
    for each in golden:
        file = directory / each.file
        try:
            (found,) = stack.classify([stack.prepare(file.read_bytes())])
        except (OSError, RejectedRequest) as error:
            raise StackError(f"The golden picture {file} cannot be read: {error}.") from error
        expected = max(each.scores, key=lambda name: each.scores[name])
        near = all(
            abs(found.scores[name] - probability) <= TOLERANCE
            for name, probability in each.scores.items()
        )
        if found.likeliest != expected or not near:
            raise StackError(
                f"{who} takes its golden picture {file.name} for {found.likeliest} "
                f"({found.scores[found.likeliest]:.1%}), where the stack has recorded {expected} "
                f"({each.scores[expected]:.1%})."
            )


def keep(stack: Classifying, picture: Path, directory: Path, name: str) -> Golden:
    """Copy ``picture`` into the stack's ``directory`` and return it with its present scores.

    Raises:
        RejectedRequest: the file is not a valid picture.
        InputError: the file cannot be read or copied.
    """
    try:
        (verdict,) = stack.classify([stack.prepare(picture.read_bytes())])
        kept = f"golden-{name}{picture.suffix.lower()}"
        if picture.resolve() != (directory / kept).resolve():
            shutil.copyfile(picture, directory / kept)
    except OSError as error:
        raise InputError(f"{picture} cannot be kept in {directory}: {error}.") from error
    part = describe(directory, kept)
    return Golden(part.file, part.sha256, dict(verdict.scores))


def keep_first(stack: Classifying, pictures: Iterable[Path], directory: Path, label: str) -> Golden:
    """Keep the first readable picture of ``pictures``, which show ``label``.

    Raises:
        InputError: no picture is readable, or the picture cannot be copied.
    """
    for picture in pictures:
        try:
            return keep(stack, picture, directory, label)
        except RejectedRequest:
            continue
    raise InputError(f"There is no readable picture of {label}.")


def give(stack: Classifying, directory: Path, pictures: Path) -> tuple[Golden, ...]:
    """Replace the golden pictures of a stack by the pictures below the folder ``pictures``.

    Updates the manifest, and deletes the former golden pictures. The rest of the manifest stays.

    Args:
        stack: the stack that was loaded from ``directory``.
        directory: the stack's directory.
        pictures: the folder with the new golden pictures.

    Raises:
        InputError: there is no picture, or there are more than ``MAX_GOLDEN``.
        StackError: the manifest cannot be read, before or after the change. The change is undone.
    """
    before = load_manifest(directory).golden
    golden: dict[str, Golden] = {}
    for file, name in _named(pictures):
        try:
            each = keep(stack, file, directory, name)
        except RejectedRequest:
            continue  # no picture, such as a text with the sources of the pictures
        golden[each.file] = each
        if len(golden) > MAX_GOLDEN:
            raise InputError(f"There are more than {MAX_GOLDEN} pictures in {pictures}.")
    if not golden:
        raise InputError(f"There is no readable picture in {pictures}.")
    manifest = (directory / FILE_NAME).read_bytes()
    _write(directory, tuple(golden.values()))
    try:
        load_manifest(directory)
    except StackError:
        (directory / FILE_NAME).write_bytes(manifest)
        raise
    for each in before:
        if each.file not in golden:
            (directory / each.file).unlink(missing_ok=True)
    return tuple(golden.values())


def _named(pictures: Path) -> Iterator[tuple[Path, str]]:
    """Yield each file below a folder, with a name from its path: ``cat/1.jpg`` is ``cat-1``."""
    for file in files_below(pictures):
        yield file, "-".join(file.relative_to(pictures).with_suffix("").parts)


def _write(directory: Path, golden: Sequence[Golden]) -> None:
    """Replace the golden pictures in a manifest atomically: readers see the old or the new one."""
    file = directory / FILE_NAME
    document = json.loads(file.read_bytes())
    document["golden"] = msgspec.to_builtins(golden)
    new = file.with_name(f".{FILE_NAME}")
    try:
        text = json.dumps(document, indent=2, ensure_ascii=False)
        new.write_text(text + "\n", encoding="utf-8")
        new.replace(file)
    except OSError as error:
        raise InputError(f"{file} cannot be written: {error}.") from error
