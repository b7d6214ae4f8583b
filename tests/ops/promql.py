"""PromQL expressions, and the metrics that they use."""

from collections.abc import Iterator

import promql_parser
from promql_parser import AggregateExpr, Expr, VectorSelector

from tests.ops.exported import SERIES

__all__ = ["mistakes"]


def mistakes(text: str) -> list[str]:
    """Return the unknown metrics and labels. Raises ``ValueError`` if the expression is invalid."""
    found, known = [], set()
    nodes = list(_nodes(promql_parser.parse(text)))
    for node in nodes:
        if isinstance(node, VectorSelector):
            labels = SERIES.get(node.name or "")
            if labels is None:
                found.append(f"There is no metric {node.name}.")
                continue
            known |= labels
            asked = {matcher.name for matcher in node.matchers.matchers}
            found += [f"{node.name} has no label {label}." for label in asked - labels]
    for node in nodes:
        if isinstance(node, AggregateExpr) and node.modifier is not None:
            found += [f"Nothing has a label {each}." for each in set(node.modifier.labels) - known]
    return found


def _nodes(node: object) -> Iterator[Expr]:
    if not isinstance(node, Expr):
        return
    yield node
    for name in ("expr", "lhs", "rhs", "param", "vector_selector"):
        yield from _nodes(getattr(node, name, None))
    for argument in getattr(node, "args", ()):
        yield from _nodes(argument)
