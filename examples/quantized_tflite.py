"""A LiteRT file that computes in eight bits, with its labels in it: no option is needed.

Run in any folder::

    pip install 'catdog-stream[tensorflow]'
    python quantized_tflite.py shades.tflite
    catdog-stream import shades.tflite --output shades
"""

import sys
import zipfile
from pathlib import Path

import keras
import numpy as np
import tensorflow as tf

#: Typical pictures, from which the converter takes the range of each layer.
random = np.random.default_rng(0)
typical = random.uniform(0, 1, (100, 1, 1, 1, 1)) + random.normal(0, 0.1, (100, 1, 64, 64, 3))
typical = typical.clip(0, 1).astype(np.float32)

model = keras.Sequential(
    [
        keras.Input((64, 64, 3)),
        keras.layers.GlobalAveragePooling2D(),
        keras.layers.Dense(2, activation="softmax"),
    ]
)
model.layers[-1].set_weights([np.full((3, 2), [-4.0, 4.0]), np.array([6.0, -6.0])])

converter = tf.lite.TFLiteConverter.from_keras_model(model)
converter.optimizations = [tf.lite.Optimize.DEFAULT]
converter.representative_dataset = lambda: ([picture] for picture in typical)
converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS_INT8]
converter.inference_input_type = converter.inference_output_type = tf.uint8
Path(sys.argv[1]).write_bytes(converter.convert())
with zipfile.ZipFile(sys.argv[1], "a") as archive:  # as TensorFlow Lite's metadata
    archive.writestr("labels.txt", "dark\nlight\n")
