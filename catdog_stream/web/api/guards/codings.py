"""Content codings: a body in an unknown one would be read as if it were in none."""

from multidict import CIMultiDict, CIMultiDictProxy

from catdog_stream.web.api.problems import Problem

__all__ = ["CODINGS", "content_coding"]

#: What is unpacked here (RFC 9110, 8.4.1).
CODINGS = ("gzip", "deflate")


def content_coding(headers: CIMultiDict[str] | CIMultiDictProxy[str]) -> str | None:
    """Return the content coding of a body, ``None`` for one as it is.

    A header that comes twice names two codings. Raises ``Problem`` for one that is not known.
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
