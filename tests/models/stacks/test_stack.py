"""Tests of the default stack as a whole: verdicts, batches, threads, and broken stacks."""

import json
import shutil
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from catdog_stream.errors import RejectedRequest, SettingError, StackError
from catdog_stream.models.classifier import Classifier
from catdog_stream.models.pictures import Picture, PictureLimits
from catdog_stream.models.stacks.loading import Engine, load_backbone
from catdog_stream.models.stacks.locate import default_stack, samples, shipped_stack
from catdog_stream.models.stacks.manifest import describe, load_manifest
from catdog_stream.models.stacks.repository import StackId
from catdog_stream.models.stacks.stack import ModelStack
from catdog_stream.models.verdict import Verdict
from tests.models.derived import derived_pictures
from tests.support.pictures import sample_files
from tests.support.stacks import DEFAULT


def test_the_samples_are_told_apart(stack: ModelStack) -> None:
    files = sample_files()
    verdicts = stack.classify([stack.prepare(file.read_bytes()) for file in files])
    assert [v.label for v in verdicts] == [file.name.partition("-")[0] for file in files]
    assert all(sum(v.scores.values()) == 1 for v in verdicts)


def test_the_stack_is_a_classifier(stack: ModelStack) -> None:
    classifier: Classifier = stack
    classifier.warm_up()
    assert StackId(classifier.name, classifier.version) == DEFAULT
    assert classifier.classify([]) == []


def test_the_limits_reach_the_decoder() -> None:
    small = ModelStack.load(default_stack(), threads=1, limits=PictureLimits(max_bytes=1000))
    with pytest.raises(RejectedRequest) as rejected:
        small.prepare((samples() / "dog-beagle.jpg").read_bytes())
    assert rejected.value.reason == "too_large"
    small.close()


def test_no_batch_changes_a_bit(stack: ModelStack) -> None:
    pictures = derived_pictures(12)
    together = stack.classify(pictures)
    assert [stack.classify([picture])[0] for picture in pictures] == together
    assert stack.classify(pictures[5:8]) == together[5:8]
    assert stack.classify(pictures[::-1]) == together[::-1]
    assert stack.classify(np.stack(pictures)) == together


def test_no_number_of_threads_changes_a_bit(stack: ModelStack) -> None:
    pictures = derived_pictures(6)
    expected = stack.classify(pictures)
    for threads in (1, 3):
        other = ModelStack.load(default_stack(), engine="litert", threads=threads)
        assert other.classify(pictures) == expected
        assert other.classify(pictures[:1]) == expected[:1]
        other.close()


@pytest.mark.parametrize(("threads", "batch"), [(1, 8), (2, 8), (3, 9), (8, 16)])
def test_a_batch_has_work_for_every_thread_in_each_round(threads: int, batch: int) -> None:
    stack = ModelStack.load(default_stack(), engine="litert", threads=threads)
    assert stack.batch_size == batch
    stack.close()


def test_the_batch_can_be_pinned_by_the_manifest_and_beaten_by_a_setting(copy: Path) -> None:
    manifest = json.loads((copy / "manifest.json").read_text())
    manifest["engine"] = {"litert": {"batch": 5}, "tensorflow": {"batch": 6}}
    (copy / "manifest.json").write_text(json.dumps(manifest))
    pinned = ModelStack.load(copy, engine="litert", threads=1)
    assert pinned.batch_size == 5
    pinned.close()
    beaten = ModelStack.load(copy, engine="litert", threads=1, batch=7)
    assert beaten.batch_size == 7
    beaten.close()


def test_several_threads_may_classify_at_once(stack: ModelStack) -> None:
    pictures = derived_pictures(12)
    expected = stack.classify(pictures)

    def classify(picture: Picture) -> Verdict:
        return stack.classify([picture, picture])[1]

    with ThreadPoolExecutor(6) as pool:
        assert list(pool.map(classify, pictures)) == expected


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """Return a copy of the default stack, for tests that break it."""
    return Path(shutil.copytree(default_stack(), tmp_path / "stack"))


def declare(stack: Path, part: str, file: str, content: bytes) -> None:
    """Replace a part with ``content`` and make the manifest agree."""
    (stack / file).write_bytes(content)
    manifest = json.loads((stack / "manifest.json").read_text())
    manifest["parts"][part]["sha256"] = describe(stack, file).sha256
    (stack / "manifest.json").write_text(json.dumps(manifest))


def cut(content: bytes) -> bytes:
    return content[: len(content) // 2]


@pytest.mark.parametrize("damage", [cut, lambda _: b"", lambda _: b"no model at all"])
@pytest.mark.parametrize(
    ("part", "file", "engine"),
    [("litert", "backbone.tflite", "litert"), ("head", "head.ubj", "litert")],
)
def test_a_file_that_is_no_model_is_refused_even_with_a_right_hash(
    copy: Path, part: str, file: str, engine: Engine, damage: Callable[[bytes], bytes]
) -> None:
    declare(copy, part, file, damage((copy / file).read_bytes()))
    with pytest.raises(StackError):
        ModelStack.load(copy, engine=engine, threads=1)


def test_a_manifest_that_does_not_fit_the_network_is_refused(copy: Path) -> None:
    for field, value in (("features", 100), ("input", 224)):
        manifest = json.loads((default_stack() / "manifest.json").read_text())
        if field == "input":
            manifest["input"]["size"] = value
        else:
            manifest[field] = value
        (copy / "manifest.json").write_text(json.dumps(manifest))
        with pytest.raises(StackError):
            ModelStack.load(copy, engine="litert", threads=1)


def test_an_unknown_engine_is_named() -> None:
    engine: Engine = "abacus"  # type: ignore[assignment]
    with pytest.raises(SettingError, match="abacus"):
        ModelStack.load(default_stack(), engine=engine, threads=1)


def test_an_engine_without_its_file_is_refused(copy: Path) -> None:
    manifest = json.loads((copy / "manifest.json").read_text())
    del manifest["parts"]["litert"]
    (copy / "manifest.json").write_text(json.dumps(manifest))
    with pytest.raises(StackError, match="litert"):
        ModelStack.load(copy, engine="litert", threads=1)


def test_the_features_are_those_of_the_network_whatever_the_batch() -> None:
    directory = default_stack()
    backbone = load_backbone("litert", directory, load_manifest(directory), threads=2)
    pictures = derived_pictures(3)
    together = backbone.features(np.stack(pictures))
    alone = [backbone.features([picture])[0] for picture in pictures]
    backbone.close()
    assert together.shape == (3, 2048)
    assert together.dtype == np.float32
    assert np.all(together >= 0), "averages of rectified units"
    np.testing.assert_array_equal(np.stack(alone), together)


def test_a_sample_that_lies_on_its_side_is_recognised_by_a_turned_copy() -> None:
    turning = ModelStack.load(
        shipped_stack("efficientnet_lite2"), engine="litert", threads=2, turned_copies=True
    )
    files = sample_files()
    pictures = [turning.prepare(file.read_bytes()) for file in files]
    for turn in range(4):
        verdicts = turning.classify([np.rot90(picture, turn) for picture in pictures])
        assert [v.label for v in verdicts] == [file.name.partition("-")[0] for file in files]
    turning.close()
