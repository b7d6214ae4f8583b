"""Top of the page: the numbers above all sections, and the problems."""

from collections.abc import Mapping

from catdog_stream.web.cluster.view import ClusterView
from catdog_stream.web.health.facts import Severity
from catdog_stream.web.page.first_picture import first_picture
from catdog_stream.web.page.health import conditions, title_of
from catdog_stream.web.page.parts import When, bar, colors, top
from catdog_stream.web.page.sections.partitions import waiting
from catdog_stream.web.page.text import compact, count, host, plain, rate, seconds, share
from catdog_stream.web.recording.history import RECENT_SECONDS
from catdog_stream.web.recording.latency import percentile

__all__ = ["notices", "spoken", "summary", "title"]

#: Maximum number of labels in the summary, and characters of each.
MOST_SHARES, MOST_OF_A_NAME = 5, 24
#: Maximum characters of a command: longer than any path.
MOST_OF_A_COMMAND = 8192
#: Maximum number of silent workers named.
MOST_SILENT = 8
#: Maximum number of conditions that are spoken.
MOST_SPOKEN = 3


def title(view: ClusterView) -> str:
    """Return ``12 pictures classified`` after the worst problem; escaped for HTML."""
    return title_of(view) + _total(view)


def _total(view: ClusterView) -> str:
    return f"{count(view.statistics.total)} {_counted(view)}"


def _counted(view: ClusterView) -> str:
    pictures = "picture" if view.statistics.total == 1 else "pictures"
    voter = view.here.state.facts.get("voter")
    return f"{pictures} voted on by {plain(str(voter))}" if voter else f"{pictures} classified"


def summary(view: ClusterView, when: When) -> str:
    """Return the total, and the current state of the stream."""
    total, recent = view.statistics.total, view.recent
    noted = min((each.state.since for each in view.workers if each.state.since), default=0.0)
    tiles = (
        ("arriving/s", arriving(view)),
        ("answered/s", _answered(view)),
        ("typical", seconds(percentile(recent.bins, 0.5))),
        ("slowest 1 %", seconds(percentile(recent.bins, 0.99))),
        ("waiting", waiting(view, compact)),
        ("rejected", compact(view.statistics.rejected)),
    )
    tile = "".join(f"<div><dt>{name}</dt><dd>{value}</dd></div>" for name, value in tiles)
    since = f"Charts since {when(noted)}. " if noted else ""
    return (
        f'<p class="total"><strong>{count(total)}</strong> {_counted(view)}</p>'
        f'<p class="fine">{since}{_who(view, when)}</p>{_shares(view)}'
        f'<dl class="tiles">{tile}</dl>{_empty(view)}'
    )


def _shares(view: ClusterView) -> str:
    """Return the shares of the labels, always in the same order."""
    total, color = view.statistics.total, colors(view)
    if not total:
        return ""
    known = list(view.classes)
    counts = sorted(
        top(view.statistics.labels, MOST_SHARES),
        key=lambda each: (known.index(each[0]) if each[0] in known else len(known), each[0]),
    )
    parts = [(name, number / total, color[name]) for name, number in counts]
    names = "".join(
        f'<li data-key="{plain(name)}"><i class="{css_class}" aria-hidden="true"></i>'
        f'<b>{plain(name, MOST_OF_A_NAME)}</b> <span class="share">{share(part)}</span></li>'
        for name, part, css_class in parts
    )
    whole = bar(*((part, css_class) for _, part, css_class in parts))
    return f'<div class="shares">{whole}<ul>{names}</ul></div>'


def arriving(view: ClusterView) -> str:
    """Return the arriving requests per second of the whole group; ``-`` if unknown."""
    flow = view.here.state.facts.get("flow")
    per_second = flow.get("arriving") if isinstance(flow, Mapping) else None
    return rate(per_second) if isinstance(per_second, float) else "-"


def _answered(view: ClusterView) -> str:
    return rate((view.recent.labelled + view.recent.rejected) / RECENT_SECONDS)


def _who(view: ClusterView, when: When) -> str:
    answering = sum(each.answers for each in view.workers)
    silent = [each for each in view.workers if each.standing == "silent" and each.age is not None]
    old = "".join(
        f' <span class="stale">The counts of {plain(host(each.address))} are from '
        f"{when(view.now - (each.age or 0.0))}.</span>"
        for each in silent[:MOST_SILENT]
    )
    return f"{answering} of {view.group} {_workers(view.group)} answered.{old}"


def _empty(view: ClusterView) -> str:
    if view.statistics.total or view.statistics.rejected or view.moving:
        return ""
    return (
        '<div class="empty"><p><b>No picture has been classified yet.</b> Send the first ones, '
        "from the folder in which this worker was started:</p>"
        f"<p><code>{plain(first_picture(), MOST_OF_A_COMMAND)}</code></p></div>"
    )


def notices(view: ClusterView, when: When) -> str:
    """Return the problems after the first line, one sentence each; empty if there are none."""
    moving = f'<p class="notice">{_moving(view.moving, view.group)}</p>' if view.moving else ""
    return moving + conditions(view, when)


def _moving(moving: int, group: int) -> str:
    verb = "is" if moving == 1 else "are"
    return (
        f"{moving} of {group} {_workers(group)} {verb} taking over partitions. "
        "Until then their counts stay as they were last heard."
    )


def _workers(number: int) -> str:
    return "worker" if number == 1 else "workers"


def spoken(view: ClusterView) -> str:
    """Return plain text for a screen reader: first the problems, then the rates."""
    wrong = [each for each in view.health.conditions if each.severity >= Severity.WARNING]
    sentences = [each.sentence for each in wrong[:MOST_SPOKEN]]
    rates = f"{arriving(view)} per second arrive, {_answered(view)} are answered."
    return " ".join((*sentences, f"{_total(view)}, {rates}"))
