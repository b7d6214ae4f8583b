"""``report.html``: the training and the quality of a stack, on one self-contained page.

The names of files are untrusted: every text is escaped, and the page loads nothing.
"""

import base64
import io
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from html import escape
from pathlib import Path

import numpy as np
from msgspec import to_builtins
from PIL import Image

from catdog_stream.errors import InputError
from catdog_stream.models.preprocessing import Preprocessing
from catdog_stream.models.stacks.manifest import Manifest
from catdog_stream.models.training.data.checking import Checked, Example
from catdog_stream.models.training.data.splitting import Split
from catdog_stream.models.training.evaluation import (
    MOST_IN_TABLE,
    Answers,
    Evaluation,
    calibration_error,
    most_confused,
)
from catdog_stream.models.training.intervals import as_text, share_interval
from catdog_stream.models.training.label_errors import LabelError
from catdog_stream.models.training.labelled import LabelledFile, Unreadable, read_picture
from catdog_stream.models.training.parity import Parity
from catdog_stream.models.training.report import charts, figures
from catdog_stream.models.training.report.style import STYLE
from catdog_stream.models.training.robustness import HEADS, Robustness
from catdog_stream.terminal import shown

__all__ = ["REPORT_FILE", "Report", "write_report"]

REPORT_FILE = "report.html"

_MOST_MISTAKES, _MOST_ERRORS, _MOST_NAMES = 24, 20, 200
_THUMBNAIL = 160


@dataclass(frozen=True, slots=True)
class Report:
    """The content of the report on a trained stack."""

    manifest: Manifest
    checked: Checked
    parts: Split
    answers: Answers
    """Verdicts on the held-out pictures."""
    evaluation: Evaluation
    robustness: Robustness
    """Results on some of the held-out pictures, turned and corrupted."""
    parity: Parity | None
    label_errors: Sequence[LabelError]
    """Pictures of the head and of the evaluation that are likely in the wrong folder."""
    losses: Sequence[float]
    unfamiliar: str | None
    """Reason why the stack has no OOD score; ``None`` if it has one."""


def write_report(file: Path, report: Report) -> None:
    """Write the page to ``file``. Raises ``InputError``."""
    title = f"{report.manifest.name} {report.manifest.version}"
    page = (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        '<meta http-equiv="Content-Security-Policy" content="default-src \'none\'; '
        "img-src data:; style-src 'unsafe-inline'\">"
        f"<title>{_text(title)}</title><style>{STYLE}</style></head><body><main>"
        f"<h1>{_text(title)}</h1>{''.join(_sections(report))}</main></body></html>\n"
    )
    try:
        file.write_text(page, encoding="utf-8")
    except OSError as error:
        raise InputError(f"{file} cannot be written: {error.strerror}.") from error


def _sections(report: Report) -> Iterator[str]:
    yield _quality(report)
    yield _section("Who is taken for whom", _confusion(report))
    yield _section("Each class against the others", _roc(report))
    yield _section("Do the probabilities match the accuracy?", _calibration(report))
    yield _section("Turned and corrupted pictures", _robustness(report))
    yield _section("The most confident mistakes", _mistakes(report))
    if report.label_errors:
        yield _section("Pictures that are likely in the wrong folder", _label_errors(report))
    if report.losses:
        yield _section("How the backbone learned", _learning(report))
    yield _section("Pictures", _pictures(report))
    yield _section("How it was made", _parameters(report))


def _quality(report: Report) -> str:
    found = report.evaluation
    tiles = [
        (f"{found.accuracy:.2%}", f"right{found.between('accuracy')}"),
        (f"{found.pictures}", "pictures that nothing was learned from"),
        (f"{found.calibration_error:.4f}", "expected calibration error"),
        (f"{found.log_loss:.4f}", f"log loss{found.between('log_loss')}"),
    ]
    if (parity := report.parity) is not None:
        agreement = _between(round(parity.agreement * parity.pictures), parity.pictures)
        same = f"same verdict in eight bits as in floats ({agreement})"
        tiles.append((f"{parity.agreement:.1%}", same))
    return (
        '<div class="tiles">'
        + "".join(f"<div><b>{value}</b><span>{what}</span></div>" for value, what in tiles)
        + "</div>"
    )


def _between(count: int, total: int) -> str:
    return as_text(share_interval(count, total))


