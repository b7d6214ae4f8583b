"""Rejected requests by reason: the count, the latest, and if a replay can help."""

from catdog_stream.errors import REPLAY_ADVICE, ReplayAdvice
from catdog_stream.web.cluster.view import ClusterView
from catdog_stream.web.page.parts import Section, When, bar, top
from catdog_stream.web.page.text import count, plain, share
from catdog_stream.web.recording.recorder import Rejected

__all__ = ["REJECTED"]

MOST = 16
_ADVICE = {reason.value: advice for reason, advice in REPLAY_ADVICE.items()}


def body(view: ClusterView, when: When) -> str:
    """Return one item per reason, the most frequent first."""
    counts, total = view.statistics.rejections, view.statistics.rejected
    if not total:
        return '<p class="none">None rejected.</p>'
    replayed = not view.here.state.facts.get("voter")  # a voter's rejections are votes, not records
    items = "".join(
        _item(reason, number, total, view.rejected.get(reason), when, replayed=replayed)
        for reason, number in top(counts, MOST)
    )
    return f'<ul class="reasons">{items}</ul>'


def _item(
    reason: str, number: int, total: int, example: Rejected | None, when: When, *, replayed: bool
) -> str:
    name = plain(reason)
    parts = [
        f'<li data-key="{name}"><p class="reason"><b>{name}</b> <span class="number">'
        f'{count(number)}</span> <span class="share">{share(number / total)}</span></p>'
        f"{bar((number / total, 'refused'))}"
    ]
    if example is not None:
        parts.append(
            f'<p class="detail">{plain(example.detail)}</p>'
            f'<p class="fine"><code>{plain(example.source)}</code> · {when(example.at)}</p>'
        )
    if replayed and reason in _ADVICE:
        parts.append(f'<p class="fine">{_advice(reason, _ADVICE[reason])}</p>')
    return "".join((*parts, "</li>"))


def _advice(reason: str, advice: ReplayAdvice) -> str:
    if not advice.can_help:
        return advice.cause
    return f"{advice.cause} <code>catdog-stream replay --reason {reason}</code>"


REJECTED = Section("rejected", "Rejected requests", body)
