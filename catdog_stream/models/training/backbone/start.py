"""The initial weights of a training, from a stack or from a file of weights."""

from dataclasses import dataclass, replace
from pathlib import Path

import msgspec
import numpy as np

from catdog_stream.errors import InputError, StackError
from catdog_stream.models.engines.convert import check_shapes, read_weights
from catdog_stream.models.engines.networks import NETWORKS, NetworkName, build_network
from catdog_stream.models.preprocessing import Preprocessing
from catdog_stream.models.stacks.manifest import describe, load_manifest
from catdog_stream.models.training.backbone.checkpoints import Arrays
from catdog_stream.models.training.backbone.network import Network

__all__ = ["Start"]


@dataclass(frozen=True, slots=True)
class Start:
    """A network with weights in a stack's directory or in a file."""

    place: Path
    network: NetworkName
    preprocessing: Preprocessing
    litert: Path | None = None
    """LiteRT file of the network, if there is one with this input size."""
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
            start = cls(place, named, NETWORKS[named].preprocessing)
        else:
            start = cls._stack(place, network)
        if size in (None, start.preprocessing.size):
            return start
        resized = msgspec.structs.replace(start.preprocessing, size=size)
        return replace(start, preprocessing=resized, litert=None)

    @classmethod
    def _stack(cls, place: Path, network: NetworkName | None) -> "Start":
        manifest = load_manifest(place)
        if network not in (None, manifest.network):
            raise StackError(f"The network of {place} is {manifest.network}, not {network}.")
        files = {name: place / part.file for name, part in manifest.parts.items()}
        return cls(
            place,
            manifest.network,
            manifest.preprocessing,
            litert=files.get("litert"),
            tensorflow=files.get("tensorflow"),
        )

    @property
    def file(self) -> Path:
        """The file that identifies the weights."""
        return self.tensorflow or self.litert or self.place

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
