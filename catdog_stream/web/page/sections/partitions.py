"""What waits to be answered, by partition."""

from catdog_stream.web.cluster.view import ClusterView
from catdog_stream.web.page.parts import Section, When, bar
from catdog_stream.web.page.text import count

__all__ = ["PARTITIONS", "waiting"]

MOST = 32


def waiting(view: ClusterView) -> int:
    """Requests that wait for an answer, or votes for a decision, as far as that is known."""
    return sum(lag.waiting or 0 for lag in view.lag.values())


def body(view: ClusterView, _when: When) -> str:
    """An item for each partition; of very many, for those where the most waits."""
    if not view.lag:
        return '<p class="none">No partition is assigned yet.</p>'
    shown = sorted(sorted(view.lag, key=lambda number: -(view.lag[number].waiting or 0))[:MOST])
    most = max(1, *(lag.waiting or 0 for lag in view.lag.values()))
    items = "".join(
        f'<li data-key="{number}"><span class="fine">{number}</span>'
        f"{bar(((lag.waiting or 0) / most, 'waiting'))}"
        f'<span class="number">{"-" if lag.waiting is None else count(lag.waiting)}</span></li>'
        for number in shown
        for lag in (view.lag[number],)
    )
    rest = len(view.lag) - len(shown)
    more = f'<p class="fine">and {count(rest)} partitions where less waits</p>' if rest else ""
    votes = view.here.state.facts.get("waits") == "votes"
    what = "votes waiting for a decision" if votes else "waiting for an answer"
    total, number = count(waiting(view)), count(len(view.lag))
    return (
        f'<p class="fine">{total} {what}, in {number} partitions.</p>'
        f'<ul class="lags">{items}</ul>{more}'
    )


PARTITIONS = Section("partitions", "Waiting, by partition", body)
