"""A network with weights, to learn or to be imitated."""

from dataclasses import dataclass
from typing import Any

from catdog_stream.models.engines.networks import NetworkName, build_network
from catdog_stream.models.preprocessing import Preprocessing
from catdog_stream.models.training.backbone.checkpoints import Arrays

__all__ = ["Network"]


@dataclass(frozen=True, slots=True)
class Network:
    """A network with weights, and what it wants a picture to be."""

    name: NetworkName
    preprocessing: Preprocessing
    weights: Arrays
    """In the order of Keras' ``get_weights()``."""

    def built(self, size: int, precision: str = "float32") -> Any:
        """It for Keras, which takes pictures of ``size`` and computes in ``precision``."""
        network = build_network(self.name, size, precision)
        network.set_weights(self.weights)
        return network

    def scaled(self, views: Any) -> Any:
        """``views``, 0 to 255, in the network's own numbers."""
        return views / self.preprocessing.divisor + self.preprocessing.range[0]
