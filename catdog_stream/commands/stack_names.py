"""What a stack that is made may be called."""

import click

from catdog_stream.models.stacks.repository import is_part

__all__ = ["STACK_PART"]


class _StackPart(click.ParamType):
    """A name or a version by which ``stacks use`` finds a stack."""

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
