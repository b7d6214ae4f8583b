"""The page: plain HTML that needs no JavaScript and shows nothing unescaped."""

from collections.abc import Mapping
from html import escape

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
:root {{ color-scheme: light dark; }}
body {{ font: 16px/1.5 system-ui, sans-serif; margin: 2rem auto; max-width: 40rem; }}
body {{ padding: 0 1rem; }}
table {{ border-collapse: collapse; width: 100%; margin: 1rem 0 2rem; }}
caption {{ font-weight: 600; text-align: left; padding-bottom: .5rem; }}
th, td {{ padding: .4rem .6rem; border-bottom: 1px solid #8884; text-align: left; }}
td.number, th.number {{ text-align: right; font-variant-numeric: tabular-nums; }}
meter {{ width: 100%; }}
.warning {{ border-left: .3rem solid #d97706; padding: .3rem .8rem; }}
footer {{ color: #888; font-size: .9rem; }}
</style>
</head>
<body>
<h1>Cats and dogs</h1>
{warning}
{labels}
{rejections}
<footer>{workers} This page renews itself every {refresh} seconds. As JSON:
<a href="/labels/">labels</a>. <a href="/readyz">Ready?</a> <a href="/healthz">Healthy?</a>
<a href="/metrics">Metrics</a>.</footer>
</body>
</html>
"""


def render(statistics: Statistics) -> str:
    """The page for these statistics."""
    missing = statistics.asked - statistics.answered
    return _DOCUMENT.format(
        refresh=REFRESH_SECONDS,
        total=statistics.total,
        warning=_warning(missing) if missing else "",
        labels=_table("Labels", "label", statistics.labels, "No picture has been classified yet."),
        rejections=_table("Rejected requests", "reason", statistics.rejections, "None rejected."),
        workers=f"{statistics.answered} of {statistics.asked} workers answered.",
    )


def _warning(missing: int) -> str:
    who = "One worker" if missing == 1 else f"{missing} workers"
    return f'<p class="warning">{who} did not answer: the counts are not complete.</p>'


def _table(title: str, name: str, counts: Mapping[str, int], empty: str) -> str:
    if not counts:
        return f"<h2>{title}</h2>\n<p>{empty}</p>"
    total = sum(counts.values())
    rows = "\n".join(
        f'<tr><td>{escape(key)}</td><td class="number">{count}</td>'
        f'<td class="number">{count / total:.1%}</td>'
        f'<td><meter min="0" max="{total}" value="{count}"></meter></td></tr>'
        for key, count in sorted(counts.items(), key=lambda item: (-item[1], item[0]))
    )
    return (
        f"<table>\n<caption>{title}: {total}</caption>\n"
        f'<tr><th>{name}</th><th class="number">count</th><th class="number">share</th>'
        f"<th></th></tr>\n{rows}\n</table>"
    )
