"""The API keeps what its description promises, whatever is sent to it."""

from collections.abc import Iterator
from typing import Any

import hypothesis
import pytest
import schemathesis

from catdog_stream.testing import Worker

pytestmark = pytest.mark.integration

SETTINGS = {"CATDOG_WEB_RATE": "0"}
#: Requests to each operation, about.
EXAMPLES = 12


@pytest.fixture(scope="module")
def worker(broker_address: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Worker]:
    """A worker that takes as many pictures as come."""
    folder = tmp_path_factory.mktemp("worker")
    module = "tests.support.looking_worker"
    with Worker(broker_address, folder, module=module, settings=SETTINGS) as started:
        yield started.wait_ready()
        assert "Traceback" not in started.log.read_text()


@pytest.fixture
def described(worker: Worker) -> Any:
    """The description that the worker gives."""
    return schemathesis.openapi.from_url(f"http://127.0.0.1:{worker.port}/openapi.json")


schema = schemathesis.pytest.from_fixture("described")


@schema.parametrize()
@hypothesis.settings(
    max_examples=EXAMPLES,
    deadline=None,
    derandomize=True,
    suppress_health_check=list(hypothesis.HealthCheck),
)
def test_every_operation_keeps_its_description(case: Any) -> None:
    case.call_and_validate()
