"""Templates of the pages, ``web/templates``: compiled once, and any text in them escaped."""

import re
from collections.abc import Callable
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from jinja2.ext import Extension
from markupsafe import Markup, escape

from catdog_stream.web.page.text import host, moment, one_line, share, thousands

__all__ = ["render_template"]

_FILTERS: tuple[Callable[..., Any], ...] = (host, moment, share, thousands)


class _Joined(Extension):
    """Remover of line breaks and indentation between tags, which are for readers of a template.

    In a browser, they would be text between elements: it is visible, and the script that updates
    the page would move the pictures beside it each second.
    """

    def preprocess(self, source: str, *_: object, **__: object) -> str:
        """Return the template with such a line break in a comment, so that lines stay numbered."""
        return re.sub(r"(?<=[>}])(\s*\n\s*)(?=[<{])", r"{#\1#}", source)


def _text(value: object) -> object:
    """Return any value of a template as one line, cut; HTML of a template stays unchanged.

    All values pass this function before they are escaped, so that none can be forgotten: the stream
    and other workers are untrusted.
    """
    return value if isinstance(value, Markup) else one_line(str(value))


def _limit(value: object, most: int) -> Markup:
    """Return any value as one line of escaped text, cut after ``most`` characters."""
    return escape(one_line(str(value), most))


def _environment() -> Environment:
    made = Environment(
        loader=PackageLoader("catdog_stream.web"),
        extensions=[_Joined],
        autoescape=True,
        auto_reload=False,
        finalize=_text,
        lstrip_blocks=True,
        trim_blocks=True,
        undefined=StrictUndefined,
    )
    made.filters |= {each.__name__: each for each in _FILTERS} | {"limit": _limit}
    return made


_TEMPLATES = _environment()


def render_template(name: str, /, **values: Any) -> str:
    """Return the HTML of a template.

    Values of a template are plain: text, numbers, flags and sequences of them. Text may be
    untrusted, and is cut after ``MAX_SHOWN`` characters unless the template has a ``limit`` for it.
    """
    return _TEMPLATES.get_template(name).render(values)
