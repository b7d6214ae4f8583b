"""The page: plain HTML that needs no JavaScript and shows nothing unescaped."""

from collections.abc import Mapping
from html import escape

from catdog_stream.pipeline.drift import Drift
from catdog_stream.web.drift import drift_section
from catdog_stream.web.statistics import Statistics

__all__ = ["render"]

REFRESH_SECONDS = 5

_DOCUMENT = """<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="refresh" content="{refresh}">
<title>{total} pictures classified</title>
<style>
:root {{ color-scheme: light dark; --bar: #2563eb; --rejected: #d97706; --line: #8884; }}
body {{ font: 16px/1.5 system-ui, sans-serif; max-width: 42rem; margin: 2.5rem auto; }}
body {{ padding: 0 1.25rem; }}
h1 {{ font-size: 1.5rem; margin: 0; }}
h2 {{ font-size: 1rem; margin: 2rem 0 .25rem; }}
p {{ margin: .25rem 0; }}
.total {{ font-size: 3rem; line-height: 1.2; font-variant-numeric: tabular-nums; }}
.total small {{ font-size: 1rem; }}
table {{ border-collapse: collapse; table-layout: fixed; width: 100%; }}
td {{ padding: .4rem 0; border-top: 1px solid var(--line); overflow-wrap: anywhere; }}
td.number {{ width: 4.5rem; text-align: right; font-variant-numeric: tabular-nums; }}
td.chart {{ width: 45%; padding-left: 1rem; }}
@media (max-width: 32rem) {{ td.number {{ width: 3.75rem; }} td.chart {{ width: 25%; }} }}
.bar {{ height: .9rem; min-width: 1px; border-radius: 2px; background: var(--bar); }}
.rejected .bar {{ background: var(--rejected); }}
.warning {{ border-left: .3rem solid var(--rejected); padding: .3rem .8rem; margin: 1rem 0; }}
footer {{ border-top: 1px solid var(--line); margin-top: 2.5rem; padding-top: .75rem; }}
footer {{ font-size: .875rem; opacity: .75; }}
a {{ color: inherit; }}
</style>
</head>
<body>
<h1>Pictures</h1>
{warning}{refused}
<p class="total">{total} <small>{pictures} classified</small></p>
{labels}
{rejections}
{beside}
{drift}
<footer>
<p>{about} This page renews itself every {refresh} seconds.</p>
<p><a href="/labels/">Labels as JSON</a> · <a href="/readyz">ready?</a> ·
<a href="/healthz">healthy?</a> · <a href="/metrics">metrics</a></p>
</footer>
</body>
</html>
"""


def render(
    statistics: Statistics,
    stack: str = "",
    loading: str | None = None,
    refused: str | None = None,
    role: str = "",
    beside: str = "",
    drift: Drift | None = None,
) -> str:
    """The page.

    Args:
        statistics: of the cluster.
        stack: what serves in this worker.
        loading: what is being loaded there, to take over.
        refused: why it does not serve what was ordered.
        role: a sentence about what it does, where that is not everything.
        beside: HTML about what stands beside it.
        drift: of what that says, where there is something to compare it with.
    """
    workers = f"{statistics.answered} of {statistics.asked} workers answered."
    serves = _serves(stack, loading) if stack else ""
    missing = statistics.asked - statistics.answered
    return _DOCUMENT.format(
        refresh=REFRESH_SECONDS,
        total=statistics.total,
        pictures="picture" if statistics.total == 1 else "pictures",
        warning=_warning(missing) if missing else "",
        labels=_section(
            "Labels", "labels", statistics.labels, "No picture has been classified yet."
        ),
        rejections=_section(
            f"Rejected requests: {statistics.rejected}",
            "rejected",
            statistics.rejections,
            "None rejected.",
        ),
        about=" ".join(filter(None, (workers, escape(serves), escape(role)))),
        refused=f'<p class="warning">{escape(refused)}</p>' if refused else "",
        beside=beside,
        drift=drift_section(drift),
    )


def _serves(stack: str, loading: str | None) -> str:
    return f"This worker serves {stack}{f', and loads {loading}' if loading else ''}."


def _warning(missing: int) -> str:
    who = "One worker" if missing == 1 else f"{missing} workers"
    return f'<p class="warning">{who} did not answer: the counts are not complete.</p>'


def _section(title: str, css_class: str, counts: Mapping[str, int], empty: str) -> str:
    if not counts:
        return f"<h2>{title}</h2>\n<p>{empty}</p>"
    total = sum(counts.values())
    rows = "\n".join(
        f'<tr><td>{escape(name)}</td><td class="number">{count}</td>'
        f'<td class="number">{count / total:.1%}</td>'
        f'<td class="chart"><div class="bar" style="width: {count / total:.1%}"></div></td></tr>'
        for name, count in sorted(counts.items(), key=lambda item: (-item[1], item[0]))
    )
    return f'<h2>{title}</h2>\n<table class="{css_class}">\n{rows}\n</table>'
