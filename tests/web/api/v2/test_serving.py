"""Tests of the model that the protocol reports."""

import pytest

from catdog_stream.web.api.problems import Problem
from catdog_stream.web.api.v2.serving import Model, checked, model_document

MODEL = Model("pets", "2", ("cat", "dog"))


@pytest.mark.parametrize("name", ["pets", "catdog"])
@pytest.mark.parametrize("version", [None, "2"])
def test_it_has_its_own_name_and_one_that_stays(name: str, version: str | None) -> None:
    assert checked(MODEL, name, version) is MODEL


@pytest.mark.parametrize(("name", "version"), [("cats", None), ("pets", "1"), ("catdog", "02")])
def test_no_other_serves(name: str, version: str | None) -> None:
    with pytest.raises(Problem) as told:
        checked(MODEL, name, version)
    assert told.value.status == 404


def test_while_nothing_serves_clients_are_told_to_come_again() -> None:
    with pytest.raises(Problem) as told:
        checked(None, "pets", None)
    assert told.value.status == 503
    assert told.value.headers["Retry-After"]


def test_a_jury_does_not_know_its_classes() -> None:
    scores = model_document(Model("jury", "1", ()))["outputs"][0]
    assert scores["shape"] == [-1, -1]
