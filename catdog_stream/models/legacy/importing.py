"""Creation of a stack from the first system's head and network."""

from pathlib import Path
from typing import Any

import msgspec

from catdog_stream.errors import InputError, StackError
from catdog_stream.models.engines.convert import ONNX_FILE, write_backbone
from catdog_stream.models.engines.networks import NETWORKS
from catdog_stream.models.legacy.head import OriginalHead
from catdog_stream.models.legacy.slim import NETWORK
from catdog_stream.models.stacks.golden import keep_first
from catdog_stream.models.stacks.locate import samples
from catdog_stream.models.stacks.manifest import Golden, Manifest
from catdog_stream.models.stacks.stack import ModelStack
from catdog_stream.models.stacks.writing import (
    HEAD_FILE,
    LINEAR_HEAD_FILE,
    parts_in,
    write_loadable,
)

__all__ = ["check_features", "import_stack"]


#: Range of the thresholds for probabilities. xgboost takes up to twice the largest value.
_THRESHOLDS = (-0.001, 2.001)


def check_features(head: OriginalHead) -> None:
    """Raise ``InputError`` unless the features of ``head`` are those of the network."""
    wanted = NETWORKS[NETWORK].features
    if head.features != wanted:
        raise InputError(
            f"The head takes {head.features} features, and TF-Slim's Inception V3 gives {wanted}."
        )

    lowest, highest = head.thresholds
    if lowest < _THRESHOLDS[0] or highest > _THRESHOLDS[1]:
        raise InputError(
            f"The head compares features with {lowest:g} to {highest:g}, and the features are "
            "probabilities: its file was changed."
        )


def import_stack(
    head: OriginalHead,
    network: Any,
    output: Path,
    *,
    name: str,
    version: str,
    checkpoint_sha256: str | None,
    threads: int,
) -> Manifest:
    """Write a stack of ``head`` and the Keras ``network`` to ``output``, and load it once.

    Sample pictures of the stack's classes become its golden pictures.

    Raises:
        InputError: the stack cannot be written.
        StackError: the stack cannot be loaded.
    """
    check_features(head)
    write_backbone(NETWORK, network, output)
    head.write(output / HEAD_FILE)
    for other in (LINEAR_HEAD_FILE, ONNX_FILE):  # of a stack that is replaced
        (output / other).unlink(missing_ok=True)
    manifest = Manifest(
        name=name,
        version=version,
        classes=head.classes,
        preprocessing=NETWORKS[NETWORK].preprocessing,
        network=NETWORK,
        features=head.features,
        parts=parts_in(output),
        training={
            "imported": "the first system's parts",
            "head_sha256": head.sha256,
            "checkpoint_sha256": checkpoint_sha256,
        },
    )
    try:
        manifest.write(output)
        stack = ModelStack.load(output, engine="litert", threads=threads)
        manifest = msgspec.structs.replace(manifest, golden=_golden(stack, output))
        stack.close()
        write_loadable(manifest, output, threads=threads)
    except OSError as error:
        raise InputError(f"The stack cannot be written to {output}: {error.strerror}.") from error
    return manifest


def _golden(stack: ModelStack, output: Path) -> tuple[Golden, ...]:
    """Keep a sample picture of each class, if there is one, as a golden picture."""
    try:
        folder = samples()
    except StackError:
        return ()
    files = {label: sorted(folder.glob(f"{label}-*")) for label in stack.classes}
    return tuple(keep_first(stack, found, output, label) for label, found in files.items() if found)
