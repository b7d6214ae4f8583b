"""Tests of the message about a silent Kafka: it is logged once, and so is its end."""

import asyncio

import pytest

from catdog_stream.commands import silence
from catdog_stream.commands.silence import saying_silence
from catdog_stream.settings import Settings

CLUSTER = Settings().cluster


@pytest.fixture
def answers(monkeypatch: pytest.MonkeyPatch) -> list[str | None]:
    """Return a list for the results of the probes, in order; the last result repeats."""
    found: list[str | None] = []

    async def look(_cluster: object) -> str | None:
        return found.pop(0) if len(found) > 1 else found[0]

    monkeypatch.setattr(silence, "silence", look)
    monkeypatch.setattr(silence, "POLL_SECONDS", 0.001)
    return found


def test_a_silence_and_its_end_are_said_once_each(
    answers: list[str | None], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(silence, "last_answer", lambda: 60.0)
    answers += [None, "Kafka at x does not answer.", "Kafka at x does not answer.", None]

    async def work() -> str:
        while len(answers) > 1:
            await asyncio.sleep(0.001)
        await asyncio.sleep(0.01)
        return "done"

    assert asyncio.run(saying_silence(CLUSTER, work())) == "done"
    assert capsys.readouterr().err == (
        "Kafka at x does not answer. Trying on: Ctrl-C stops.\nKafka answers again.\n"
    )


def test_no_look_is_taken_while_answers_come(
    answers: list[str | None], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(silence, "last_answer", lambda: 0.0)
    answers += ["never asked", "never asked either"]
    asyncio.run(saying_silence(CLUSTER, asyncio.sleep(0.05)))
    assert len(answers) == 2
