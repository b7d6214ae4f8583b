"""Tests of fine-tuning: the result is the same every time, with or without interruption."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

pytest.importorskip("tensorflow")

from catdog_stream.models.engines.networks import build_network
from catdog_stream.models.preprocessing import Preprocessing
from catdog_stream.models.training.backbone import checkpoints, finetuning
from catdog_stream.models.training.backbone.finetuning import FineTuned, fine_tune
from catdog_stream.models.training.backbone.network import Network
from catdog_stream.models.training.backbone.plan import FineTuning, Phase
from catdog_stream.models.training.labelled import LabelledFile, labelled_files

pytestmark = pytest.mark.slow

#: Smallest size that the network accepts.
SIZE = 75
PLAN = FineTuning((Phase(1, SIZE, 1e-3, upper=True), Phase(2, SIZE, 1e-3)), batch=4)


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> list[LabelledFile]:
    """Return dark and light pictures."""
    folder = tmp_path_factory.mktemp("pictures")
    random = np.random.default_rng(3)
    for name, light in (("dark", 60), ("light", 190)):
        (folder / name).mkdir()
        for number in range(2):
            pixels = random.integers(light - 40, light + 40, (20, 20, 3)).astype(np.uint8)
            Image.fromarray(pixels).save(folder / name / f"{number}.png")
    return labelled_files(folder, ("dark", "light"))


@pytest.fixture(scope="module")
def start() -> Network:
    network = build_network("inception_v3", SIZE)
    return Network("inception_v3", Preprocessing(SIZE), network.get_weights())


class StoppedError(Exception):
    pass


@pytest.mark.long
def test_a_training_that_was_stopped_ends_as_one_that_was_not(
    files: list[LabelledFile], start: Network, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    states: list[checkpoints.Checkpoint] = []
    save = checkpoints.save

    def saving(folder: Path, state: checkpoints.Checkpoint) -> None:
        states.append(state)
        save(folder, state)
        if folder.name == "stopped" and len(state.losses) == 2:
            raise StoppedError

    monkeypatch.setattr(checkpoints, "save", saving)
    monkeypatch.setattr(finetuning, "_SAVE_SECONDS", 0.0)

    def trained(folder: str) -> FineTuned:
        return fine_tune(
            files, 2, start, PLAN, tmp_path / folder, teacher=start, threads=2, progress=False
        )

    whole = trained("whole")
    upper = [
        not np.array_equal(a, b) for a, b in zip(start.weights, states[0].averages, strict=False)
    ]
    assert not any(upper[: len(upper) // 3]), "the first phase trains the upper part alone"
    assert all(upper[-20:])
    for here, there in zip(whole.weights, start.weights, strict=True):
        assert not np.array_equal(here, there), "the second phase trains all of it"

    with pytest.raises(StoppedError):
        trained("stopped")
    again = trained("stopped")
    assert len(again.losses) == 3
    assert again.losses == whole.losses
    for here, there in zip(again.weights, whole.weights, strict=True):
        np.testing.assert_array_equal(here, there)
    assert [path.name for path in (tmp_path / "stopped").iterdir()] == ["checkpoint.npz"]
