"""Description of a network, and of what is stated about it: by its file, or by files beside it."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

from catdog_stream.errors import InputError
from catdog_stream.models.stacks.manifest import EngineName

__all__ = ["Facts", "Network", "Output", "input_fields", "last_operator"]

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Facts:
    """Facts that one source states; empty where it states nothing."""

    source: str
    classes: tuple[str, ...] = ()
    preprocessing: Mapping[str, Any] = field(default_factory=dict)
    """Fields of ``Preprocessing``."""


@dataclass(frozen=True, slots=True)
class Output:
    """An output of a network."""

    columns: int | None
    """Number of values for a picture; ``None`` if it is open."""
    operator: str
    """Operator that computes the values; empty if it is unknown."""


@dataclass(frozen=True, slots=True)
class Network:
    """A network, as its file describes it."""

    engine: EngineName
    preprocessing: Mapping[str, Any]
    """Fields of ``Preprocessing`` that the network fixes."""
    outputs: Mapping[str, Output]
    facts: Facts
    range: tuple[float, float] | None = None
    """Values of the bytes 0 and 255, if the input has integers."""


def last_operator(
    nodes: Mapping[T, tuple[str, Sequence[T]]], output: T, transparent: Collection[str]
) -> str:
    """Return the operator that computes the numbers of an output; empty if there is none.

    Args:
        nodes: tensor to the operator that computes it, and the operator's inputs.
        output: the tensor.
        transparent: operators that change the type or the shape alone.
    """
    operator, inputs = nodes.get(output, ("", ()))
    while operator in transparent and inputs:
        operator, inputs = nodes.get(inputs[0], ("", ()))
    return operator


def input_fields(file: Path, shape: Sequence[object], dtype: str) -> dict[str, Any]:
    """Return the fields of ``Preprocessing`` that a network's input fixes.

    An axis that is no positive number may have any size. Raises ``InputError`` if the input is not
    a picture of three channels.
    """
    axes = [side if isinstance(side, int) and side > 0 else None for side in shape]
    if len(axes) != 4 or not (axes[3] == 3 or axes[1] in (3, None)):
        raise InputError(
            f"{file} takes {dtype} {[*shape]}: a stack's network takes pictures of three "
            "channels, [n, 3, height, width] or [n, height, width, 3]."
        )
    fields: dict[str, Any] = {"dtype": dtype}
    height, width = axes[1:3] if axes[3] == 3 else axes[2:]
    if 3 in (axes[1], axes[3]):
        fields["layout"] = "NHWC" if axes[3] == 3 else "NCHW"
    return fields if None in (height, width) else {**fields, "size": height, "width": width}
