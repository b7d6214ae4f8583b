"""What is seen first: the numbers above all sections, and what is wrong."""

from catdog_stream.web.cluster.view import ClusterView, WorkerView
from catdog_stream.web.page.first_picture import first_picture
from catdog_stream.web.page.parts import When, bar, colors, top
from catdog_stream.web.page.sections.partitions import waiting
from catdog_stream.web.page.text import ago, compact, count, plain, rate, seconds, share
from catdog_stream.web.recording.history import RECENT_SECONDS
from catdog_stream.web.recording.latency import percentile

__all__ = ["notices", "spoken", "summary", "title"]

#: Labels that are named in the summary, and characters of each.
MOST_SHARES, MOST_OF_A_NAME = 5, 24
#: Characters of a command: longer than any path.
MOST_OF_A_COMMAND = 8192
#: Voters of a jury that do not vote, at most.
MOST_ABSENT = 8


def title(view: ClusterView) -> str:
    """``12 pictures classified``; escaped, as it is text."""
    return f"{count(view.statistics.total)} {_counted(view)}"


def _counted(view: ClusterView) -> str:
    pictures = "picture" if view.statistics.total == 1 else "pictures"
    voter = view.here.state.facts.get("voter")
    return f"{pictures} voted on by {plain(str(voter))}" if voter else f"{pictures} classified"


def summary(view: ClusterView, when: When) -> str:
    """The total, and how the stream is now."""
    total, recent = view.statistics.total, view.recent
    noted = min((each.state.since for each in view.workers if each.state.since), default=0.0)
    tiles = (
        ("per second", rate(recent.labelled / RECENT_SECONDS)),
        ("p50", seconds(percentile(recent.bins, 0.5))),
        ("p99", seconds(percentile(recent.bins, 0.99))),
        ("waiting", waiting(view, compact)),
        ("rejected", compact(view.statistics.rejected)),
    )
    tile = "".join(f"<div><dt>{name}</dt><dd>{value}</dd></div>" for name, value in tiles)
    since = f"Charts since {when(noted)}. " if noted else ""
    return (
        f'<p class="total"><strong>{count(total)}</strong> {_counted(view)}</p>'
        f'<p class="fine">{since}{_who(view)}</p>{_shares(view)}'
        f'<dl class="tiles">{tile}</dl>{_empty(view)}'
    )


def _shares(view: ClusterView) -> str:
    """What the pictures show, at a glance: always in the same order, whoever leads."""
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


def _who(view: ClusterView) -> str:
    answering = sum(each.answers for each in view.workers)
    return f"{answering} of {view.group} {_workers(view.group)} answered."


def _empty(view: ClusterView) -> str:
    if view.statistics.total or view.statistics.rejected or view.moving:
        return ""
    return (
        '<div class="empty"><p><b>No picture has been classified yet.</b> Send the first ones, '
        "from the folder in which this worker was started:</p>"
        f"<p><code>{plain(first_picture(), MOST_OF_A_COMMAND)}</code></p></div>"
    )


def notices(view: ClusterView, when: When) -> str:
    """What is wrong, each in a sentence; empty if nothing is."""
    silent = [each for each in view.workers if each.standing == "silent"]
    left = [each for each in view.workers if each.standing == "left"]
    found = []
    if silent:
        found.append(_silent(silent, view.group, view.now, when))
    if view.moving:
        found.append(_moving(view.moving, view.group))
    found += [_problem(each) for each in view.workers if each.state.facts.get("refused")]
    found += [sentence for each in view.workers for sentence in _absent(each)]
    if left:
        found.append(_left(left, view.now, when))
    return "".join(f'<p class="notice">{sentence}</p>' for sentence in found)


def _moving(moving: int, group: int) -> str:
    verb = "is" if moving == 1 else "are"
    return (
        f"{moving} of {group} {_workers(group)} {verb} taking over partitions. "
        "Until then their counts stay as they were last heard."
    )


def _silent(silent: list[WorkerView], group: int, now: float, when: When) -> str:
    verb = "does" if len(silent) == 1 else "do"
    ages = [each.age for each in silent if each.age is not None]
    sentence = f"{len(silent)} of {group} {_workers(group)} {verb} not answer"
    if len(ages) < len(silent):
        return f"{sentence} and {verb} not tell its counts: those here are not complete."
    return f"{sentence}; last heard {when(now - max(ages))}. What it counted by then is counted."


def _left(left: list[WorkerView], now: float, when: When) -> str:
    ages = [each.age for each in left if each.age is not None]
    last = f", last heard {when(now - min(ages))}" if ages else ""
    who = f"{len(left)} {_workers(len(left))}"
    verb = "has" if len(left) == 1 else "have"
    return f"{who} {verb} left the group{last}; the others have taken over."


def _problem(worker: WorkerView) -> str:
    return (
        f"{plain(worker.address)} does not serve what was ordered: "
        f"{plain(str(worker.state.facts['refused']), 300)}"
    )


def _absent(worker: WorkerView) -> list[str]:
    """Return what a jury says of voters that do not vote. Anybody may have written it."""
    told = worker.state.facts.get("absent")
    if worker.standing == "left" or not isinstance(told, list):
        return []
    return [f"{plain(worker.address)}: {plain(str(each), 300)}" for each in told[:MOST_ABSENT]]


def _workers(number: int) -> str:
    return "worker" if number == 1 else "workers"


def spoken(view: ClusterView) -> str:
    """A sentence or two for who listens, in plain text."""
    sentences = [f"{title(view)}, {rate(view.recent.labelled / RECENT_SECONDS)} per second."]
    silent = [each for each in view.workers if each.standing == "silent"]
    if silent:
        ages = [each.age for each in silent if each.age is not None]
        last = f", last heard {ago(max(ages))}" if ages else ""
        sentences.append(f"{len(silent)} {_workers(len(silent))} not answering{last}.")
    return " ".join(sentences)
