"""Tests of a worker's name, topics and counts, by its role."""

import hashlib
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from catdog_stream.errors import SettingError
from catdog_stream.settings import Settings
from catdog_stream.worker.roles import role_of


def test_a_worker_does_everything_unless_it_is_told_otherwise() -> None:
    role = role_of(Settings())
    assert (role.group, role.reads, role.votes) == ("catdog_stream", "catdogimage", False)


def test_a_voter_has_a_group_of_its_own_and_is_called_as_its_stack_is() -> None:
    assert role_of(Settings(role="voter", voter="lite")).group == "catdog_stream-voter-lite"
    role = role_of(Settings(role="voter"))
    assert (role.voter, role.group) == ("inception_v3", "catdog_stream-voter-inception_v3")


@pytest.mark.parametrize("name", [None, "Fancy Stack"])
def test_a_voter_whose_stack_gives_it_no_name_says_so(tmp_path: Path, name: str | None) -> None:
    if name is not None:
        part = {"file": "x", "sha256": hashlib.sha256(b"").hexdigest()}
        (tmp_path / "x").touch()
        manifest = {
            "name": name,
            "version": "1",
            "classes": ["cat", "dog"],
            "input": {"size": 8, "channels": "RGB", "resize": "bilinear", "range": [-1, 1]},
            "features": 1,
            "parts": {"litert": part, "head": part},
        }
        (tmp_path / "manifest.json").write_text(json.dumps(manifest))
    with pytest.raises(SettingError, match="CATDOG_VOTER is not set"):
        role_of(Settings(role="voter", stack=tmp_path))


def test_a_voter_with_a_python_classifier_needs_a_name() -> None:
    with pytest.raises(SettingError, match="a voter with CATDOG_CLASSIFIER needs a name"):
        role_of(Settings(role="voter", classifier="mine:Mine"))


def test_the_jury_reads_votes_and_needs_no_model() -> None:
    role = role_of(Settings(role="jury", voters=("a",)))
    assert (role.group, role.reads) == ("catdog_stream-jury", "catdogvote")


#: Prints the name, the agents, and the tables with the topics that they follow.
TELL = """
from catdog_stream.app import app
print(app.conf.id, *sorted(app.agents), *(f"{t.name}:{t.follows}" for t in app.tables.values()))
"""


@pytest.mark.parametrize(
    ("settings", "told"),
    [
        (
            {"CATDOG_ROLE": "voter", "CATDOG_VOTER": "lite"},
            "catdog_stream-voter-lite classify label_counts:catdogimage",
        ),
        (
            {"CATDOG_ROLE": "jury", "CATDOG_VOTERS": "a,b"},
            "catdog_stream-jury count_labels decide "
            "label_counts:catdogvote foreign_counts:catdoglabel",
        ),
    ],
)
def test_each_role_has_its_agents_and_counts(settings: dict[str, str], told: str) -> None:
    found = subprocess.run(
        [sys.executable, "-c", TELL],
        env={**os.environ, **settings},
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    assert found.stdout.strip() == told
