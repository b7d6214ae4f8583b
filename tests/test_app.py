"""Tests of the parts of the application, and of the low cost of ``--help``."""

import asyncio
import subprocess
import sys
from typing import Any

import pytest
import uvloop
from faust.cli.base import cli

from catdog_stream.app import app, topics

OURS = {"broker", "convert", "evaluate", "import", "replay", "send", "train-head", "up"}
OURS |= {"fit-ood", "train", "watch"}


def test_every_agent_is_registered() -> None:
    # A module that is missing from the list would silently lose its agent.
    assert set(app.agents) == {"classify", "count_labels"}


def test_every_command_of_ours_is_registered() -> None:
    assert set(cli.commands) >= OURS


def test_a_command_still_works_under_its_old_name() -> None:
    old, new = cli.commands["familiarize"], cli.commands["fit-ood"]
    assert (old.callback, old.hidden, new.hidden) == (new.callback, True, False)
    assert cli.commands["import-original"].hidden


def test_every_command_has_a_help_text() -> None:
    for name in OURS:
        command = cli.commands[name]
        assert command.help
        for parameter in command.params:
            assert getattr(parameter, "help", "an argument"), f"{name} {parameter.name}"


def test_the_web_server_has_our_paths_and_no_other() -> None:
    web: Any = app.web
    paths = {route.resource.canonical for route in web.web_app.router.routes()}
    assert paths == {
        "/",
        "/labels/",
        "/labels/{label}/",
        "/shards/",
        "/events",
        "/history/",
        "/pictures/{id}",
        "/static/{version}/{name}",
        "/rejected/",
        "/openapi.json",
        "/images/",
        "/images/{id}",
        "/addresses/",
        "/v2",
        "/v2/",
        "/v2/health/live",
        "/v2/health/ready",
        *(
            f"/v2/models/{{name}}{version}{suffix}"
            for version in ("", "/versions/{version}")
            for suffix in ("", "/ready", "/infer")
        ),
        "/healthz",
        "/readyz",
        "/metrics",
    }


def test_the_web_server_is_for_this_machine_alone() -> None:
    assert app.conf.web_bind == "127.0.0.1"


def test_the_names_in_kafka_are_those_of_the_contract() -> None:
    assert topics.requests.topics == ("catdogimage",)
    assert topics.labels.topics == ("catdoglabel",)
    assert topics.rejected.topics == ("catdogimage-rejected",)
    assert list(app.tables) == ["label_counts", "foreign_counts"]


def test_counts_have_a_shard_for_each_partition() -> None:
    for table in app.tables.values():
        assert table.partitions == app.settings.partitions


def test_help_does_not_wait_for_what_only_the_model_needs() -> None:
    program = """
import runpy, sys
sys.argv[1:] = ["--help"]
try:
    runpy.run_module("catdog_stream", run_name="__main__")
except SystemExit as end:
    assert end.code in (0, None), end.code
loaded = {"ai_edge_litert", "keras", "matplotlib", "scipy", "tensorflow", "xgboost"}
assert not loaded & set(sys.modules), loaded & set(sys.modules)
"""
    answer = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, timeout=60, check=False
    )
    assert answer.returncode == 0, answer.stderr
    assert "Usage:" in answer.stdout


@pytest.mark.parametrize("chosen", [None, "aio"])
def test_a_worker_runs_on_uvloop_unless_it_is_told_otherwise(
    chosen: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    default = asyncio.get_event_loop_policy()
    monkeypatch.delitem(sys.modules, "mode.loop.uvloop", raising=False)  # its import sets it
    monkeypatch.delenv("FAUST_LOOP", raising=False)
    if chosen:
        monkeypatch.setenv("FAUST_LOOP", chosen)
    try:
        app.worker_init()
        loop = asyncio.new_event_loop()
        loop.close()
        assert isinstance(loop, uvloop.Loop) == (chosen is None)
    finally:
        asyncio.set_event_loop_policy(default)
