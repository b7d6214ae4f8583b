"""Tests of the pickle of the first system's head: it is read, and no code in it is executed."""

import contextlib
import os
import pickle
import struct
import subprocess
import tracemalloc
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from catdog_stream.errors import InputError
from catdog_stream.models.legacy import classifier
from catdog_stream.models.legacy.classifier import read_classifier
from catdog_stream.models.legacy.head import read_head
from tests.models.legacy.old_format import leaf, old_booster, old_pickle

TREES = old_booster([[leaf(-1, 0.5)]], 7)


def write(tmp_path: Path, content: bytes) -> Path:
    file = tmp_path / "model.p"
    file.write_bytes(content)
    return file


@pytest.mark.parametrize("protocol", [2, 3, 4])
@pytest.mark.parametrize("labels", ["sklearn.preprocessing.label", "sklearn.preprocessing._label"])
def test_trees_and_classes_come_out_as_they_went_in(
    tmp_path: Path, protocol: int, labels: str
) -> None:
    content = old_pickle(TREES, [0, 1], protocol=protocol, labels=labels)
    found = read_classifier(write(tmp_path, content))
    assert found.booster == TREES
    assert found.labels == (0, 1)


@pytest.mark.parametrize("protocol", [2, 3, 4])
@pytest.mark.parametrize("kind", [None, object, ">U5"])
def test_classes_may_have_names(tmp_path: Path, protocol: int, kind: Any) -> None:
    names = np.array(["hund", "katze"], kind)
    file = write(tmp_path, old_pickle(TREES, names, protocol=protocol))
    assert read_head(file).classes == ("hund", "katze")
    assert read_head(file, ("dog", "cat")).classes == ("dog", "cat")


def test_the_classes_0_and_1_are_cat_and_dog(tmp_path: Path) -> None:
    head = read_head(write(tmp_path, old_pickle(TREES, [0, 1])))
    assert (head.classes, head.features, head.trees) == (("cat", "dog"), 7, 1)


@pytest.mark.parametrize(
    ("classes", "given", "sentence"),
    [
        ([0.5, 1.5], None, "does not name its classes: set --classes"),
        ([" cat", "dog"], None, "^The classes in .* cannot be used: ' cat' cannot be a class"),
        ([0, 1], ("cat", "cat"), "^--classes cannot be used: the class 'cat' is there twice"),
        ([0, 1], ("cat", "dog", "car"), "must have two classes, not 3"),
        ([0, 1, 2], None, "must have two classes, not 3"),
    ],
)
def test_classes_that_a_stack_cannot_have(
    tmp_path: Path, classes: list[Any], given: tuple[str, ...] | None, sentence: str
) -> None:
    file = write(tmp_path, old_pickle(TREES, classes))
    with pytest.raises(InputError, match=sentence):
        read_head(file, given)


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ({"missing": 0.0}, "a number for a missing feature"),
        ({"best_ntree_limit": 3}, "stopped early"),
        ({"_Booster": None}, "does not hold a trained XGBClassifier"),
    ],
)
def test_what_would_answer_otherwise_than_its_trees(
    tmp_path: Path, fields: dict[str, Any], sentence: str
) -> None:
    with pytest.raises(InputError, match=sentence):
        read_classifier(write(tmp_path, old_pickle(TREES, [0, 1], **fields)))


class Calls:
    """Object whose pickle calls ``function`` when Python reads it."""

    def __init__(self, function: Callable[..., Any], *arguments: Any) -> None:
        self._call = function, arguments

    def __reduce__(self) -> tuple[Callable[..., Any], tuple[Any, ...]]:
        return self._call


@pytest.mark.parametrize("protocol", [2, 3, 4])
@pytest.mark.parametrize("name", ["system", "run", "eval", "exec"])
def test_what_python_would_execute_is_named_and_not_executed(
    tmp_path: Path, name: str, protocol: int
) -> None:
    marker = tmp_path / "executed"
    code = f"open({str(marker)!r}, 'w').close()"
    hostile = {
        "system": Calls(os.system, f"touch {marker}"),
        "run": Calls(subprocess.run, ["touch", str(marker)]),
        "eval": Calls(eval, code),
        "exec": Calls(exec, code),
    }[name]
    alone = pickle.dumps(hostile, protocol)
    pickle.loads(alone)
    assert marker.exists()  # the attack works in Python
    marker.unlink()
    # As the whole file, and in the place of the trees.
    for content in (alone, old_pickle(TREES, [0, 1], protocol=protocol, _Booster=hostile)):
        with pytest.raises(InputError, match=rf"is not read: it refers to \S+\.{name}, which"):
            read_classifier(write(tmp_path, content))
        assert not marker.exists()


def test_a_name_that_fills_the_screen_is_cut_short(tmp_path: Path) -> None:
    content = b"\x80\x04X" + struct.pack("<I", 10**6) + b"a" * 10**6 + b"\x8c\x01b\x93."
    with pytest.raises(InputError, match=r"refers to a+, which") as raised:
        read_classifier(write(tmp_path, content))
    assert len(str(raised.value)) < 500


