"""Tests of the OOD score, and of untrusted files that contain its parameters."""

import io
import pickle
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from msgspec import to_builtins

from catdog_stream.documents import convert
from catdog_stream.errors import StackError
from catdog_stream.models.stacks.ood import MAX_BYTES, Familiarity, FamiliaritySection

FEATURES, KEPT = 32, 3


def good() -> dict[str, npt.NDArray[np.floating]]:
    """Return the arrays of a valid file."""
    random = np.random.default_rng(0)
    means = np.abs(random.normal(size=(2, FEATURES)))
    return {
        "means": (means / np.linalg.norm(means, axis=1, keepdims=True)).astype(np.float16),
        "directions": np.eye(FEATURES, KEPT, dtype=np.float16),
        "variances": np.array([0.01, 0.02, 0.03], np.float32),
        "rest": np.array(0.001, np.float32),
        "distances": np.linspace(10, 60, 101),
    }


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "familiarity.npz"


def loaded(file: Path, arrays: dict[str, Any]) -> Familiarity:
    np.savez(file, **arrays)
    return Familiarity.load(file, FEATURES, 2)


def test_what_lies_at_a_mean_is_familiar_and_what_lies_elsewhere_is_not(file: Path) -> None:
    arrays = good()
    familiarity = loaded(file, arrays)
    near = arrays["means"].astype(np.float32) * 7  # for any brightness
    assert list(familiarity.of(near)) == [1, 1]
    assert list(familiarity.of(-near)) == [0, 0]


def test_familiarity_is_the_share_of_distances_that_are_greater(file: Path) -> None:
    arrays = good()
    row = arrays["means"][0].astype(np.float32)
    row[5] += 0.2
    distance = loaded(file, arrays).distance(row)
    arrays["distances"] = np.linspace(distance - 1, distance + 3, 101)
    assert loaded(file, arrays).of(row[np.newaxis])[0] == pytest.approx(0.75, abs=1e-3)


def test_features_that_are_none_are_not_familiar(file: Path) -> None:
    rows = np.zeros((3, FEATURES), np.float32)
    rows[1], rows[2] = np.nan, np.inf
    with np.errstate(invalid="ignore"):
        assert list(loaded(file, good()).of(rows)) == [0, 0, 0]


def test_it_is_the_same_to_the_bit_whatever_else_is_in_the_batch(file: Path) -> None:
    random = np.random.default_rng(1)
    rows = np.abs(random.normal(0.1, 0.05, (64, FEATURES))).astype(np.float32)
    familiarity = loaded(file, {**good(), "distances": np.linspace(0, 1000, 2001)})
    alone = [familiarity.of(row[np.newaxis])[0] for row in rows]
    assert 0 < min(alone) < max(alone) < 1
    assert familiarity.of(rows).tolist() == alone
    odd = np.zeros(4 * FEATURES + 4, np.uint8)[4:].view(np.float32)  # not aligned for vectors
    odd[:] = rows[7]
    assert familiarity.of(odd[np.newaxis])[0] == alone[7]


def test_what_was_saved_is_loaded_and_saved_the_same(file: Path, tmp_path: Path) -> None:
    familiarity = loaded(file, good())
    familiarity.save(tmp_path / "once.npz")
    Familiarity.load(tmp_path / "once.npz", FEATURES, 2).save(tmp_path / "twice.npz")
    assert (tmp_path / "once.npz").read_bytes() == (tmp_path / "twice.npz").read_bytes()


def changed(**arrays: Any) -> dict[str, Any]:
    return {**good(), **arrays}


