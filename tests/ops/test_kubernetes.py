"""Tests of the manifests: they are consistent with each other, and with a worker."""

import json
from typing import Any

import jsonschema
import pytest

from catdog_stream import deadlines
from catdog_stream.settings import Settings
from tests.ops.environment import refusals
from tests.ops.files import OPS, WORST_CASE, manifests
from tests.support.names import GROUP, REQUESTS

FILES = dict(manifests())
POD: dict[str, Any] = FILES["deployment"]["spec"]["template"]
WORKER: dict[str, Any] = POD["spec"]["containers"][0]
NAME = {"app.kubernetes.io/name": "catdog-stream"}
SCHEMA = OPS.parent / "tests" / "ops" / "scaledobject-keda-v1alpha1.json"


def test_a_kustomization_names_all_of_them() -> None:
    resources = FILES["kustomization"]["resources"]
    assert {f"{stem}.yaml" for stem in FILES} - {"kustomization.yaml"} == set(resources)


@pytest.mark.parametrize("stem", ["deployment", "service", "poddisruptionbudget"])
def test_a_manifest_fits_the_schema_of_kubernetes(stem: str) -> None:
    validating = pytest.importorskip("kubernetes_validate")
    validating.validate(FILES[stem], "1.34", strict=True)


def test_the_scaled_object_fits_the_schema_of_keda() -> None:
    jsonschema.validate(FILES["scaledobject"], json.loads(SCHEMA.read_text()))


def test_all_are_about_the_same_pods() -> None:
    assert POD["metadata"]["labels"] == NAME
    assert FILES["deployment"]["spec"]["selector"]["matchLabels"] == NAME
    assert FILES["service"]["spec"]["selector"] == NAME
    assert FILES["poddisruptionbudget"]["spec"]["selector"]["matchLabels"] == NAME
    target = FILES["scaledobject"]["spec"]["scaleTargetRef"]["name"]
    assert target == FILES["deployment"]["metadata"]["name"]


def test_every_setting_is_known_and_can_be_used() -> None:
    given = {each["name"]: each.get("value", "2") for each in WORKER["env"]}
    assert refusals(given) == []


def test_probes_ask_whether_a_worker_lives_and_whether_it_is_ready() -> None:
    (port,) = WORKER["ports"]
    probes = {
        kind: WORKER[f"{kind}Probe"]["httpGet"] for kind in ("startup", "liveness", "readiness")
    }
    assert probes["startup"]["path"] == probes["liveness"]["path"] == "/healthz"
    assert probes["readiness"]["path"] == "/readyz"
    assert {probe["port"] for probe in probes.values()} == {port["name"]}
    assert FILES["service"]["spec"]["ports"][0]["targetPort"] == port["name"]
    assert POD["metadata"]["annotations"]["prometheus.io/port"] == str(port["containerPort"])


def test_a_worker_has_the_time_that_it_takes_to_stop() -> None:
    assert POD["spec"]["terminationGracePeriodSeconds"] > deadlines.STOP


def test_lag_is_that_of_the_requests_and_there_are_no_more_workers_than_partitions() -> None:
    scaled = FILES["scaledobject"]["spec"]
    (trigger,) = scaled["triggers"]
    env = {each["name"]: each.get("value") for each in WORKER["env"]}
    assert trigger["metadata"]["topic"] == REQUESTS
    assert trigger["metadata"]["consumerGroup"] == GROUP
    settings = Settings.from_environment({"CATDOG_BROKER": env["CATDOG_BROKER"]})
    assert trigger["metadata"]["bootstrapServers"] == ",".join(settings.cluster.addresses)
    assert scaled["maxReplicaCount"] == int(env["CATDOG_PARTITIONS"])
    assert FILES["deployment"]["spec"]["strategy"]["rollingUpdate"]["maxSurge"] == 0


def test_nothing_runs_as_root_or_writes_where_it_should_not() -> None:
    assert POD["spec"]["securityContext"]["runAsNonRoot"]
    assert WORKER["securityContext"]["capabilities"] == {"drop": ["ALL"]}
    assert WORKER["securityContext"]["readOnlyRootFilesystem"]
    (mount,) = WORKER["volumeMounts"]
    env = {each["name"]: each.get("value") for each in WORKER["env"]}
    assert env["APP_DATADIR"].startswith(f"{mount['mountPath']}/")


def test_the_worst_case_fits() -> None:
    resources = WORKER["resources"]
    assert int(resources["limits"]["memory"].removesuffix("Mi")) << 20 > WORST_CASE
    assert int(resources["requests"]["memory"].removesuffix("Mi")) << 20 > 280_000_000
