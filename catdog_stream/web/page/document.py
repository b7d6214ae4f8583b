"""The whole page, and the parts of it for live updates."""

from collections.abc import Mapping
from functools import partial

from catdog_stream.web.cluster.view import ClusterView
from catdog_stream.web.page.health import headline, icon
from catdog_stream.web.page.parts import Section
from catdog_stream.web.page.sections import SECTIONS
from catdog_stream.web.page.summary import notices, summary, title
from catdog_stream.web.page.text import when
from catdog_stream.web.page.upload_form import Offers, trying

__all__ = ["fragments", "render"]

#: Reload interval of browsers that run no script.
REFRESH_SECONDS = 5
NOTHING = Offers(send=False)

_DOCUMENT = """<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>{title}</title>
<noscript><meta http-equiv="refresh" content="{refresh}"></noscript>
<link id="icon" rel="icon" href="{static}{icon}" type="image/svg+xml">
<link rel="stylesheet" href="{static}uPlot.min.css">
<link rel="stylesheet" href="{static}style.css">
<script src="{static}uPlot.iife.min.js" defer></script>
<script src="{static}page.js" type="module"></script>
<script src="{static}try.js" type="module"></script>
</head>
<body>
<a class="skip" href="#main">Skip to the numbers</a>
<header>
<img src="{static}icon.svg" alt="" width="36" height="36">
<h1>Pictures</h1>
<button id="pause" type="button" aria-pressed="false" hidden>Pause</button>
<p id="status" data-state="still"><span id="status-text">Renewed every {refresh} s</span><span
 id="status-more"></span></p>
</header>
<main id="main">
<p id="stale" class="state critical" hidden></p>
<div id="health" data-live>{health}</div>
<div id="notices" data-live>{notices}</div>
<section id="summary" class="card wide" aria-label="Summary" data-live>{summary}</section>
{trying}
{sections}
</main>
<p id="spoken" class="unseen" role="status" aria-live="polite"></p>
<p id="alarm" class="unseen" role="alert"></p>
<footer>
<nav aria-label="For machines"><a href="/labels/">Labels as JSON</a> <a href="/history/">History
as JSON</a> <a href="/readyz">ready?</a> <a href="/healthz">healthy?</a>
<a href="/metrics">metrics</a></nav>
</footer>
</body>
</html>
"""


def render(view: ClusterView, static: str, offers: Offers = NOTHING) -> str:
    """Return the page.

    Args:
        view: state of the cluster.
        static: path of its style sheet and scripts, with a trailing slash.
        offers: actions that a visitor may perform.
    """
    now = partial(when, now=view.now)
    return _DOCUMENT.format(
        title=title(view),
        icon=icon(view),
        health=headline(view, now),
        refresh=REFRESH_SECONDS,
        static=static,
        trying=trying(offers),
        notices=notices(view, now),
        summary=summary(view, now),
        sections="\n".join(_section(section, view) for section in SECTIONS),
    )


def _section(section: Section, view: ClusterView) -> str:
    body = section.body(view, partial(when, now=view.now))
    tail = section.tail(view) if section.tail is not None else ""
    wide, hidden = " wide" if section.wide else "", "" if body else " hidden"
    return (
        f'<section class="card{wide}" id="{section.name}" aria-labelledby="{section.name}-title"'
        f'{hidden}>\n<h2 id="{section.name}-title">{section.title}</h2>\n'
        f'<div id="{section.name}-body" data-live>{body}</div>{tail}\n</section>'
    )


def fragments(view: ClusterView) -> Mapping[str, str]:
    """Return the HTML of each part that changes, by the id of its element.

    The browser fills in the times, so a part in which only times changed stays the same.
    """
    later = partial(when, now=None)
    return {
        "health": headline(view, later),
        "notices": notices(view, later),
        "summary": summary(view, later),
        **{f"{section.name}-body": section.body(view, later) for section in SECTIONS},
    }
