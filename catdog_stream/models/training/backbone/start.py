"""The initial weights of a training, from a stack or from a file of weights."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import msgspec
import numpy as np

from catdog_stream.errors import InputError, StackError
from catdog_stream.models.engines.convert import check_shapes, read_weights
from catdog_stream.models.engines.description import DESCRIPTION_FILE, Description
from catdog_stream.models.engines.networks import NETWORKS, NetworkName, build_network
from catdog_stream.models.preprocessing import Preprocessing
from catdog_stream.models.stacks.manifest import Part, PartName, describe, load_manifest
from catdog_stream.models.stacks.writing import parts_in
from catdog_stream.models.training.backbone.checkpoints import Arrays
from catdog_stream.models.training.backbone.network import Network

__all__ = ["Start", "described_backbone"]


def described_backbone(directory: Path) -> tuple[Description, Mapping[PartName, Part]]:
    """Return the description and the files of the backbone in ``directory``.

    The description by ``convert`` takes precedence over a manifest, since ``convert`` may have
    replaced the files of a stack. Raises ``StackError``.
    """
    if (directory / DESCRIPTION_FILE).is_file():
        return Description.read(directory), parts_in(directory)
    manifest = load_manifest(directory)
    if manifest.output != "features":
        raise StackError(f"{directory} is a complete classifier: a backbone gives features.")
    described = Description(manifest.network, manifest.preprocessing, manifest.features)
    return described, manifest.parts


@dataclass(frozen=True, slots=True)
class Start:
    """A network with weights in a folder, of a stack or by ``convert``, or in a file."""

    place: Path
    network: NetworkName
    preprocessing: Preprocessing
    features: int
    """Number of features for a picture."""
    litert: Path | None = None
    """LiteRT file of the network, if there is one with this input size."""
    onnx: Path | None = None
    """The same for ONNX."""
    tensorflow: Path | None = None
    """Keras file of the weights, if there is one."""

    @classmethod
    def find(cls, place: Path, network: NetworkName | None, size: int | None) -> "Start":
        """Find the weights at ``place``.

        Args:
            place: a stack's directory, or a file of weights.
            network: the architecture; by default the stack's, or ``inception_v3`` for a file.
            size: width and height of the input, in pixels; by default the network's own.

        Raises:
            StackError: ``place`` is not a stack, or the stack has another network.
        """
        if place.is_file():
            named = network or "inception_v3"
            start = cls(place, named, NETWORKS[named].preprocessing, NETWORKS[named].features)
        else:
            start = cls._stack(place, network)
        if size in (None, start.preprocessing.size):
            return start
        resized = msgspec.structs.replace(start.preprocessing, size=size)
        return replace(start, preprocessing=resized, litert=None, onnx=None)

    @classmethod
    def _stack(cls, place: Path, network: NetworkName | None) -> "Start":
        described, parts = described_backbone(place)
        if network not in (None, described.network):
            raise StackError(f"The network of {place} is {described.network}, not {network}.")
        files = {name: place / part.file for name, part in parts.items()}
        return cls(
            place,
            described.network,
            described.preprocessing,
            described.features,
            litert=files.get("litert"),
            onnx=files.get("onnx"),
            tensorflow=files.get("tensorflow"),
        )

    @property
    def described(self) -> Description:
        """The description of the network."""
        return Description(self.network, self.preprocessing, self.features)

    @property
    def can_learn(self) -> bool:
        """True if there are float weights, which TensorFlow can train."""
        return self.place.is_file() or self.tensorflow is not None

    @property
    def file(self) -> Path:
        """The file that identifies the weights."""
        return self.tensorflow or self.litert or self.onnx or self.place

    @property
    def digest(self) -> str:
        """The SHA-256 of ``file``."""
        return describe(self.file.parent, self.file.name).sha256

    def loaded(self) -> Network:
        """Return the network with its weights in float32. Needs TensorFlow.

        Raises ``StackError`` or ``InputError`` if the weights cannot be read.
        """
        return Network(self.network, self.preprocessing, self._weights())

    def _weights(self) -> Arrays:
        """Read the weights, in the order of ``get_weights()``."""
        built = build_network(self.network, self.preprocessing.size)
        if self.place.is_file():
            arrays = read_weights(self.place, self.network)
            check_shapes(self.place, arrays, built)
            return [np.asarray(array, np.float32) for array in arrays]
        if self.tensorflow is None:
            raise StackError(f"{self.place} has no part for TensorFlow, which trains.")
        try:
            built.load_weights(self.tensorflow)
        except (OSError, ValueError, KeyError) as error:
            raise InputError(f"{self.tensorflow} are no weights of {self.network}.") from error
        return [np.asarray(array, np.float32) for array in built.get_weights()]
