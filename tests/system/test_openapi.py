"""Tests that the API conforms to its description for any request."""

from collections import defaultdict
from contextlib import suppress
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from hypothesis.errors import Unsatisfiable
from schemathesis import GenerationMode
from schemathesis.specs.openapi.checks import negative_data_rejection, positive_data_acceptance

from catdog_stream.testing import Worker

pytestmark = pytest.mark.integration

#: Number of requests to each operation, of each kind.
EXAMPLES = 12
OPERATIONS = 16


@pytest.fixture(scope="module")
def worker(looking: Worker) -> Worker:
    """Return a worker without a rate limit."""
    return looking


#: Names of existing resources; any other name may be requested, too.
KNOWN = {"name": "catdog", "version": "1", "label": "cat"}


def statuses(worker: Worker, mode: GenerationMode, *, known: bool) -> dict[str, set[int]]:
    """Send valid or invalid requests to every operation, and return the statuses of each."""
    described = schemathesis.openapi.from_url(f"http://127.0.0.1:{worker.port}/openapi.json")
    found: dict[str, set[int]] = defaultdict(set)
    operations: Any = described.get_all_operations()
    for operation in (result.ok() for result in operations):

        @settings(
            max_examples=EXAMPLES,
            deadline=None,
            derandomize=True,
            database=None,
            suppress_health_check=list(HealthCheck),
        )
        @given(operation.as_strategy(generation_mode=mode))
        def keeps_its_description(case: Any) -> None:
            if known:
                for name in case.path_parameters.keys() & KNOWN.keys():
                    case.path_parameters[name] = KNOWN[name]
            excused = []
            if "/infer" in case.path:  # no schema can require that shape and data match
                excused.append(positive_data_acceptance)
            if case.media_type == "multipart/form-data":  # any field's value is a text there
                excused.append(negative_data_rejection)
            told = case.call_and_validate(excluded_checks=excused)
            found[case.operation.label].add(told.status_code)

        with suppress(Unsatisfiable):  # without parameters none can be wrong
            keeps_its_description()
    return found


@pytest.mark.parametrize("known", [True, False])
def test_what_is_allowed_is_answered_as_described(worker: Worker, *, known: bool) -> None:
    found = statuses(worker, GenerationMode.POSITIVE, known=known)
    assert len(found) == OPERATIONS
    assert 202 in found["POST /images/"]
    assert all(not known or "/{name}" not in name or 404 not in found[name] for name in found)


@pytest.mark.parametrize("known", [True, False])
def test_what_is_not_allowed_is_refused_as_described(worker: Worker, *, known: bool) -> None:
    found = statuses(worker, GenerationMode.NEGATIVE, known=known)
    assert 400 in found["POST /images/"]
    assert found["GET /images/{id}"] == {400}
    assert found["POST /v2/models/{name}/infer"] == ({400} if known else {404})
