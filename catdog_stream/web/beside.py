"""The part of the page about what stands beside the stack that serves: a canary, and a shadow."""

from collections.abc import Mapping
from html import escape

from catdog_stream.pipeline.shadow.comparing import Tally
from catdog_stream.pipeline.shadow.watching import Shadow

__all__ = ["canary_section", "shadow_section"]

_HEADS = ("answered by", "compared", "agree", "mean", "largest")


def canary_section(stack: str, share: float) -> str:
    """HTML about a canary, by its name and version and by the share that it answers, 0 to 1."""
    return f"<h2>Canary</h2>\n<p>{escape(stack)} answers {share:.1%} of this worker's requests.</p>"


def shadow_section(shadow: Shadow, share: float) -> str:
    """HTML about a shadow that looks at a share of the answers, 0 to 1."""
    who = "It is being loaded." if shadow.stack is None else f"{shadow.stack} looks at {share:.1%}."
    lines = ["<h2>Shadow of this worker</h2>", f"<p>{escape(who)}</p>"]
    if shadow.problem is not None:
        lines.append(f'<p class="warning">{escape(shadow.problem)}</p>')
    if tallies := dict(shadow.tallies):
        lines.append(_table(tallies))
        lines.append("<p>mean and largest: difference in the chance of a class</p>")
    if shadow.dropped:
        lines.append(f"<p>{shadow.dropped} not looked at: there was no room.</p>")
    return "\n".join(lines)


def _table(tallies: Mapping[str, Tally]) -> str:
    rows = [
        _row(
            stack,
            str(each.compared),
            f"{each.agreement:.1%}",
            f"{each.mean:.3f}",
            f"{each.largest:.3f}",
        )
        for stack, each in tallies.items()
    ]
    return "\n".join(("<table>", _row(*_HEADS), *rows, "</table>"))


def _row(first: str, *others: str) -> str:
    cells = "".join(f'<td class="number">{escape(text)}</td>' for text in others)
    return f"<tr><td>{escape(first)}</td>{cells}</tr>"
