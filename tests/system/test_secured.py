"""Tests of clusters with TLS or SASL: valid settings connect, and invalid ones get a clear message.

The tests start their own server, with a listener of each kind. Its users have exactly the rights
that docs/security.md lists: none may create a topic.
"""

import asyncio
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest
from confluent_kafka.admin import AdminClient
from confluent_kafka.admin._config import AlterConfigOpType, ConfigEntry, ConfigResource

from catdog_stream.errors import BrokerError
from catdog_stream.kafka.cluster import create_topics
from catdog_stream.settings import Settings
from catdog_stream.testing.ports import free_ports
from catdog_stream.testing.waiting import wait_until
from catdog_stream.testing.worker import Worker
from catdog_stream.worker.health import without_addresses
from tests.support.pictures import LOOKING
from tests.support.rights import documented, grant
from tests.support.secured import (
    CERTIFIED,
    HOST,
    NOBODY,
    NOWHERE,
    PASSWORD,
    USER,
    SecuredListeners,
    create_all,
    secured_kafka,
    set_password,
)

pytestmark = [pytest.mark.integration, pytest.mark.long]

SAMPLE = Path(__file__).parents[2] / "samples" / "cat-kitten.jpg"
SECONDS = 60


@pytest.fixture(scope="module")
def secured(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SecuredListeners]:
    with secured_kafka(tmp_path_factory.mktemp("secured-kafka")) as listeners:
        address = f"{HOST}:{listeners.plain_port}"
        asyncio.run(create_all(Settings(broker=f"kafka://{address}")))
        for who in ("worker", "send", "replay", "recount"):
            for user in (USER, CERTIFIED):
                grant(address, user, documented(who))
        yield listeners


def sasl(protocol: str, mechanism: str, password: str = PASSWORD) -> dict[str, str]:
    return {
        "CATDOG_SECURITY": protocol,
        "CATDOG_SASL_MECHANISM": mechanism,
        "CATDOG_SASL_USERNAME": USER,
        "CATDOG_SASL_PASSWORD": password,
    }


def trusting(secured: SecuredListeners) -> dict[str, str]:
    return {"CATDOG_TLS_CA_FILE": str(secured.certificates.authority)}


def catdog_stream(
    settings: Mapping[str, str], address: str, *arguments: str
) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "catdog_stream", *arguments],
        env={
            **os.environ,
            "WEB_PORT": str(free_ports(1)[0]),
            **settings,
            "CATDOG_BROKER": f"kafka://{address}",
        },
        capture_output=True,
        text=True,
        timeout=SECONDS,
        check=False,
    )


def refusal(settings: Mapping[str, str], address: str) -> str:
    cluster = Settings.from_environment({**settings, "CATDOG_BROKER": address}).cluster
    with pytest.raises(BrokerError) as caught:
        asyncio.run(create_topics(cluster))
    return str(caught.value)


@pytest.mark.parametrize(
    ("listener", "kind"),
    [
        ("SSL", {"CATDOG_SECURITY": "SSL"}),
        ("MUTUAL", {"CATDOG_SECURITY": "ssl"}),
        ("SASL_SSL", sasl("sasl_ssl", "SCRAM-SHA-512")),
        ("SASL_PLAINTEXT", sasl("SASL_PLAINTEXT", "PLAIN")),
        ("SASL_PLAINTEXT", sasl("sasl_plaintext", "SCRAM-SHA-256")),
    ],
)
def test_a_worker_labels_what_is_sent(
    secured: SecuredListeners, tmp_path: Path, listener: str, kind: dict[str, str]
) -> None:
    address = f"{HOST}:{secured.port(listener)}"
    settings = {**kind, **(trusting(secured) if listener != "SASL_PLAINTEXT" else {})}
    if listener == "MUTUAL":
        settings["CATDOG_TLS_CERT_FILE"] = str(secured.certificates.client)
    # More replicas than brokers: no topic is created, so the setting causes no error.
    settings["CATDOG_REPLICAS"] = "3"
    with Worker(address, tmp_path, settings=settings) as worker:
        worker.wait_ready()
        answer = catdog_stream(settings, address, "send", str(SAMPLE), "--wait")
        assert answer.returncode == 0, answer.stderr
        assert "Probabilities: cat 9" in answer.stdout
        assert worker.terminate() == 0
        assert "Traceback" not in worker.log.read_text()
        assert PASSWORD not in worker.log.read_text() + answer.stdout + answer.stderr


def test_replay_gets_in_too(secured: SecuredListeners) -> None:
    settings = {**sasl("sasl_ssl", "SCRAM-SHA-512"), **trusting(secured)}
    answer = catdog_stream(settings, f"{HOST}:{secured.port('SASL_SSL')}", "replay")
    assert answer.returncode == 0, answer.stderr
    assert answer.stdout == "Replayed 0 requests.\n"


