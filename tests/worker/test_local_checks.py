"""Tests of the checks of a worker's own machine, without a broker."""

import socket
from pathlib import Path

import pytest

from catdog_stream.settings import Settings
from catdog_stream.settings.allowed_references import AllowedReferences
from catdog_stream.testing.ports import free_ports
from catdog_stream.worker.cluster_checks import Level
from catdog_stream.worker.local_checks import (
    check_references,
    check_settings,
    check_stacks,
    check_web,
)
from catdog_stream.worker.roles import role_of
from tests.support.examples import EXAMPLES


def test_the_settings_name_cluster_user_and_role() -> None:
    settings = Settings(broker="kafka://kafka:9093", role="voter", voter="one")
    line = check_settings(settings, role_of(settings)).sentence
    assert line.startswith(
        "kafka://kafka:9093 by plaintext as anonymous users; role voter one, "
        "group catdog_stream-voter-one;"
    )


def test_the_stack_is_named_or_what_is_wrong_with_it(tmp_path: Path) -> None:
    (good,) = check_stacks(Settings())
    assert good.level is Level.OK
    assert good.sentence.startswith("inception_v3 1 in ")
    good, bad = check_stacks(Settings(voting=(Path("inception_v3"), tmp_path / "none")))
    assert (good.level, bad.level) == (Level.OK, Level.ERROR)
    assert str(tmp_path / "none") in bad.sentence


def test_the_python_classifier_is_checked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(EXAMPLES)
    (good,) = check_stacks(Settings(classifier="brightness:Brightness"))
    assert good.level is Level.OK
    assert good.sentence == "brightness 1 by brightness:Brightness: classes dark, light."
    (bad,) = check_stacks(Settings(classifier="brightness:Darkness"))
    assert bad.level is Level.ERROR
    assert "has no attribute 'Darkness'" in bad.sentence


def test_a_bucket_that_cannot_be_opened() -> None:
    settings = Settings(fetch=AllowedReferences.parse("s3://cats, az://dogs"))
    (bad,) = check_references(settings)
    assert bad.level is Level.ERROR
    assert bad.sentence.startswith("CATDOG_FETCH=az://dogs cannot be opened")
    assert not list(check_references(Settings()))


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "0.0.0.0", ""])
def test_a_free_port(host: str) -> None:
    assert check_web(host, free_ports(1)[0]).level is Level.OK


def test_a_port_in_use_and_an_address_of_another_machine() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        taken = check_web("127.0.0.1", server.getsockname()[1])
    assert taken.level is Level.WARNING
    assert "in use" in taken.sentence
    for host in ("192.0.2.1", "host.invalid", "a..b"):
        assert check_web(host, free_ports(1)[0]).level is Level.WARNING
