"""Conversion of Keras models and SavedModels to LiteRT, in float32. Needs TensorFlow."""

import contextlib
import io
import warnings
from pathlib import Path
from typing import Any

from catdog_stream.errors import InputError
from catdog_stream.models.engines.convert import require_tensorflow
from catdog_stream.models.importing.model_file import is_saved_model

__all__ = ["to_tflite"]

#: Operators that use files, as in ``saved_model_cli scan``.
_FORBIDDEN = {"ReadFile", "WriteFile", "PrintV2", "MatchingFiles"}
_LONGEST_REASON = 200


def to_tflite(model: Path, shape: tuple[Any, Any, int]) -> bytes:
    """Convert a ``.keras`` or ``.h5`` file or a SavedModel, without quantization.

    Args:
        model: the model.
        shape: height, width and channels of a picture, for a Keras model that takes any.

    Raises:
        InputError: the model is damaged, contains code, or cannot be converted.
    """
    require_tensorflow("The import of a Keras model")
    import catdog_stream.models.engines.tensorflow as _  # noqa: F401 - before Keras, which it quiets

    # Keras prints the path of a temporary copy, and TensorFlow warns.
    with contextlib.redirect_stdout(io.StringIO()), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            flatbuffer: bytes = _converter(model, shape).convert()
        except InputError:
            raise
        except Exception as error:
            # Keras and TensorFlow raise any exception for damaged bytes.
            reason = str(error).strip().partition("\n")[0][:_LONGEST_REASON].rstrip(".")
            raise InputError(
                f"TensorFlow cannot convert {model}, as a model that is safe, to LiteRT: {reason}."
            ) from error
    return flatbuffer


def _converter(model: Path, shape: tuple[Any, Any, int]) -> Any:
    import keras
    import tensorflow as tf

    if not is_saved_model(model):
        # In safe mode Keras refuses code in the file, such as a Lambda layer.
        network = keras.saving.load_model(model, compile=False, safe_mode=True)
        if None in network.input_shape[1:] and None not in shape:
            picture = keras.Input(shape)
            network = keras.Model(picture, network(picture))
        return tf.lite.TFLiteConverter.from_keras_model(network)
    from tensorflow.core.protobuf.saved_model_pb2 import SavedModel

    document = SavedModel.FromString((model / "saved_model.pb").read_bytes())
    for graph in (each.graph_def for each in document.meta_graphs):
        nodes = [*graph.node, *(node for each in graph.library.function for node in each.node_def)]
        if found := sorted(_FORBIDDEN.intersection(node.op for node in nodes)):
            raise InputError(f"{model} uses files by {', '.join(found)}: it is not run.")
    return tf.lite.TFLiteConverter.from_saved_model(str(model))