def test_recount_gets_in_too(secured: SecuredListeners) -> None:
    settings = sasl("sasl_plaintext", "PLAIN")
    address = f"{HOST}:{secured.port('SASL_PLAINTEXT')}"
    answer = catdog_stream(settings, address, "recount", "--dry-run")
    assert answer.returncode == 0, answer.stderr
    assert answer.stdout.endswith("nothing differs.\n")


def test_a_check_with_the_least_rights_finds_nothing_wrong(secured: SecuredListeners) -> None:
    address = f"{HOST}:{secured.port('SASL_PLAINTEXT')}"
    answer = catdog_stream(sasl("sasl_plaintext", "PLAIN"), address, "worker", "--check")
    assert answer.returncode == 0, answer.stdout + answer.stderr
    assert answer.stderr == ""
    lines = answer.stdout.splitlines()
    assert {line.split()[0] for line in lines} == {"ok"}
    assert f"ok       rights    the user {USER} has the rights that this worker needs." in lines
    # A missing right for the check itself is no error.
    assert sum("the right DescribeConfigs is missing" in line for line in lines) == 6


def test_a_check_by_whoever_may_look_has_the_limits_of_each_topic(
    secured: SecuredListeners,
) -> None:
    address = f"{HOST}:{secured.plain_port}"
    answer = catdog_stream({}, address, "worker", "--check")
    assert answer.returncode == 0, answer.stdout + answer.stderr
    assert (
        "ok       topic     catdoglabel: 8 partitions, 1 copy, records up to 5,674,328 bytes, "
        "kept for 7 days, 1,073,741,824 bytes of a partition.\n" in answer.stdout
    )
    tiny = ConfigResource(ConfigResource.Type.TOPIC, "catdoglabel")
    for operation, code in ((AlterConfigOpType.SET, 1), (AlterConfigOpType.DELETE, 0)):
        entry = ConfigEntry("max.message.bytes", "2000", incremental_operation=operation)
        tiny.incremental_configs = [entry]
        admin = AdminClient({"bootstrap.servers": address})
        for done in admin.incremental_alter_configs([tiny]).values():
            done.result(SECONDS)
        answer = catdog_stream({"CATDOG_MAX_IMAGE_BYTES": "100000"}, address, "worker", "--check")
        assert answer.returncode == code, answer.stdout
        assert ("every good picture would be rejected" in answer.stdout) == bool(code)


def test_a_check_as_a_user_without_rights_names_each(secured: SecuredListeners) -> None:
    address = f"{HOST}:{secured.port('SASL_PLAINTEXT')}"
    settings = sasl("sasl_plaintext", "PLAIN") | {"CATDOG_SASL_USERNAME": NOBODY}
    answer = catdog_stream(settings, address, "worker", "--check")
    assert answer.returncode == 1
    assert answer.stderr == ""
    needed = {
        (kind, name, right)
        for kind, name, right in documented("worker")
        if name != "catdogstack"  # without CATDOG_STACKS
    }
    for kind, name, right in needed:
        assert f": grant {right} on the {kind} {name}." in answer.stdout
    problems = [line for line in answer.stdout.splitlines() if not line.startswith("ok")]
    assert len(problems) == len(needed)


def test_a_worker_as_a_user_without_rights_waits_and_says_which(
    secured: SecuredListeners, tmp_path: Path
) -> None:
    address = f"{HOST}:{secured.port('SASL_PLAINTEXT')}"
    settings = sasl("sasl_plaintext", "PLAIN") | {"CATDOG_SASL_USERNAME": NOBODY}
    with Worker(address, tmp_path, settings=settings, module=LOOKING) as worker:

        def refused() -> bool:
            if worker.status("/readyz") != 503:
                return False
            problems = worker.get("/readyz")["problems"]
            return any(
                f"does not let the user {NOBODY} describe the topics" in problem
                for problem in problems
            )

        wait_until(refused, "the worker to say which right is missing", SECONDS)
        assert worker.terminate() == 0
        assert "Traceback" not in worker.log.read_text()


@pytest.mark.parametrize("mechanism", ["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"])
def test_a_wrong_password(secured: SecuredListeners, mechanism: str) -> None:
    address = f"{HOST}:{secured.port('SASL_PLAINTEXT')}"
    assert refusal(sasl("sasl_plaintext", mechanism, "guessed"), address) == (
        f"Kafka at {address} refuses the user name or the password: "
        "check CATDOG_SASL_USERNAME and CATDOG_SASL_PASSWORD."
    )


@pytest.mark.parametrize("command", [("send", str(SAMPLE)), ("watch",), ("up",)])
def test_a_command_says_that_sentence_and_nothing_else(
    secured: SecuredListeners, command: tuple[str, ...]
) -> None:
    address = f"{HOST}:{secured.port('SASL_PLAINTEXT')}"
    answer = catdog_stream(sasl("sasl_plaintext", "PLAIN", "guessed"), address, *command)
    assert answer.returncode == 1
    assert answer.stderr.count("\n") == 1
    assert "refuses the user name or the password" in answer.stderr
    assert "guessed" not in answer.stdout + answer.stderr