def _confusion(report: Report) -> str:
    found = report.evaluation.confusion
    if len(found) > MOST_IN_TABLE:
        rows = "".join(
            f"<tr><th>{_text(label)}</th><td>{count} of {sum(found[label].values())}</td>"
            f"<td>verdict {_text(verdict)}</td>"
            f"<td>{_between(count, sum(found[label].values()))}</td></tr>"
            for count, label, verdict in most_confused(found)
        )
        heads = "<th></th><th>pictures</th><th>most frequent first</th><th>95 % interval</th>"
        return f'<div class="wide"><table><tr>{heads}</tr>{rows}</table></div>'
    body = []
    for name, verdicts in found.items():
        total = max(1, sum(verdicts.values()))
        cells = "".join(
            f'<td class="{"right" if predicted == name else "wrong"}" '
            f'style="--share:{count / total:.3f}">{count}</td>'
            for predicted, count in verdicts.items()
        )
        right = f"<td>{verdicts[name] / total:.1%}</td><td>{_between(verdicts[name], total)}</td>"
        body.append(f"<tr><th>{_text(name)}</th>{cells}{right}</tr>")
    heads = "".join(f"<th>verdict {_text(name)}</th>" for name in found)
    heads += "<th>right</th><th>95 % interval</th>"
    table = f"<tr><th></th>{heads}</tr>{''.join(body)}"
    return f'<div class="wide"><table class="confusion">{table}</table></div>'


def _roc(report: Report) -> str:
    answers, classes = report.answers, report.manifest.classes
    found = {
        name: figures.roc(answers.labels == number, answers.probabilities[:, number])
        for number, name in enumerate(classes)
    }
    areas = {name: figures.area_under(points) for name, points in found.items()}
    note = ""
    if len(classes) > MOST_IN_TABLE:
        areas = dict(sorted(areas.items(), key=lambda each: each[1])[: charts.COLOURS])
        note = f"<p>The {len(areas)} of {len(classes)} classes with the smallest area.</p>"
    lines = {name: found[name] for name in areas}
    chart = charts.square(lines, "share of the others taken for it", "share found", diagonal=True)
    return note + chart + _legend(f"{name}, area {area:.4f}" for name, area in areas.items())


def _calibration(report: Report) -> str:
    answers, calibration = report.answers, report.manifest.calibration
    after = answers.probabilities
    drawn = {"as it answers": figures.bins(answers.labels, after)}
    names = [f"as it answers, error {calibration_error(answers.labels, after):.4f}"]
    note = "The head's probabilities are as good without calibration."
    if calibration is not None:
        before = figures.uncalibrated(after, calibration)
        drawn["before calibration"] = figures.bins(answers.labels, before)
        names.append(f"before calibration, error {calibration_error(answers.labels, before):.4f}")
        low, high = min(calibration.intercept), max(calibration.intercept)
        note = f"Slope {calibration.slope:.3f}, intercepts {low:.3f} to {high:.3f}."
    return charts.reliability(drawn) + _legend(names) + f"<p>{note}</p>"


def _robustness(report: Report) -> str:
    found = report.robustness
    heads = "".join(f"<th>{head}</th>" for head in HEADS)
    rows = "".join(
        f"<tr><th>{_text(view)}</th>{''.join(f'<td>{value}</td>' for value in values)}</tr>"
        for view, *values in (result.as_row() for result in found.results)
    )
    note = f"<p>{found.results[0].pictures} of the pictures, at even distances.</p>"
    return f'{note}<div class="wide"><table><tr>{heads}</tr>{rows}</table></div>'


def _mistakes(report: Report) -> str:
    answers, classes = report.answers, report.manifest.classes
    wrong = figures.mistakes(answers.labels, answers.probabilities)
    if not wrong:
        return "<p>There is none.</p>"
    pictures = ""
    for number in wrong[:_MOST_MISTAKES]:
        file, probabilities = answers.files[number], answers.probabilities[number]
        predicted = int(probabilities.argmax())
        text = f"{classes[predicted]} {probabilities[predicted]:.1%}, is {classes[file.label]}"
        pictures += _figure(file, text)
    share = _between(len(wrong), len(answers.files))
    count = f"<p>{len(wrong)} of {len(answers.files)} ({share}).</p>"
    return f'{count}<div class="pictures">{pictures}</div>'


def _label_errors(report: Report) -> str:
    errors, classes = report.label_errors, report.manifest.classes
    texts = [
        f"{classes[each.likeliest]} {each.probability:.1%}, "
        f"in the folder {classes[each.file.label]} {each.of_label:.1%}"
        for each in errors
    ]
    pictures = "".join(map(_figure, (each.file for each in errors[:_MOST_ERRORS]), texts))
    lines = [f"{each.file.path}: {text}" for each, text in zip(errors, texts, strict=True)]
    return (
        "<p>Heads that were not trained on these pictures see another class in them, with at least "
        "its usual probability. Inspect the pictures, and move those that are in the wrong folder."
        f'</p><div class="pictures">{pictures}</div>{_names("All of them", lines)}'
    )


