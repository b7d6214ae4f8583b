"""A small Keras model, trained here on crops of the sample pictures, as a stack.

Run in any folder::

    pip install 'catdog-stream[tensorflow]'
    python keras_model.py pets.keras
    catdog-stream import pets.keras --classes cat,dog --preset keras --output pets
"""

import sys

import keras
import numpy as np
from PIL import Image

from catdog_stream.models.stacks.locate import samples

SIZE = 96


def crops(file, count=60):
    """Return random crops of a picture, [count, SIZE, SIZE, 3]."""
    random, image = np.random.default_rng(0), Image.open(file).convert("RGB")
    half = min(image.size) // 2
    corners = random.integers(0, [side - half for side in image.size], (count, 2)).tolist()
    parts = [image.crop((x, y, x + half, y + half)).resize((SIZE, SIZE)) for x, y in corners]
    return np.array([np.asarray(part) for part in parts])


files = sorted(samples().glob("*-*"))
pictures = np.concatenate([crops(file) for file in files])
labels = np.repeat([file.name.startswith("dog") for file in files], 60).astype(int)
keras.utils.set_random_seed(0)
model = keras.Sequential(
    [
        keras.Input((SIZE, SIZE, 3)),
        keras.layers.Rescaling(1 / 127.5, -1),
        keras.layers.Conv2D(16, 5, 4, activation="relu"),
        keras.layers.Conv2D(32, 3, 2, activation="relu"),
        keras.layers.GlobalAveragePooling2D(),
        keras.layers.Dense(2, activation="softmax"),
    ]
)
model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
model.fit(pictures, labels, batch_size=16, epochs=15, verbose=0)
print(f"Accuracy on the pictures of the training: {model.evaluate(pictures, labels, verbose=0)[1]}")
model.save(sys.argv[1])
