"""Tests of the container file: it copies existing files, and starts a worker."""

import json
import re
import shlex

from tests.ops.environment import refusals
from tests.ops.files import OPS

LINES = re.sub(r"\\\n\s*", "", (OPS / "container" / "Containerfile").read_text()).splitlines()


def instructions(name: str) -> list[str]:
    """Return the arguments of the instructions of one kind."""
    return [line.removeprefix(f"{name} ") for line in LINES if line.startswith(f"{name} ")]


def test_what_is_copied_is_in_the_checkout() -> None:
    copied = [shlex.split(each)[:-1] for each in instructions("COPY") if "--from" not in each]
    assert [name for names in copied for name in names if not (OPS.parent / name).exists()] == []


def test_every_setting_is_known_and_can_be_used() -> None:
    (text,) = instructions("ENV")
    environment = dict(each.partition("=")[::2] for each in shlex.split(text))
    assert refusals(environment) == []


def test_it_starts_a_worker_as_nobody_in_particular() -> None:
    (program,), (arguments,) = instructions("ENTRYPOINT"), instructions("CMD")
    assert json.loads(program)[0].endswith("/catdog-stream")
    assert json.loads(arguments)[0] == "worker"
    (user,) = instructions("USER")
    assert user.partition(":")[0].isdecimal()
    assert user != "0:0"
