"""Tests of the formats of labels, which differ in the value and share the headers."""

import json
from pathlib import Path

import pytest

from catdog_stream.delivery.label_writer import LabelWriter
from catdog_stream.errors import SettingError
from catdog_stream.messages.answers import Label
from catdog_stream.messages.labels import (
    LABEL_FORMATS,
    CatDogLabels,
    CloudEventLabels,
    JsonLabels,
    LabelContent,
    LabelFormat,
    label_format_named,
    verdict_label,
)
from catdog_stream.messages.raw_json import RawObject
from catdog_stream.messages.wire import Answer, Headers, Incoming, Source
from catdog_stream.settings import Settings

SOURCE = Source("catdogimage", 3, 42)
TEXT = "Probabilities: cat 90.0% dog 10.0%"


def label(
    form: LabelFormat,
    headers: Headers = (),
    fields: RawObject | None = None,
    *,
    leaves_out_event: bool = False,
) -> Answer:
    return verdict_label(
        Incoming(SOURCE, b"key", b"", headers, 1_700_000_000_000),
        text=TEXT,
        url="a/b",
        verdict="cat",
        scores={"cat": 0.9, "dog": 0.1},
        stack="pets 2",
        familiarity=0.75,
        fields=fields,
        form=form,
        leaves_out_event=leaves_out_event,
    )


@pytest.mark.parametrize("name", LABEL_FORMATS)
def test_every_format_has_the_same_headers_and_the_same_readers(name: str) -> None:
    answer = label(label_format_named(name))
    standard = label(label_format_named("catdog"))
    assert answer.headers[: len(standard.headers)] == standard.headers
    read = Label.parse(answer.value, answer.headers)
    assert read is not None
    assert (read.verdict, read.text, read.url, read.stack) == ("cat", TEXT, "a/b", "pets 2")
    assert (read.scores, read.source) == ({"cat": 0.9, "dog": 0.1}, SOURCE)


def test_json_has_everything_in_its_value() -> None:
    answer = label(JsonLabels(lambda: 1_700_000_001.5), fields=RawObject.parse(b'{"camera": 7}'))
    assert json.loads(answer.value or b"") == {
        "label": TEXT,
        "url": "a/b",
        "data": None,
        "camera": 7,
        "verdict": "cat",
        "scores": {"cat": 0.9, "dog": 0.1},
        "stack": "pets 2",
        "source": "catdogimage/3/42",
        "ood_score": 0.75,
        "requested_at": 1_700_000_000_000,
        "answered_at": 1_700_000_001_500,
    }


def test_a_cloud_event_has_its_own_attributes_and_not_those_of_its_request() -> None:
    request = (("ce_specversion", b"1.0"), ("ce_id", b"7"), ("content-type", b"image/png"))
    answer = label(CloudEventLabels(), headers=(*request, ("trace", b"t")))
    headers = dict(answer.headers)
    assert len(headers) == len(answer.headers), "no name appears twice"
    assert headers["ce_id"] == b"catdogimage/3/42"
    assert headers["ce_type"] == b"catdog_stream.label"
    assert headers["content-type"] == b"application/json"
    assert (headers["ce_subject"], headers["trace"]) == (b"a/b", b"t")
    assert json.loads(answer.value or b"")["verdict"] == "cat"


def test_a_format_of_ones_own_has_the_same_headers_and_its_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "own_labels.py").write_text(
        "class Short:\n"
        "    def write(self, label):\n"
        "        return label.verdict.encode(), (('kind', b'short'),)\n"
        "def leave():\n"
        "    raise SystemExit(3)\n"
    )
    monkeypatch.chdir(tmp_path)
    answer = label(label_format_named("own_labels:Short"))
    headers = dict(answer.headers)
    assert (answer.value, headers["kind"], headers["verdict"]) == (b"cat", b"short", b"cat")
    for name, why in (
        ("own_labels:Long", "no attribute"),
        ("builtins:dict", "has no write"),
        ("own_labels:leave", "SystemExit: 3"),
    ):
        with pytest.raises(
            SettingError, match=f"The label format '{name}' cannot be used: .*{why}"
        ):
            label_format_named(name)


class OwnLabels:
    def write(self, label: LabelContent) -> tuple[bytes, Headers]:
        return label.verdict.encode(), ()


EVENT_HEADERS = (("ce_id", b"7"), ("Ce_Time", b"now"), ("content-type", b"image/png"), ("h", b"1"))


@pytest.mark.parametrize("request_format", ["cloudevents", "auto"])
@pytest.mark.parametrize("label_format", ["catdog", "json"])
def test_a_label_is_no_repetition_of_an_event(request_format: str, label_format: str) -> None:
    settings = Settings(request_format=request_format, label_format=label_format)
    writer = LabelWriter.of(settings)
    form = writer.form
    answer = label(form, EVENT_HEADERS, leaves_out_event=writer.leaves_out_event)
    assert answer.headers == label(form, (("h", b"1"),)).headers


@pytest.mark.parametrize(
    "settings",
    [Settings(), Settings(label_format="json"), Settings(request_format="raw")]
    + [
        Settings(request_format="auto", label_format=name)
        for name in ("cloudevents", f"{__name__}:OwnLabels")
    ],
)
def test_other_labels_have_all_headers_of_the_request(settings: Settings) -> None:
    leaves_out_event = LabelWriter.of(settings).leaves_out_event
    answer = label(CatDogLabels(), EVENT_HEADERS, leaves_out_event=leaves_out_event)
    assert answer.headers[:4] == EVENT_HEADERS
