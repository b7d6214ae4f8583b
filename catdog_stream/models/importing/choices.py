"""Choice of a stack's classes, input format and output from the facts of several sources."""

from collections.abc import Iterable, Mapping
from typing import Any, Literal

import msgspec
import numpy as np

from catdog_stream.documents import convert
from catdog_stream.errors import InputError
from catdog_stream.models.checked_verdicts import SUM_TOLERANCE
from catdog_stream.models.classes import checked_classes
from catdog_stream.models.engines.backbone import Features
from catdog_stream.models.importing.class_names import usable
from catdog_stream.models.importing.network import Facts, Network
from catdog_stream.models.preprocessing import Preprocessing
from catdog_stream.models.presets import PRESETS, PresetName

__all__ = ["ScoreKind", "chosen_classes", "input_format", "output_kind", "scores_output"]

ScoreKind = Literal["logits", "probabilities"]

_SOFTMAX, _SIGMOID = {"Softmax", "SOFTMAX"}, {"Sigmoid", "LOGISTIC"}
_SUMS = {"Gemm", "MatMul", "Add", "FULLY_CONNECTED", "ADD"}


def chosen_classes(
    network: Network, facts: Iterable[Facts], given: tuple[str, ...] | None
) -> tuple[str, ...]:
    """Return the classes, ``given`` or from the last of the facts that has some.

    Raises ``InputError`` if there are none, or a name cannot be used.
    """
    found = [each for each in facts if each.classes]
    if given is not None:
        found = [Facts("--classes", given)]
    if not found:
        counts = " or ".join(str(each.columns or "") for each in network.outputs.values())
        raise InputError(
            f"The model does not name its {counts} classes: --classes FILE, or A,B,C, does."
        )
    try:
        return checked_classes(usable(found[-1].classes))
    except ValueError as error:
        raise InputError(
            f"The classes of {found[-1].source} cannot be used: {error}; --classes names others."
        ) from error


def input_format(
    network: Network, facts: Iterable[Facts], preset: PresetName | None, given: Mapping[str, Any]
) -> Preprocessing:
    """Return the input format: later facts replace earlier ones, and the network has precedence.

    Args:
        network: the network.
        facts: facts about the model.
        preset: library whose format, but for the size, replaces that of the facts.
        given: fields that the user gives, which replace all others.

    Raises:
        InputError: a field is missing or invalid; the text names an option.
    """
    fields: dict[str, Any] = {}
    for each in facts:
        fields |= each.preprocessing
    if preset is not None:
        size = {name: fields.get(name) for name in ("size", "width")}
        fields = msgspec.to_builtins(PRESETS[preset]) | size
    if "range" not in fields and network.range is not None:
        fields["range"] = network.range
    fields |= {**network.preprocessing, **given}
    if "range" not in fields:
        raise InputError(
            "The model does not state how its pictures are prepared: --preset names the library "
            f"that trained it ({', '.join(PRESETS)}), or --input has the values."
        )
    for name, example in (("size", "224"), ("layout", '"NCHW"')):
        if fields.get(name) is None:
            raise InputError(
                f'The model does not state the {name} of its pictures: --input \'{{"{name}": '
                f"{example}}}' does."
            )
    if fields.get("width") == fields["size"]:
        del fields["width"]
    try:
        return convert(fields, Preprocessing)
    except ValueError as error:
        raise InputError(f"The input of the model cannot be used: {error}.") from error


def scores_output(network: Network, classes: int, wanted: str | None) -> str:
    """Return the name of the output with the scores: ``wanted``, or the only one that fits.

    Raises ``InputError``.
    """
    counts = {name: each.columns for name, each in network.outputs.items()}
    listed = ", ".join(f"{name} ({columns or 'any'} values)" for name, columns in counts.items())
    allowed = {None, classes, *([1] if classes == 2 else [])}
    found = [
        name for name, columns in counts.items() if columns in allowed and wanted in (None, name)
    ]
    if not found:
        raise InputError(
            f"No output{f' {wanted}' if wanted else ''} has a score for each of {classes} classes "
            f"(there are {listed}): --classes must name all classes, in the network's order."
        )
    if len(found) > 1:
        raise InputError(f"Several outputs may have the scores, {listed}: --scores names one.")
    return found[0]


def output_kind(operator: str, rows: Features, step: float) -> tuple[ScoreKind, str]:
    """Return the kind of the scores, and the reason in words.

    Args:
        operator: the operator that computes them; empty if it is unknown.
        rows: the scores of several pictures, [n, scores].
        step: distance between neighbouring values of a quantized output; 0 for floats.

    Raises:
        InputError: the kind cannot be known, or a picture may have several classes.
    """
    columns = rows.shape[1]
    if operator in _SOFTMAX or (operator in _SIGMOID and columns == 1):
        return "probabilities", f"the network ends with {operator}"
    tolerance = max(SUM_TOLERANCE, (columns / 2 + 1) * step)
    if ((rows < -tolerance) | (rows > 1 + tolerance)).any():
        return "logits", "some are outside of 0 to 1"
    if columns > 1 and (np.abs(rows.sum(axis=1) - 1) <= tolerance).all():
        return "probabilities", "those of each picture are in 0 to 1, and their sum is 1"
    if operator in _SUMS:
        return "logits", f"the network ends with {operator}"
    more = " A picture may have several classes." if operator in _SIGMOID else ""
    raise InputError(
        f"The scores may be logits or probabilities: --output-kind states which of them.{more}"
    )
