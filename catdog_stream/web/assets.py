"""Style sheet and scripts of the page: files of the package that browsers cache without limit.

Their path contains a hash of all of them, so a new version has new paths, including those of
scripts imported by other scripts.
"""

import gzip
import hashlib
from collections.abc import Mapping
from functools import cache
from importlib import resources

from aiohttp import web

from catdog_stream.web.api.problems import Problem

__all__ = ["asset", "static_path"]

_TYPES = {"css": "text/css", "js": "text/javascript", "svg": "image/svg+xml"}
_FOR_EVER = "public, max-age=31536000, immutable"


@cache
def _files() -> Mapping[str, bytes]:
    folder = resources.files("catdog_stream.web") / "static"
    names = sorted(file.name for file in folder.iterdir())
    return {
        name: (folder / name).read_bytes() for name in names if name.rpartition(".")[2] in _TYPES
    }


@cache
def _hash() -> str:
    parts = (name.encode() + b"\0" + content for name, content in _files().items())
    return hashlib.sha256(b"\0".join(parts)).hexdigest()[:12]


@cache
def _packed(name: str) -> bytes:
    return gzip.compress(_files()[name], mtime=0)


def static_path() -> str:
    """Return the path of the files, with a trailing slash."""
    return f"/static/{_hash()}/"


def asset(request: web.Request, version: str, name: str) -> web.Response:
    """Return one file; a page of another version gets the current file, without caching."""
    if name not in _files():
        raise Problem(404, "There is no such file.")
    headers = {
        "Cache-Control": _FOR_EVER if version == _hash() else "no-cache",
        "Vary": "Accept-Encoding",
    }
    body = _files()[name]
    if "gzip" in request.headers.get("Accept-Encoding", ""):
        headers["Content-Encoding"], body = "gzip", _packed(name)
    return web.Response(
        body=body, content_type=_TYPES[name.rpartition(".")[2]], charset="utf-8", headers=headers
    )
