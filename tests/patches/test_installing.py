"""Tests of the moment of patching: the start of a process, not an import or a new app."""

import subprocess
import sys

SHOW = "print(AIOKafkaConnection.send.__module__)"
IMPORTS = (
    "from aiokafka.conn import AIOKafkaConnection; "
    "from catdog_stream.pipelines import PipelineApp; "
)


def shown(program: str) -> str:
    """Return the output of a new process."""
    answer = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    return answer.stdout.strip()


def test_to_import_and_to_make_an_app_changes_no_library() -> None:
    assert shown(IMPORTS + "PipelineApp('p'); " + SHOW) == "aiokafka.conn"


def test_a_command_begins_with_it() -> None:
    patch = "catdog_stream.patches.request_deadlines"
    assert shown(IMPORTS + "PipelineApp('p').worker_init(); " + SHOW) == patch
