"""Totals and shares by label."""

from catdog_stream.web.cluster.view import ClusterView
from catdog_stream.web.page.parts import Section, When, bar, colors, top
from catdog_stream.web.page.text import count, plain, share

__all__ = ["LABELS"]

MOST = 12


def body(view: ClusterView, _when: When) -> str:
    """Return one row for each label, the most frequent first."""
    counts, total = view.statistics.labels, view.statistics.total
    if not total:
        return '<p class="none">No picture has been classified yet.</p>'
    color = colors(view)
    rows = "".join(
        f'<tr data-key="{plain(name)}"><th scope="row">{plain(name)}</th>'
        f'<td class="number">{count(number)}</td><td class="number">{share(number / total)}</td>'
        f'<td class="chart">{bar((number / total, color[name]))}</td>'
        "</tr>"
        for name, number in top(counts, MOST)
    )
    return (
        '<table class="labels"><thead class="unseen"><tr><th scope="col">Label</th>'
        '<th scope="col">Pictures</th><th scope="col">Share</th><td></td></tr></thead>'
        f"<tbody>{rows}</tbody></table>"
    )


LABELS = Section("labels", "Labels", body)
