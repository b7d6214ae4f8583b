"""Tests of apps for further agents: mistakes in their settings, and answers that come again."""

import pytest

from catdog_stream.errors import SettingError
from catdog_stream.messages.wire import Source
from catdog_stream.pipelines import PipelineApp, Recent


def test_what_comes_again_in_time_is_not_new_and_later_it_is() -> None:
    now = 0.0
    recent = Recent(10.0, lambda: now)
    first, second = (Source("catdogimage", 0, offset) for offset in (1, 2))
    assert recent.is_new(first)
    now = 6.0
    assert not recent.is_new(first)
    assert recent.is_new(second)
    now = 11.0
    assert recent.is_new(first)
    assert not recent.is_new(second)


def test_nothing_is_kept_beyond_its_time() -> None:
    now = 0.0
    recent = Recent(10.0, lambda: now)
    for number in range(1000):
        now = number / 10
        assert recent.is_new(Source("catdogimage", 0, number))
    assert len(recent._seen) <= 100


def test_nothing_is_kept_beyond_its_number() -> None:
    recent = Recent(10.0, lambda: 0.0, most=100)
    sources = [Source("catdogimage", 0, number) for number in range(1000)]
    assert all(recent.is_new(source) for source in sources)
    assert len(recent._seen) <= 101
    assert not any(recent.is_new(source) for source in sources[-100:])


def test_a_setting_that_cannot_be_used_ends_the_app_with_a_sentence(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("CATDOG_BROKER", "http://here")
    with pytest.raises(SystemExit) as end:
        PipelineApp("audit")
    assert end.value.code == SettingError.exit_code
    assert "CATDOG_BROKER" in capsys.readouterr().err
