"""Tests of ``recount`` where only the running workers know the counts."""

import pytest
from aiokafka import TopicPartition
from click.testing import CliRunner

from catdog_stream.commands.recount import recount
from catdog_stream.delivery.recount import Recount


@pytest.mark.parametrize(("workers", "code"), [(True, 1), (False, 0)])
def test_counts_whose_record_is_lost_are_corrected_only_without_workers(
    monkeypatch: pytest.MonkeyPatch, workers: bool, code: int
) -> None:
    async def look(run: Recount) -> None:
        run.lost = [TopicPartition("catdogimage", 3)]

    async def runs(_run: Recount) -> bool:
        return workers

    monkeypatch.setattr(Recount, "look", look)
    monkeypatch.setattr(Recount, "workers", runs)
    result = CliRunner().invoke(recount)
    assert result.exit_code == code
    assert ("catdogimage/3" in result.output) == workers