def _figure(file: LabelledFile, text: str) -> str:
    """Return a picture with a text and the name of its file."""
    return (
        f"<figure>{_thumbnail(file.path)}<figcaption>{_text(text)}<br>"
        f"<small>{_text(file.path.name)}</small></figcaption></figure>"
    )


def _thumbnail(path: Path) -> str:
    picture = read_picture(path, Preprocessing(_THUMBNAIL))
    if isinstance(picture, Unreadable):
        return ""
    out = io.BytesIO()
    Image.fromarray(picture).save(out, "JPEG", quality=80)
    source = f"data:image/jpeg;base64,{base64.b64encode(out.getvalue()).decode()}"
    return f'<img alt="" width="{_THUMBNAIL}" height="{_THUMBNAIL}" src="{source}">'


def _learning(report: Report) -> str:
    lines = {"loss": figures.smooth(np.asarray(report.losses, np.float64).tolist())}
    return charts.curves(lines, "steps", "loss") + _legend(["loss of a batch, smoothed"])


def _pictures(report: Report) -> str:
    classes, parts = report.manifest.classes, report.parts
    rows = "".join(
        f"<tr><th>{_text(name)}</th>"
        + "".join(
            f"<td>{_count(part, number)}</td>"
            for part in (parts.backbone, parts.head, parts.evaluation)
        )
        + "</tr>"
        for number, name in enumerate(classes)
    )
    heads = "".join(f"<th>{head}</th>" for head in ("", "backbone", "head", "evaluation"))
    unreadable = [f"{each.path}: {each.detail}" for each in report.checked.unreadable]
    copies = [
        f"{each.path} {'is' if each.identical else 'looks like'} {each.first}"
        for each in report.checked.duplicates
    ]
    unfamiliar = ""
    if report.unfamiliar is not None:
        unfamiliar = f"<p>The stack calls nothing unknown: {_text(report.unfamiliar)}</p>"
    return (
        f'<div class="wide"><table><tr>{heads}</tr>{rows}</table></div>'
        + unfamiliar
        + _names("Files that cannot be read, left out", unreadable)
        + _names("Copies of other files, left out", copies)
    )


def _count(part: Sequence[Example], label: int) -> int:
    return sum(each.file.label == label for each in part)


def _parameters(report: Report) -> str:
    manifest = report.manifest
    training = dict(manifest.training or {})
    training.pop("counts", None)
    rows = {**to_builtins(manifest.preprocessing), **_flat(training)}
    if "tensorflow" in manifest.parts:  # a network of this package
        rows = {"network": manifest.network, **rows}
    if report.parity is not None:
        rows |= {f"parity {key}": value for key, value in report.parity.as_json().items()}
    cells = "".join(
        f"<tr><th>{_text(key)}</th><td>{_text(_value(value))}</td></tr>"
        for key, value in rows.items()
    )
    return f'<div class="wide"><table class="plain">{cells}</table></div>'


def _flat(document: dict[str, object], before: str = "") -> dict[str, object]:
    found: dict[str, object] = {}
    for key, value in document.items():
        if value is None:
            continue
        if isinstance(value, dict):
            found |= _flat(value, f"{before}{key} ")
        elif key == "phases" and isinstance(value, list | tuple):
            found |= {f"{before}phase {n}": phase for n, phase in enumerate(value, 1)}
        else:
            found[f"{before}{key}"] = value
    return found


def _value(value: object) -> str:
    """Return a value as text for people."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, dict):
        return ", ".join(f"{key} {_value(each)}" for key, each in value.items())
    if isinstance(value, list | tuple):
        return ", ".join(map(_value, value))
    return str(value)


def _names(what: str, lines: Sequence[str]) -> str:
    if not lines:
        return ""
    items = "".join(f"<li>{_text(line)}</li>" for line in lines[:_MOST_NAMES])
    more = f"<li>and {len(lines) - _MOST_NAMES} more</li>" if len(lines) > _MOST_NAMES else ""
    return f"<details><summary>{what}: {len(lines)}</summary><ul>{items}{more}</ul></details>"


def _section(title: str, body: str) -> str:
    return f"<section><h2>{title}</h2>{body}</section>"


def _legend(names: Iterable[str]) -> str:
    items = "".join(
        f'<li class="c{number % charts.COLOURS}">{_text(name)}</li>'
        for number, name in enumerate(names)
    )
    return f'<ul class="legend">{items}</ul>'


def _text(text: str) -> str:
    """Return untrusted text on one line, escaped for HTML."""
    return escape(shown(text))
