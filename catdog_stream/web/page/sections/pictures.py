"""The latest labelled pictures, as resized for the network."""

from catdog_stream.models.verdict import UNKNOWN
from catdog_stream.web.cluster.view import ClusterView
from catdog_stream.web.page.parts import Section, When, colors
from catdog_stream.web.page.text import plain, readable_url, share
from catdog_stream.web.recording.pictures import Shot

__all__ = ["PICTURES"]

MAX_URL = 60
_NO_URL = '<p class="url"></p>'


def body(view: ClusterView, when: When) -> str:
    """Return a list, latest first; in the browser, each picture keeps its place until removed."""
    if not view.pictures:
        return ""
    color = colors(view)
    items = "".join(_item(shot, color[shot.label], when) for shot in view.pictures)
    return f'<ol class="shots" data-steady>{items}</ol>'


def _item(shot: Shot, color: str, when: When) -> str:
    label = plain(shot.label)
    if not shot.stack:
        return (
            f'<li data-key="{plain(shot.id)}"><div class="unseen-picture" aria-hidden="true"></div>'
            f'<p class="verdict"><b class="{color}" title="{label}">{label}</b></p>{_words(shot)}'
            f'<p class="fine">{when(shot.at)} · another program</p></li>'
        )
    # The confidence in a class means little for an out-of-distribution picture.
    sure = "like none of the classes" if shot.label == UNKNOWN else share(shot.confidence)
    return (
        f'<li data-key="{plain(shot.id)}"><img src="/pictures/{plain(shot.id)}" alt="A picture '
        f'labelled {label}" width="176" height="176"><p class="verdict"><b class="{color}" '
        f'title="{label}">{label}</b> <span>{sure}</span></p>{_words(shot)}'
        f'<p class="fine">{when(shot.at)} · {plain(shot.stack)}</p></li>'
    )


def _words(shot: Shot) -> str:
    """Return the line of the url, even without a url, so that nothing else moves."""
    url = readable_url(shot.url)
    return f'<p class="url" title="{plain(url)}">{plain(url, MAX_URL)}</p>' if url else _NO_URL


PICTURES = Section("pictures", "Latest pictures", body, wide=True)
