"""Golden pictures: what a stack said of them when it was made, and whether it says so still.

They lie beside the manifest, which has their expected scores. A stack that answers them otherwise
is not what its maker measured: a worker lets no such one take over from another.
"""

import json
import shutil
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Protocol

from catdog_stream.errors import InputError, RejectedRequest, StackError
from catdog_stream.folders import files_below
from catdog_stream.models.pictures import Picture
from catdog_stream.models.stacks.manifest import (
    FILE_NAME,
    MAX_GOLDEN,
    Golden,
    as_json,
    describe,
    load_manifest,
)
from catdog_stream.models.verdict import Verdict

__all__ = ["TOLERANCE", "Classifying", "check", "give", "keep", "keep_first"]

#: Engines compute with other weights: on 200 pictures LiteRT with 8 bits and TensorFlow with 16
#: were 0.207 apart at most (``tests/models/engines/test_parity.py``).
TOLERANCE = 0.25


class Classifying(Protocol):
    """What looks at pictures: a stack."""

    def prepare(self, data: bytes) -> Picture:
        """Decode one picture. Raises ``RejectedRequest`` if it is bad."""

    def classify(self, pictures: Sequence[Picture]) -> list[Verdict]:
        """A verdict for each prepared picture."""


def check(stack: Classifying, who: str, golden: Sequence[Golden], directory: Path) -> None:
    """Show ``stack`` its golden pictures, which lie in ``directory``.

    Raises ``StackError``, which calls the stack ``who``, if it takes one for another class than it
    did, or gives a class a chance that is further away than ``TOLERANCE``.
    """
    for each in golden:
        file = directory / each.picture.file
        try:
            (found,) = stack.classify([stack.prepare(file.read_bytes())])
        except (OSError, RejectedRequest) as error:
            raise StackError(f"The golden picture {file} cannot be read: {error}.") from error
        expected = max(each.scores, key=lambda name: each.scores[name])
        near = all(
            abs(found.scores[name] - chance) <= TOLERANCE for name, chance in each.scores.items()
        )
        if found.likeliest != expected or not near:
            raise StackError(
                f"{who} takes its golden picture {file.name} for {found.likeliest} "
                f"({found.scores[found.likeliest]:.1%}), where it said {expected} "
                f"({each.scores[expected]:.1%})."
            )


def keep(stack: Classifying, picture: Path, directory: Path, name: str) -> Golden:
    """Copy ``picture`` into ``directory``, the stack's own, with what the stack says of it now.

    Raises:
        RejectedRequest: it is no picture that is read.
        InputError: it cannot be read, or not be written.
    """
    try:
        (verdict,) = stack.classify([stack.prepare(picture.read_bytes())])
        kept = f"golden-{name}{picture.suffix.lower()}"
        if picture.resolve() != (directory / kept).resolve():
            shutil.copyfile(picture, directory / kept)
    except OSError as error:
        raise InputError(f"{picture} cannot be kept in {directory}: {error}.") from error
    return Golden(describe(directory, kept), dict(verdict.scores))


def keep_first(stack: Classifying, pictures: Iterable[Path], directory: Path, label: str) -> Golden:
    """Keep the first readable one of ``pictures``, which show ``label``. Raises ``InputError``."""
    for picture in pictures:
        try:
            return keep(stack, picture, directory, label)
        except RejectedRequest:
            continue
    raise InputError(f"There is no readable picture of {label}.")


def give(stack: Classifying, directory: Path, pictures: Path) -> tuple[Golden, ...]:
    """Have the pictures below the folder ``pictures`` be the golden ones of a stack.

    ``stack`` is what was loaded from ``directory``. Its manifest is written anew, all else in it as
    it was; those that were golden before are so no more.

    Raises:
        InputError: there is no picture, or there are more than ``MAX_GOLDEN``.
        StackError: the manifest cannot be read, before or after; it is then as it was.
    """
    before = load_manifest(directory).golden
    golden: dict[str, Golden] = {}
    for file, name in _named(pictures):
        try:
            each = keep(stack, file, directory, name)
        except RejectedRequest:
            continue  # such as the text that says where they come from
        golden[each.picture.file] = each
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
        if each.picture.file not in golden:
            (directory / each.picture.file).unlink(missing_ok=True)
    return tuple(golden.values())


def _named(pictures: Path) -> Iterator[tuple[Path, str]]:
    """Each file below a folder, and its path there in one word: ``cat/1.jpg`` is ``cat-1``."""
    for file in files_below(pictures):
        yield file, "-".join(file.relative_to(pictures).with_suffix("").parts)


def _write(directory: Path, golden: Sequence[Golden]) -> None:
    """Exchange the golden pictures of a manifest; who reads it meanwhile has it old or new."""
    file = directory / FILE_NAME
    document = json.loads(file.read_bytes())
    document["golden"] = [as_json(each) for each in golden]
    new = file.with_name(f".{FILE_NAME}")
    try:
        text = json.dumps(document, indent=2, ensure_ascii=False)
        new.write_text(text + "\n", encoding="utf-8")
        new.replace(file)
    except OSError as error:
        raise InputError(f"{file} cannot be written: {error}.") from error
