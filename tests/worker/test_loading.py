"""Tests of the loaded model: a stack, or an ensemble."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from catdog_stream.errors import RejectedRequest, StackError
from catdog_stream.models import python_classifier
from catdog_stream.models.classifier import Classifier
from catdog_stream.models.ensembles.voting import VotingClassifier
from catdog_stream.models.stacks.locate import default_stack
from catdog_stream.models.stacks.repository import StackId
from catdog_stream.settings import Settings
from catdog_stream.testing import check_classifier
from catdog_stream.worker.loading import StacksOfSettings, loader_of
from tests.support.examples import EXAMPLES
from tests.support.pictures import sample_files
from tests.support.stacks import DEFAULT, add


def files() -> list[bytes]:
    return [file.read_bytes() for file in sample_files()]


def voting(*directories: Path, threads: int = 2) -> Settings:
    return Settings(stack=directories[0], voting=directories, engine="litert", threads=threads)


def test_one_stack_is_itself() -> None:
    stack = StacksOfSettings()(Settings(engine="litert"))
    assert StackId(stack.name, stack.version) == DEFAULT
    stack.close()


@pytest.mark.long
def test_several_vote_and_keep_the_contract_of_a_classifier(tmp_path: Path) -> None:
    other = add(tmp_path, "pets", "2", classes=["dog", "cat"], weight=3)
    jury: Classifier = StacksOfSettings()(voting(default_stack(), other))
    assert (jury.name, jury.version) == ("jury", f"{DEFAULT}+pets/2")
    (verdict,) = jury.classify([jury.prepare(files()[0])])
    # The other stack has the opposite verdict, and three times the weight.
    votes = json.loads(verdict.notes["votes"])
    assert votes[str(DEFAULT)]["verdict"] != votes["pets/2"]["verdict"] == verdict.label
    check_classifier(jury, files())


def test_those_that_take_over_from_hung_ones_have_the_batches_that_were_found_first(
    tmp_path: Path,
) -> None:
    pinned = add(tmp_path, "pets", "2")
    load = StacksOfSettings()
    settings = voting(default_stack(), pinned)
    first = load(settings)
    again = load(Settings(**{**vars(settings), "batch": 100}))  # as a runner loads it
    assert isinstance(first, VotingClassifier)
    assert first.batch_size == again.batch_size == 8
    first.close()
    again.close()


def test_one_that_cannot_be_loaded_is_named(tmp_path: Path) -> None:
    broken = add(tmp_path, "pets", "2")
    (broken / "head.ubj").unlink()
    with pytest.raises(StackError, match=r"pets/2 is incomplete: head\.ubj is missing"):
        StacksOfSettings()(voting(default_stack(), broken))


def test_a_python_classifier_is_checked_once_and_keeps_its_batch(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.syspath_prepend(EXAMPLES)
    checked: list[str] = []
    monkeypatch.setattr(python_classifier, "check", lambda named, _: checked.append(named))
    settings = Settings(classifier="brightness:Brightness", max_image_bytes=20)
    load = loader_of(settings)
    assert load(settings).batch_size == 8
    again = load(replace(settings, batch=3))
    assert again.batch_size == 3
    assert checked == ["brightness:Brightness"]
    with pytest.raises(RejectedRequest):
        again.prepare(bytes(21))


def test_those_of_other_classes_cannot_vote(tmp_path: Path) -> None:
    other = add(tmp_path, "cars", "1", classes=["bus", "van"])
    with pytest.raises(StackError, match=rf"{DEFAULT} and cars/1 cannot vote"):
        StacksOfSettings()(voting(default_stack(), other))
