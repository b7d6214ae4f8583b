"""Help texts of Faust's own options, with the defaults of this application."""

from collections.abc import Callable, Mapping
from types import MappingProxyType

import click

from catdog_stream.worker.preflight import in_url, to_bind

__all__ = ["describe"]

_HELP: Mapping[str, str] = MappingProxyType(
    {
        "web_port": "Port of the page and the HTTP API; WEB_PORT, or 6066.",
        "web_bind": "Address that the web server listens on; WEB_BIND, or 127.0.0.1.",
        "web_host": "Host name by which other workers reach this one; WEB_HOST, or 127.0.0.1.",
        "datadir": (
            "Directory to keep application state; APP_DATADIR, or one in the folder for "
            "temporary files."
        ),
        "loop": "Event loop implementation of a worker; FAUST_LOOP, or uvloop.",
    }
)

_READ: Mapping[str | None, Callable[[click.Context, click.Parameter, str | None], str | None]]
_READ = MappingProxyType(
    {
        "web_bind": lambda _context, _option, host: host and to_bind(host),
        "web_host": lambda _context, _option, host: host and in_url(host),
    }
)


def describe(command: click.Command) -> None:
    """Replace the help of options whose defaults differ from Faust's.

    IPv6 addresses are accepted with and without brackets.
    """
    for option in command.params:
        if option.name in _READ:
            option.callback = _READ[option.name]
        help_text = _HELP.get(option.name or "")
        if isinstance(option, click.Option) and help_text is not None:
            option.help = help_text
            option.show_default = False
