"""First version of the system, for comparison: a loop that classifies one picture at a time.

    python -m benchmarks.handwritten_loop HOST:PORT GROUP

It uses kafka-python, a float Inception V3 in TensorFlow, and XGBoost, as the article of 2017 does,
with the weights of the default stack. If it dies, it loses the request that it was processing.
"""

import base64
import io
import json
import signal
import sys

import numpy as np
import tensorflow as tf
from kafka import KafkaConsumer, KafkaProducer
from PIL import Image

from catdog_stream.models.engines.networks import build_network
from catdog_stream.models.stacks.head import Head
from catdog_stream.models.stacks.locate import default_stack
from catdog_stream.models.stacks.manifest import load_manifest


def main(address: str, group: str) -> None:
    """Answer requests until stopped."""
    directory = default_stack()
    manifest = load_manifest(directory)
    network = build_network("inception_v3", manifest.preprocessing.size)
    network.load_weights(directory / manifest.part("tensorflow").file)
    features = tf.function(lambda pixels: network(pixels, training=False))
    head = Head(directory / manifest.part("head").file, manifest.features, 2)
    consumer = KafkaConsumer(
        "catdogimage",
        bootstrap_servers=address,
        group_id=group,
        auto_offset_reset="earliest",
        max_partition_fetch_bytes=8_000_000,
    )
    producer = KafkaProducer(bootstrap_servers=address)
    try:
        for message in consumer:
            request = json.loads(message.value)
            picture = Image.open(io.BytesIO(base64.b64decode(request["data"]))).convert("RGB")
            size = (manifest.preprocessing.size, manifest.preprocessing.size)
            pixels = np.asarray(picture.resize(size, Image.Resampling.BILINEAR), np.float32)
            vector = features(tf.constant(pixels[np.newaxis] / 127.5 - 1)).numpy()
            dog = float(head.scores(vector)[0, 1])
            request["label"] = f"Probabilities: cat {1 - dog:.1%} dog {dog:.1%}"
            request["data"] = None
            producer.send("catdoglabel", json.dumps(request).encode(), partition=message.partition)
    finally:
        consumer.close()


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # leave the group, as on Ctrl-C
    main(*sys.argv[1:])