def test_a_mechanism_that_is_not_offered(secured: SecuredListeners) -> None:
    address = f"{HOST}:{secured.port('SASL_SSL')}"
    assert refusal({**sasl("sasl_ssl", "PLAIN"), **trusting(secured)}, address) == (
        f"Kafka at {address} does not offer the mechanism in CATDOG_SASL_MECHANISM."
    )


def test_a_certificate_of_an_unknown_authority(secured: SecuredListeners) -> None:
    address = f"{HOST}:{secured.port('SSL')}"
    sentence = refusal({"CATDOG_SECURITY": "ssl"}, address)
    assert sentence.startswith(f"The certificate of Kafka at {address} is not trusted (")
    assert sentence.endswith("): check CATDOG_TLS_CA_FILE and the host in CATDOG_BROKER.")


def test_a_certificate_of_another_host(secured: SecuredListeners) -> None:
    address = f"localhost:{secured.port('SSL')}"
    sentence = refusal({"CATDOG_SECURITY": "ssl", **trusting(secured)}, address)
    assert (
        "is not trusted (Hostname mismatch, certificate is not valid for 'localhost')" in sentence
    )


@pytest.mark.parametrize(
    ("listener", "security"),
    [
        ("SSL", "plaintext"),
        ("SASL_PLAINTEXT", "plaintext"),
        ("SASL_PLAINTEXT", "ssl"),
        ("SSL", "sasl_ssl"),
        ("SASL_SSL", "sasl_plaintext"),
        ("SASL_SSL", "ssl"),
        ("MUTUAL", "ssl"),
    ],
)
def test_a_port_that_expects_something_else(
    secured: SecuredListeners, listener: str, security: str
) -> None:
    address = f"{HOST}:{secured.port(listener)}"
    settings = sasl(security, "PLAIN") if "sasl" in security else {"CATDOG_SECURITY": security}
    if security.endswith("ssl"):
        settings.update(trusting(secured))
    assert refusal(settings, address) == (
        f"Kafka at {address} closes the connection: check that CATDOG_SECURITY is what this port "
        "expects, and CATDOG_TLS_CERT_FILE if it asks for a certificate."
    )


def test_a_broker_that_is_advertised_under_a_name_without_an_address(
    secured: SecuredListeners,
) -> None:
    address = f"{HOST}:{secured.port('ELSEWHERE')}"
    assert refusal({}, address) == (
        f"Kafka at {address} advertises its broker as {NOWHERE}, and this host name has no address "
        "here: set advertised.listeners of the broker to an address that its clients reach, or "
        "make the name known here."
    )


@pytest.mark.parametrize("name", ["kafka.invalid", "a..b", "x" * 70])
def test_a_host_name_without_an_address(name: str) -> None:
    assert refusal({}, f"{name}:9092") == (
        f"The host name {name} in CATDOG_BROKER has no address here: check how it is written, "
        "and the name service of this machine."
    )


def test_a_rotated_password_is_checked_and_read_again_without_a_restart(
    secured: SecuredListeners, tmp_path: Path
) -> None:
    user, file, anybody = "carol", tmp_path / "password", f"{HOST}:{secured.plain_port}"
    set_password(anybody, user, "first-password")
    grant(anybody, user, documented("worker"))
    file.write_text("first-password\n")
    settings = {
        **sasl("sasl_ssl", "SCRAM-SHA-512", ""),
        **trusting(secured),
        "CATDOG_SASL_USERNAME": user,
        "CATDOG_SASL_PASSWORD_FILE": str(file),
    }
    address = f"{HOST}:{secured.port('SASL_SSL')}"
    with Worker(address, tmp_path, settings=settings, module=LOOKING) as worker:
        worker.wait_ready()
        set_password(anybody, user, "second-password")
        sentence = without_addresses(  # the page does not show the brokers' addresses
            f"Kafka at {address} refuses the user name or the password: check "
            "CATDOG_SASL_USERNAME and CATDOG_SASL_PASSWORD_FILE."
        )
        wait_until(
            lambda: sentence in worker.get("/readyz").get("problems", ()),
            "the worker to say that its password is refused",
            SECONDS,
        )
        file.write_text("second-password\n")
        worker.wait_ready()
        assert worker.terminate() == 0
        log = worker.log.read_text()
        assert "Traceback" not in log
        assert "first-password" not in log
        assert "second-password" not in log


def test_a_worker_with_a_wrong_password_waits_and_says_why(
    secured: SecuredListeners, tmp_path: Path
) -> None:
    address = f"{HOST}:{secured.port('SASL_PLAINTEXT')}"
    with Worker(address, tmp_path, settings=sasl("sasl_plaintext", "PLAIN", "guessed")) as worker:

        def refused() -> bool:
            if worker.status("/readyz") != 503:
                return False
            problems = worker.get("/readyz")["problems"]
            return any("refuses the user name or the password" in problem for problem in problems)

        wait_until(refused, "the worker to say why it is not ready", SECONDS)
        assert worker.status("/healthz") == 200
        assert worker.terminate() == 0
        assert "guessed" not in worker.log.read_text()
