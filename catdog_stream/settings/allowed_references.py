"""Hosts, buckets and folders from which the pictures of requests may be fetched."""

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Self
from urllib.parse import unquote

from catdog_stream.settings.allowed_hosts import AllowedHost

__all__ = ["STORES", "AllowedReferences", "Bucket", "file_path"]

#: Schemes of the object stores.
STORES = ("s3", "gs", "az")

_BUCKET = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{1,254}")


@dataclass(frozen=True, slots=True)
class Bucket:
    """Bucket, or Azure container, of an object store, or the objects below a prefix in it."""

    scheme: str
    name: str
    #: Empty, or with a slash at its end.
    prefix: str = ""


@dataclass(frozen=True, slots=True)
class AllowedReferences:
    """Everything that a reference may name; build it with :meth:`parse`."""

    hosts: tuple[AllowedHost, ...] = ()
    #: ``True``: every host on the public internet, as well.
    public: bool = False
    buckets: tuple[Bucket, ...] = ()
    folders: tuple[Path, ...] = ()

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read a list, separated by commas.

        Its entries are

        - ``https://`` and a host, an address or a network, with or without ``:port``, or ``*``
          for every host on the public internet;
        - ``s3://``, ``gs://`` or ``az://`` and a bucket, with or without ``/prefix``;
        - ``file://`` and the absolute path of an existing folder.

        Raises:
            ValueError: an entry cannot be used; the message says why.
        """
        hosts: list[AllowedHost] = []
        buckets: list[Bucket] = []
        folders: list[Path] = []
        public = False
        for entry in filter(None, map(str.strip, text.split(","))):
            scheme, separator, rest = entry.partition("://")
            if scheme == "https" and rest == "*":
                public = True
            elif scheme == "https" and separator:
                hosts.append(AllowedHost.parse(rest.removesuffix("/")))
            elif scheme in STORES and separator:
                buckets.append(_bucket(scheme, rest))
            elif scheme == "file" and separator:
                folders.append(_folder(entry))
            else:
                raise ValueError(
                    f"{entry!r} does not begin with https://, s3://, gs://, az:// or file://"
                )
        return cls(tuple(hosts), public, tuple(buckets), tuple(folders))

    def object_at(self, reference: str) -> tuple[Bucket, str] | None:
        """Return the allowed bucket and the key of a reference; ``None`` if none is allowed."""
        scheme, _, rest = reference.partition("://")
        name, _, key = rest.partition("/")
        for bucket in self.buckets:
            if (bucket.scheme, bucket.name) == (scheme, name) and key.startswith(bucket.prefix):
                return bucket, key
        return None


def file_path(reference: str) -> Path:
    """Return the absolute path in ``file://`` of this machine. Raise ``ValueError``."""
    path = unquote(reference.removeprefix("file://").removeprefix("localhost"), errors="strict")
    if not path.startswith("/") or "\0" in path:
        raise ValueError(f"{reference!r} has no absolute path")
    return Path(path)


def _bucket(scheme: str, rest: str) -> Bucket:
    name, _, prefix = rest.partition("/")
    if not _BUCKET.fullmatch(name):
        raise ValueError(f"{name!r} is no name of a bucket")
    prefix = prefix.strip("/")
    return Bucket(scheme, name, f"{prefix}/" if prefix else "")


def _folder(entry: str) -> Path:
    folder = file_path(entry)
    if not folder.is_dir():
        raise ValueError(f"there is no folder {str(folder)!r}")
    return folder.resolve()
