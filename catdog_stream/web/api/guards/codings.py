"""Content codings: a body in an unknown one would be read as if it were in none."""

from collections.abc import Mapping

from catdog_stream.web.api.problems import Problem

__all__ = ["CODINGS", "check_coding"]

#: What the web server unpacks (RFC 9110, 8.4.1).
CODINGS = ("gzip", "deflate")


def check_coding(headers: Mapping[str, str]) -> None:
    """Raise ``Problem`` for a body whose content coding is not known."""
    coding = headers.get("Content-Encoding", "").strip().lower()
    if coding not in ("", "identity", *CODINGS):
        known = ", ".join(CODINGS)
        raise Problem(
            415,
            f"The body must be in one of the content codings {known}, or in none.",
            headers={"Accept-Encoding": known},
        )