@pytest.mark.parametrize(
    "content",
    [
        # A call of a call, attributes of a class, an instance of a function.
        b"\x80\x04\x8c\x08builtins\x8c\x09bytearray\x93)R)R.",
        b"\x80\x04\x8c\x0cxgboost.core\x8c\x07Booster\x93}b.",
        b"\x80\x04\x8c\x08builtins\x8c\x09bytearray\x93]\x81.",
        # Persistent and extension objects, a list of a class, old opcodes that build instances.
        b"\x80\x04\x8c\x01aQ.",
        b"\x80\x04\x82\x01.",
        b"\x80\x04\x8c\x0cxgboost.core\x8c\x07Booster\x93\x8c\x01ae.",
        b"(S'ls'\nios\nsystem\n.",
        b"(cos\nsystem\nS'ls'\no.",
    ],
)
def test_tricks_with_calls_and_classes_are_refused(tmp_path: Path, content: bytes) -> None:
    with pytest.raises(InputError, match=r"model\.p"):
        read_classifier(write(tmp_path, content))


@pytest.mark.parametrize(
    "content",
    [
        # More bytes than the file has, a memo index far off, an array of a million million bytes.
        b"\x80\x04\x8e" + struct.pack("<Q", 2**62) + b"abc.",
        b"\x80\x04B" + struct.pack("<I", 2**32 - 1) + b"abc.",
        b"\x80\x04Nr" + struct.pack("<I", 2**32 - 1) + b".",
        b"\x80\x04\x95" + struct.pack("<Q", 2**62) + b"N.",
        b"\x80\x04\x8c\x08builtins\x8c\x09bytearray\x93\x8a\x06" + b"\0" * 5 + b"\x01\x85R.",
        # Tuples of tuples as a key: their hash would take for ever.
        b"\x80\x04})" + b"\x94h\x00h\x00\x86".replace(b"\x94", b"q\0") * 64 + b"Ns.",
        b"\x80\x04" + b"]" * 10**6 + b".",
        b"\x80\x04" + b"(" * 10**6 + b".",
    ],
    ids=["long", "bytes", "memory", "frame", "array", "nested", "lists", "marks"],
)
def test_no_pickle_costs_much_more_than_its_own_size(tmp_path: Path, content: bytes) -> None:
    file = write(tmp_path, content)
    tracemalloc.start()
    try:
        with pytest.raises(InputError, match=r"model\.p"):
            read_classifier(file)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 1_000_000 + 30 * len(content)


def test_a_file_that_is_cut_off_anywhere_is_told(tmp_path: Path) -> None:
    whole = old_pickle(TREES, ["hund", "katze"], protocol=3)
    file = tmp_path / "model.p"
    for length in range(0, len(whole), 7):
        file.write_bytes(whole[:length])
        with pytest.raises(InputError):
            read_head(file)


@settings(max_examples=300)
@given(st.data())
def test_whatever_the_bytes_are_there_is_a_head_or_a_sentence(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    content = bytearray(old_pickle(TREES, ["hund", "katze"]))
    for _ in range(data.draw(st.integers(1, 4))):
        content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    file = tmp_path_factory.getbasetemp() / "fuzzed.p"
    file.write_bytes(content)
    with contextlib.suppress(InputError):
        read_head(file)


def test_other_pickles_and_files_are_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(InputError, match="There is no file"):
        read_classifier(tmp_path / "nowhere")
    with pytest.raises(InputError, match="There is no file"):
        read_classifier(tmp_path)
    for value in ([1, 2], {"_Booster": 1}, "text", None):
        with pytest.raises(InputError, match="does not hold a trained XGBClassifier"):
            read_classifier(write(tmp_path, pickle.dumps(value, 4)))
    with pytest.raises(InputError, match="a pickle of protocol 5, and 2 to 4 are understood"):
        read_classifier(write(tmp_path, pickle.dumps(None, 5)))
    with pytest.raises(InputError, match="damaged, or not a pickle"):
        read_classifier(write(tmp_path, b"\x89PNG"))
    monkeypatch.setattr(classifier, "MAX_BYTES", 100)
    with pytest.raises(InputError, match="more than the 100 bytes"):
        read_classifier(write(tmp_path, old_pickle(TREES, [0, 1])))


@pytest.mark.parametrize("protocol", [2, 3, 4])
def test_nothing_may_follow_the_end_of_a_pickle(tmp_path: Path, protocol: int) -> None:
    content = old_pickle(TREES, [0, 1], protocol=protocol)
    with pytest.raises(InputError, match=r"is not read: 3 bytes follow its end\.$"):
        read_classifier(write(tmp_path, content + b"abc"))


def test_the_length_of_a_frame_must_be_right(tmp_path: Path) -> None:
    content = bytearray(old_pickle(TREES, [0, 1], protocol=4))
    content[content.index(b"\x95") + 1] ^= 1
    with pytest.raises(InputError, match="is damaged"):
        read_classifier(write(tmp_path, bytes(content)))


def test_what_a_pickle_has_twice_must_agree(tmp_path: Path) -> None:
    other = write(tmp_path, old_pickle(TREES, [0, 1], classes_=np.array([0, 2])))
    with pytest.raises(InputError, match="names its classes twice, and differently"):
        read_classifier(other)
    based = write(tmp_path, old_pickle(TREES, [0, 1], base_score=0.5))
    assert read_head(based).trees == 1
    based = write(tmp_path, old_pickle(TREES, [0, 1], base_score=0.25))
    with pytest.raises(InputError, match=r"its base score is 0\.25"):
        read_head(based)
