"""The trained network with its classifier, and an optional teacher.

The teacher is another network, which knows more. The trained network imitates the teacher's
features. Both get the same part of a picture (Beyer et al., "Knowledge distillation: A good teacher
is patient and consistent", 2021), the teacher always upright and without corruptions.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from catdog_stream.models.engines.networks import NetworkName
from catdog_stream.models.training.backbone.network import Network
from catdog_stream.models.training.backbone.plan import Phase

__all__ = ["Imitated", "Learner"]

#: Share of the network's weights in its upper part.
_UPPER_SHARE = 0.6
#: Networks of depthwise convolutions, which TensorFlow 2.21 computes more slowly in 16 bits on a
#: CPU: a step of 32 views of 224 pixels took 2.4 s in float32, and 3.7 s in bfloat16 (two cores of
#: an Intel Xeon with AMX, measured alternately).
_IN_FLOAT32: frozenset[NetworkName] = frozenset({"efficientnet_lite2"})


@dataclass(frozen=True, slots=True)
class Imitated:
    """A teacher, and the projection from the learner's features to the teacher's."""

    of: Network
    network: Any
    projection: Any

    @classmethod
    def built(cls, of: Network, size: int, learner: Network, features: int) -> "Imitated":
        """Build the teacher for views of ``size`` pixels, and a ``learner`` with ``features``."""
        network = of.built(size)
        network.trainable = False
        # A random projection would make a learner of the same architecture first lose its features.
        begin = "identity" if learner.name == of.name else "glorot_uniform"
        projection = keras.layers.Dense(
            network.output_shape[-1], kernel_initializer=begin, dtype="float32"
        )
        projection.build((None, features))
        return cls(of, network, projection)

    def loss(self, views: Any, features: Any) -> Any:
        """Return the cosine distance, 0 to 2, of ``features`` of ``views`` from the teacher's."""
        known = tf.cast(self.network(self.of.scaled(views), training=False), tf.float32)
        alike = -keras.losses.cosine_similarity(known, self.projection(features))
        return tf.reduce_mean(1 - alike)


@dataclass(frozen=True, slots=True)
class Learner:
    """A network and its classifier in a phase of the training."""

    of: Network
    network: Any
    classifier: Any
    classes: int
    imitated: Imitated | None

    @classmethod
    def built(
        cls, start: Network, classes: int, phase: Phase, teacher: Network | None
    ) -> "Learner":
        """Build the network with the weights of ``start``, and a classifier of random weights."""
        network = start.built(phase.size, _precision(start.name))
        _freeze(network, upper=phase.upper)
        classifier = keras.layers.Dense(classes, dtype="float32")
        features = network.output_shape[-1]
        classifier.build((None, features))
        imitated = None
        if teacher is not None:
            imitated = Imitated.built(teacher, phase.size, start, features)
        return cls(start, network, classifier, classes, imitated)

    @property
    def variables(self) -> list[Any]:
        """All variables of the network, the classifier and the projection, in this order."""
        return [variable for layer in self._layers for variable in layer.weights]

    @property
    def trained(self) -> list[Any]:
        """The variables that are trained in this phase."""
        return [variable for layer in self._layers for variable in layer.trainable_weights]

    @property
    def _layers(self) -> list[Any]:
        layers = [self.network, self.classifier]
        return layers if self.imitated is None else [*layers, self.imitated.projection]

    def truth(self, labels: Any, smoothing: float) -> Any:
        """Return the target probabilities, float32 [n, classes]: one-hot, with label smoothing."""
        truth = tf.one_hot(labels, self.classes)
        return truth * (1 - smoothing) + smoothing / self.classes

    def loss(self, views: Any, clean: Any, truth: Any, imitation: float) -> Any:
        """Return the cross-entropy, and the cost of differing from the teacher.

        The network gets ``views``. The teacher gets ``clean``, the same views without turns and
        corruptions.
        """
        features = tf.cast(self.network(self.of.scaled(views), training=True), tf.float32)
        loss = tf.reduce_mean(
            tf.nn.softmax_cross_entropy_with_logits(truth, self.classifier(features))
        )
        if self.imitated is not None:
            loss += imitation * self.imitated.loss(clean, features)
        return loss


def _freeze(network: Any, *, upper: bool) -> None:
    """Mark the layers of the network as trainable: all of them, or the upper part alone."""
    total = sum(int(np.prod(weight.shape)) for weight in network.weights)
    below = 0
    for layer in network.layers:
        below += sum(int(np.prod(weight.shape)) for weight in layer.weights)
        layer.trainable = not upper or below > (1 - _UPPER_SHARE) * total


def _precision(network: NetworkName) -> str:
    """Return Keras' name of the float type in which the network trains fastest."""
    if tf.config.list_physical_devices("GPU"):
        return "mixed_bfloat16"
    half = network not in _IN_FLOAT32 and _has_bfloat16()
    return "mixed_bfloat16" if half else "float32"


def _has_bfloat16() -> bool:
    """Return if the processor has instructions for bfloat16."""
    try:
        flags = Path("/proc/cpuinfo").read_text()
    except OSError:
        return False
    return "avx512_bf16" in flags or "amx_bf16" in flags
