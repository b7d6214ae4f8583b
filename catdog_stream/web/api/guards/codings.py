"""Content codings: a body in an unknown coding must be refused, or it would be read as is."""

from multidict import CIMultiDict, CIMultiDictProxy

from catdog_stream.web.api.problems import Problem

__all__ = ["CODINGS", "content_coding"]

#: Codings that are supported (RFC 9110, 8.4.1).
CODINGS = ("gzip", "deflate")


def content_coding(headers: CIMultiDict[str] | CIMultiDictProxy[str]) -> str | None:
    """Return the content coding of a body, ``None`` if it has none.

    A repeated header names two codings. Raise ``Problem`` for an unknown coding.
    """
    coding = ",".join(headers.getall("Content-Encoding", ())).strip().lower()
    if coding in ("", "identity"):
        return None
    if coding in CODINGS:
        return coding
    known = ", ".join(CODINGS)
    raise Problem(
        415,
        f"The body must be in one of the content codings {known}, or in none.",
        headers={"Accept-Encoding": known},
    )
