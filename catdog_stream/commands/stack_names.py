"""Names and versions of new stacks."""

from pathlib import Path

import click

from catdog_stream.errors import InputError
from catdog_stream.models.stacks.repository import StackId, is_part, shipped

__all__ = ["STACK_PART", "stack_name"]


class _StackPart(click.ParamType):
    """Name or version by which ``stacks use`` finds a stack."""

    name = "text"

    def convert(self, value: str, param: click.Parameter | None, ctx: click.Context | None) -> str:
        if not is_part(value):
            self.fail(
                f"{value!r} cannot be used: it must have 1 to 64 of A-Z, a-z, 0-9, '_', '-' and "
                "'.', and no '.' first.",
                param,
                ctx,
            )
        return value


STACK_PART = _StackPart()


def stack_name(name: str | None, version: str, pictures: Path) -> str:
    """Return the name of a stack trained on ``pictures``: ``name``, or else the folder's name.

    Raises:
        InputError: the folder's name is not valid for a stack, or a shipped stack has it.
    """
    if name is not None:
        return name
    folder = pictures.name or pictures.resolve().name
    if not is_part(folder):
        raise InputError(
            f"A stack cannot be called like the folder, {folder!r}: --name gives it a name."
        )
    stack = StackId(folder, version)
    if stack in shipped():
        raise InputError(f"{stack} is a stack that ships: --name gives this one another name.")
    return folder
