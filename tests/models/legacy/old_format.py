"""File formats of the first system, written by hand: trees of xgboost 0.x, and their pickle.

No code here is from ``catdog_stream.models.legacy``: the tests compare that package with this.
"""

import pickle
import struct
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from types import ModuleType
from typing import Any

import numpy as np
import pytest

#: (parent, left, right, feature, default left, threshold or answer)
Node = tuple[int, int, int, int, bool, float]

LEAF = -1
LEARNING_RATE = 0.1


def split(parent: int, left: int, right: int, feature: int, at: float, to_left: bool) -> Node:
    return (parent, left, right, feature, to_left, at)


def leaf(parent: int, answer: float) -> Node:
    return (parent, LEAF, LEAF, 0, False, answer)


def old_booster(
    trees: list[list[Node]],
    features: int,
    *,
    base_margin: float = 0.0,
    objective: str = "binary:logistic",
    booster: str = "gbtree",
    attributes: dict[str, str] | None = None,
    metrics: tuple[str, ...] = (),
    deleted: int = 0,
) -> bytes:
    """Return the output of ``Booster.save_raw``; ``models.legacy.booster`` documents the format."""
    data = struct.pack("<fIiii", base_margin, features, 0, attributes is not None, bool(metrics))
    data += bytes(136 - len(data)) + _text(objective) + _text(booster)
    data += struct.pack("<iiiiqii", len(trees), 1, features, 0, 0, 1, 0) + bytes(128)
    for nodes in trees:
        data += struct.pack("<iiiiii", 1, len(nodes), deleted, 0, features, 0) + bytes(124)
        for number, (parent, left, right, feature, to_left, value) in enumerate(nodes):
            side = 1 << 31 if parent >= 0 and nodes[parent][1] == number else 0
            packed_parent = (
                -1 if parent < 0 else struct.unpack("<i", struct.pack("<I", parent | side))[0]
            )
            sindex = feature | (1 << 31 if to_left else 0)
            data += struct.pack("<iiiIf", packed_parent, left, right, sindex, value)
        for number, (_, left, _, _, _, value) in enumerate(nodes):
            weight = value / LEARNING_RATE if left == LEAF else 0.5
            data += struct.pack("<fffi", 1.0, _hessian(nodes, number), weight, 0)
    data += bytes(4 * len(trees))
    if attributes is not None:
        data += struct.pack("<Q", len(attributes))
        data += b"".join(_text(text) for pair in attributes.items() for text in pair)
    if metrics:
        data += struct.pack("<Q", len(metrics)) + b"".join(map(_text, metrics))
    return data


def _hessian(nodes: list[Node], number: int) -> float:
    """Return 2 for each leaf below a node."""
    _, left, right, *_ = nodes[number]
    children = [child for child in (left, right) if number < child < len(nodes)]
    return sum(_hessian(nodes, child) for child in children) if children else 2.0


def _text(text: str) -> bytes:
    encoded = text.encode()
    return struct.pack("<Q", len(encoded)) + encoded


@contextmanager
def old_libraries(labels: str = "sklearn.preprocessing.label") -> Iterator[dict[str, type]]:
    """Yield the classes in the first system's pickle, by the names that the pickle has for them."""
    names = {"xgboost.sklearn": "XGBClassifier", "xgboost.core": "Booster", labels: "LabelEncoder"}
    with pytest.MonkeyPatch.context() as patch:
        made = {}
        for package in ("xgboost", "sklearn"):
            patch.setitem(sys.modules, package, ModuleType(package))
        for module_name, name in names.items():
            module = ModuleType(module_name)
            made[name] = type(name, (), {"__module__": module_name})
            setattr(module, name, made[name])
            patch.setitem(sys.modules, module_name, module)
        yield made


def old_pickle(
    booster: bytes,
    classes: Any,
    *,
    protocol: int = 4,
    labels: str = "sklearn.preprocessing.label",
    **fields: Any,
) -> bytes:
    """Return an ``XGBClassifier`` with ``booster``, whose ``LabelEncoder`` knows ``classes``."""
    with old_libraries(labels) as library:
        trained = library["Booster"]()
        vars(trained).update(handle=bytearray(booster), best_ntree_limit=100, feature_names=["f0"])
        encoder = library["LabelEncoder"]()
        vars(encoder).update(classes_=np.asarray(classes), _sklearn_version="0.18.1")
        classifier = library["XGBClassifier"]()
        vars(classifier).update(
            {"_Booster": trained, "_le": encoder, "classes_": np.asarray(classes)}
            | {"missing": float("nan"), "objective": "binary:logistic", "seed": 0, "silent": True}
            | {"learning_rate": np.float64(0.1), **fields}
        )
        content = pickle.dumps(classifier, protocol=protocol)
    # numpy of that time had another name for this module.
    return _renamed(content, "numpy._core.multiarray", "numpy.core.multiarray")


def _renamed(content: bytes, new: str, old: str) -> bytes:
    """Return ``content`` with a module's old name, and in protocol 4 with its length in front."""
    new_bytes, old_bytes = new.encode(), old.encode()
    short = bytes([0x8C])
    before = len(content)
    content = content.replace(
        short + bytes([len(new_bytes)]) + new_bytes, short + bytes([len(old_bytes)]) + old_bytes
    )
    if content[1] == 4:  # all of it is one frame, with its length in front
        place = 3
        (length,) = struct.unpack_from("<Q", content, place)
        frame = struct.pack("<Q", length + len(content) - before)
        content = content[:place] + frame + content[place + 8 :]
    return content.replace(b"c" + new_bytes + b"\n", b"c" + old_bytes + b"\n")