@pytest.mark.parametrize(
    ("arrays", "why"),
    [
        pytest.param(changed(means=good()["means"][:1]), "2 classes", id="a class is missing"),
        pytest.param(changed(means=good()["means"].T), "32 features", id="turned around"),
        pytest.param(changed(variances=np.ones(2)), "do not fit", id="a variance is missing"),
        pytest.param(changed(directions=np.ones(KEPT)), "do not fit", id="no directions"),
        pytest.param(changed(rest=np.ones(3)), "no distances", id="several rests"),
        pytest.param(changed(distances=np.ones(1)), "no distances", id="one distance"),
        pytest.param(changed(rest=np.array(0.0)), "variance that is none", id="no variance"),
        pytest.param(changed(variances=-np.ones(KEPT)), "variance that is none", id="negative"),
        pytest.param(changed(distances=np.array([2.0, 1.0])), "out of order", id="descending"),
        pytest.param(changed(rest=np.array(np.nan)), "infinite", id="no number"),
        pytest.param(changed(distances=np.array([1, np.inf])), "infinite", id="infinite"),
        pytest.param(changed(rest=np.array(1)), "cannot be read", id="a whole number"),
        pytest.param(changed(rest=np.array("1")), "cannot be read", id="a text"),
        pytest.param(changed(rest=np.array({}, object)), "cannot be read", id="a pickle"),
        pytest.param(changed(variances=np.ones((3, 1))), "do not fit", id="a column"),
        pytest.param({"means": good()["means"]}, "cannot be read", id="incomplete"),
        pytest.param(changed(more=np.zeros(MAX_BYTES, np.uint8)), "cannot be read", id="too large"),
    ],
)
def test_arrays_that_do_not_fit_are_refused(file: Path, arrays: dict[str, Any], why: str) -> None:
    with pytest.raises(StackError, match=why) as raised:
        loaded(file, arrays)
    assert str(raised.value).startswith(str(file))
    assert str(raised.value).endswith(".")


def npz(members: dict[str, bytes]) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return out.getvalue()


def claiming(shape: str) -> bytes:
    """Return the header of an array without its numbers."""
    header = f"{{'descr': '<f4', 'fortran_order': False, 'shape': {shape}}}"
    return b"\x93NUMPY\x01\x00" + len(header).to_bytes(2, "little") + header.encode()


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(b"", id="empty"),
        pytest.param(b"PK\x03\x04 and no more", id="cut"),
        pytest.param(pickle.dumps({"means": [1.0]}), id="a pickle"),
        pytest.param(npz({"means.npy": b"\0" * (MAX_BYTES + 1)}), id="a bomb"),
        pytest.param(npz({"means.npy": claiming("(2, 99999999999)")}), id="claims 800 GB"),
        pytest.param(npz({"means.npy": claiming("(2, -1)")}), id="negative"),
        pytest.param(npz({"means.npy": claiming("__import__('os')")}), id="a program"),
        pytest.param(npz({"../means.npy": b""}), id="another place"),
    ],
)
def test_a_file_that_is_none_is_refused(file: Path, content: bytes) -> None:
    file.write_bytes(content)
    with pytest.raises(StackError, match="cannot be read as arrays of numbers"):
        Familiarity.load(file, FEATURES, 2)


def test_a_byte_that_was_changed_is_told_or_does_no_harm(file: Path) -> None:
    """Change the manifest's hash as well; otherwise the hash reports the change first."""
    np.savez(file, **good())  # type: ignore[arg-type]
    whole = file.read_bytes()
    for place in range(0, len(whole), 7):
        file.write_bytes(whole[:place] + bytes([whole[place] ^ 0xFF]) + whole[place + 1 :])
        try:
            familiarity = Familiarity.load(file, FEATURES, 2)
        except StackError:
            continue
        assert 0 <= familiarity.of(np.ones((1, FEATURES), np.float32))[0] <= 1


@pytest.mark.parametrize(
    "document",
    [
        *(None, [], {}, {"threshold": 0.01}, {"pictures": 3}),
        *({"threshold": value, "pictures": 3} for value in (-0.1, 1, "0", None, True)),
        *({"threshold": 0.1, "pictures": value} for value in (0, 1.5, "3", True)),
        {"threshold": 0.1, "pictures": 3, "more": 1},
    ],
)
def test_a_section_of_a_manifest_that_cannot_be_is_refused(document: Any) -> None:
    with pytest.raises(ValueError, match=r"threshold|pictures|more|document"):
        convert(document, FamiliaritySection)


def test_a_section_is_read_back() -> None:
    section = FamiliaritySection(0.02, 3000)
    assert convert(to_builtins(section), FamiliaritySection) == section
