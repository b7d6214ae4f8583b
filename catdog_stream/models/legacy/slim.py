"""Reader of TF-Slim's checkpoint of Inception V3 for the network ``inception_v3_slim``.

The checkpoint has, for each convolution, ``weights`` and, in ``BatchNorm``, ``beta``,
``moving_mean`` and ``moving_variance``. Its other content is ignored, such as the averages of the
weights in training (``ExponentialMovingAverage``) and the auxiliary classifier.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from catdog_stream.errors import InputError
from catdog_stream.models.engines.networks import NETWORKS, NetworkName, build_network
from catdog_stream.models.legacy.slim_names import CONVOLUTIONS, LOGITS

__all__ = ["NETWORK", "read_checkpoint"]

NETWORK: NetworkName = "inception_v3_slim"


def read_checkpoint(checkpoint: Path, place: str) -> Any:
    """Return the Keras network with the weights in ``checkpoint``. Needs TensorFlow.

    Args:
        checkpoint: a file, or the prefix of several files.
        place: the user's name of the checkpoint, for messages.

    Raises:
        InputError: the checkpoint is missing, damaged or of another network.
    """
    if not checkpoint.is_file() and not checkpoint.with_name(checkpoint.name + ".index").is_file():
        raise InputError(f"There is no checkpoint {place}.")
    import catdog_stream.models.engines.tensorflow  # noqa: F401 - before Keras: it quiets its start

    network = build_network(NETWORK, NETWORKS[NETWORK].preprocessing.size)
    import tensorflow as tf

    try:
        reader = tf.train.load_checkpoint(str(checkpoint))
        shapes = reader.get_variable_to_shape_map()
        types = reader.get_variable_to_dtype_map()
        for name, weight, shape in _weights(network):
            if name not in shapes:
                raise InputError(
                    f"{place} is not a checkpoint of TF-Slim's Inception V3: it has no {name}."
                )
            if tuple(shapes[name]) != shape or types[name] != tf.float32:
                raise InputError(
                    f"{name} in {place} is {types[name].name} {list(shapes[name])}, "
                    f"the network takes float32 {list(shape)}."
                )
            array = reader.get_tensor(name)
            if not np.isfinite(array).all():
                raise InputError(f"{name} in {place} holds numbers that are not finite.")
            weight.assign(array.reshape(weight.shape))
    except (tf.errors.OpError, RuntimeError, ValueError) as error:
        raise InputError(f"TensorFlow cannot read {place} as a checkpoint.") from error
    return network


def _weights(network: Any) -> Iterator[tuple[str, Any, tuple[int, ...]]]:
    """Yield Slim's name of each weight of ``network``, the weight, and its checkpoint shape."""
    from keras.layers import BatchNormalization, Conv2D

    convolutions = _in_order_of_building(network, Conv2D)
    normalisations = _in_order_of_building(network, BatchNormalization)
    for scope, layer, norm in zip(CONVOLUTIONS, convolutions, normalisations, strict=True):
        yield f"{scope}/weights", layer.kernel, tuple(layer.kernel.shape)
        for name in ("beta", "moving_mean", "moving_variance"):
            weight = getattr(norm, name)
            yield f"{scope}/BatchNorm/{name}", weight, tuple(weight.shape)
    top = network.layers[-1]
    yield f"{LOGITS}/weights", top.kernel, (1, 1, *top.kernel.shape)
    yield f"{LOGITS}/biases", top.bias, tuple(top.bias.shape)


def _in_order_of_building(network: Any, kind: type) -> list[Any]:
    """Return the layers of a type, by the numbers in their names; the first has no number."""

    def number(layer: Any) -> int:
        _, _, end = layer.name.rpartition("_")
        return int(end) if end.isdigit() else 0

    return sorted((layer for layer in network.layers if isinstance(layer, kind)), key=number)
