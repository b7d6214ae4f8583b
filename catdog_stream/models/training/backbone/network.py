"""A network with weights: the start of a training, or a teacher."""

from dataclasses import dataclass
from typing import Any

from catdog_stream.models.engines.networks import NetworkName, build_network
from catdog_stream.models.preprocessing import Preprocessing
from catdog_stream.models.training.backbone.checkpoints import Arrays

__all__ = ["Network"]


@dataclass(frozen=True, slots=True)
class Network:
    """A network with weights and its input format."""

    name: NetworkName
    preprocessing: Preprocessing
    weights: Arrays
    """Weights in the order of Keras' ``get_weights()``."""

    def built(self, size: int, precision: str = "float32") -> Any:
        """Return the Keras network for pictures of ``size`` pixels, computing in ``precision``."""
        network = build_network(self.name, size, precision)
        network.set_weights(self.weights)
        return network

    def scaled(self, views: Any) -> Any:
        """Return ``views``, with values 0 to 255, scaled to the network's input range."""
        return self.preprocessing.scaled(views)
