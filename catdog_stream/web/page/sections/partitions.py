"""Requests that wait for an answer, by partition."""

from collections.abc import Callable

from catdog_stream.web.cluster.view import ClusterView
from catdog_stream.web.page.parts import Section, When, bar
from catdog_stream.web.page.text import count

__all__ = ["PARTITIONS", "waiting"]

MOST = 32


def waiting(view: ClusterView, form: Callable[[int], str] = count) -> str:
    """Return the number of requests that wait for an answer, or votes for a decision.

    ``form`` formats the number. ``+`` follows if some partitions are unknown; ``-`` means that all
    are.
    """
    known = _known(view)
    more = "+" if len(known) < len(view.lag) else ""
    return f"{form(sum(known))}{more}" if known else "-"


def _known(view: ClusterView) -> list[int]:
    return [number for number in view.lag.values() if number is not None]


def body(view: ClusterView, _when: When) -> str:
    """Return one item per partition; of very many partitions, those with the most requests."""
    if not view.lag:
        return '<p class="none">Kafka has not stated yet what waits.</p>'
    shown = sorted(sorted(view.lag, key=lambda number: -(view.lag[number] or 0))[:MOST])
    known = _known(view)
    most = max((1, *known))
    items = "".join(
        f'<li data-key="{number}"><span class="fine">{number}</span>'
        f"{bar(((lag or 0) / most, 'waiting'))}"
        f'<span class="number">{"-" if lag is None else count(lag)}</span></li>'
        for number in shown
        for lag in (view.lag[number],)
    )
    rest = len(view.lag) - len(shown)
    more = f'<p class="fine">and {count(rest)} partitions where less waits</p>' if rest else ""
    votes = view.here.state.facts.get("waits") == "votes"
    what = "votes waiting for a decision" if votes else "waiting for an answer"
    unknown = len(view.lag) - len(known)
    besides = f" Kafka does not state it for {count(unknown)} of them." if unknown else ""
    return (
        f'<p class="fine">{waiting(view)} {what}, '
        f"in {count(len(view.lag))} partitions.{besides}</p>"
        f'<ul class="lags">{items}</ul>{more}'
    )


PARTITIONS = Section("partitions", "Waiting, by partition", body)
