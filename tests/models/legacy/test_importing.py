"""Tests of ``import-original``: the imported stack gives the same answers as the first system."""

import io
import json
import math
import tarfile
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from click.testing import CliRunner
from PIL import Image

from catdog_stream.commands.import_original import import_original
from catdog_stream.models.stacks.stack import ModelStack
from tests.models.legacy.conftest import MadeUp
from tests.models.legacy.old_format import leaf, old_booster, old_pickle, split


def png(picture: npt.NDArray[np.uint8]) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(picture).save(buffer, "PNG")
    return buffer.getvalue()


@pytest.mark.long
def test_the_stack_answers_what_the_graph_and_the_trees_say_by_hand(
    tmp_path: Path, made_up: MadeUp
) -> None:
    from tests.models.legacy.slim_graph import probabilities

    archive = tmp_path / "inception_v3_2016_08_28.tar.gz"
    with tarfile.open(archive, "w:gz", compresslevel=1) as tar:
        tar.add(made_up.one_file, "inception_v3.ckpt")
    pictures = [png(picture) for picture in made_up.pictures]

    # The features that TensorFlow 1 computes, in the graph written by hand.
    def variable(name: str, _: tuple[int, ...]) -> npt.NDArray[Any]:
        return made_up.values[name]

    features = probabilities(tf1_pictures(made_up.pictures), variable).numpy()
    # A tree that splits by the class in which the pictures differ most, and another with one leaf.
    spread = np.ptp(features, axis=0)
    asked = int(spread.argmax())
    ordered = np.sort(features[:, asked])
    gap = int(np.diff(ordered).argmax())
    at = float(ordered[gap : gap + 2].mean())
    trees = [
        [split(-1, 1, 2, asked, at, True), leaf(0, -1.25), leaf(0, 2.0)],
        [leaf(-1, 0.25)],
    ]
    expected = [
        1 / (1 + math.exp(-(0.25 + (-1.25 if row[asked] < at else 2.0)))) for row in features
    ]
    head = tmp_path / "xgboost_model.p"
    head.write_bytes(old_pickle(old_booster(trees, 1001), [0, 1], protocol=3))

    output = tmp_path / "original" / "1"
    arguments = ["--head", head, "--checkpoint", archive, "--output", output]
    answer = CliRunner().invoke(import_original, list(map(str, arguments)))
    assert answer.exit_code == 0, answer.output
    assert answer.stdout.endswith(
        f"The stack original 1 is in {output}: 2 trees on 1001 features for cat and dog.\n"
    )
    manifest = json.loads((output / "manifest.json").read_text())
    assert manifest["training"]["checkpoint_sha256"] in answer.stdout
    assert manifest["input"] == {
        **{"size": 299, "channels": "RGB", "resize": "tf1_bilinear", "crop": 0.875},
        "range": [-1, 1],
    }
    assert [each["file"] for each in manifest["golden"]] == ["golden-cat.png", "golden-dog.jpg"]

    for engine in ("litert", "tensorflow"):
        stack = ModelStack.load(output, engine=engine, threads=2, batch=4)
        stack.check_golden(output)
        verdicts = stack.classify([stack.prepare(picture) for picture in pictures])
        stack.close()
        assert [verdict.stack for verdict in verdicts] == ["original 1"] * 4
        np.testing.assert_allclose([v.scores["dog"] for v in verdicts], expected, atol=1e-6)


def tf1_pictures(pictures: npt.NDArray[np.uint8]) -> Any:
    """Return the pictures after TF-Slim's ``inception_preprocessing.preprocess_for_eval``."""
    import tensorflow as tf

    cropped = tf.image.central_crop(pictures.astype(np.float32) / 255, 0.875)
    resized = tf.compat.v1.image.resize_bilinear(cropped, [299, 299], align_corners=False)
    return (resized - 0.5) * 2.0
