"""The whole page, and the parts of it for live updates."""

from collections.abc import Mapping

from markupsafe import Markup

from catdog_stream.web.cluster.view import ClusterView
from catdog_stream.web.page.health import conditions, headline, icon
from catdog_stream.web.page.rendering import render_template
from catdog_stream.web.page.sections import SECTIONS
from catdog_stream.web.page.summary import summary, title
from catdog_stream.web.page.upload_form import RETRIED, Offers

__all__ = ["fragments", "render"]

#: Reload interval of browsers that run no script.
REFRESH_SECONDS = 5
NOTHING = Offers(send=False)


def render(view: ClusterView, static: str, offers: Offers = NOTHING) -> str:
    """Return the page.

    Args:
        view: state of the cluster.
        static: path of its style sheet and scripts, with a trailing slash.
        offers: actions that a visitor may perform.
    """
    parts = {name: Markup(html) for name, html in fragments(view, view.now).items()}
    return render_template(
        "page.html",
        static=static,
        title=title(view),
        icon=icon(view),
        refresh=REFRESH_SECONDS,
        offers=offers,
        retried=RETRIED,
        parts=parts,
        sections=[
            (each, parts[f"{each.name}-body"], each.chart(view) if each.chart else None)
            for each in SECTIONS
        ],
    )


def fragments(view: ClusterView, now: float | None = None) -> Mapping[str, str]:
    """Return the HTML of each part that changes, by the id of its element.

    Without ``now``, the browser fills in the times, so a part in which only times changed stays the
    same.
    """
    others = {"conditions": conditions(view), "moving": view.moving, "group": view.group}
    return {
        "health": render_template("conditions.html", now=now, conditions=[headline(view)]),
        "notices": render_template("notices.html", now=now, **others),
        "summary": render_template("summary.html", now=now, **summary(view)),
        **{
            f"{each.name}-body": render_template(
                f"sections/{each.name}.html", now=now, **each.values(view)
            )
            for each in SECTIONS
        },
    }
