"""Requests in Avro with Confluent's wire format: a zero byte, the schema's id, the record.

Run a worker with it, in the folder of this file; it needs fastavro and requests:

    export CATDOG_REQUEST_FORMAT=avro_requests:Avro SCHEMA_REGISTRY=http://registry:8081
    catdog-stream worker
"""

import io
import json
import os
import struct
from functools import lru_cache

import fastavro
import requests

from catdog_stream.messages.requests.request import Request

#: Id in the registry of the schema that ``send`` and HTTP write.
WRITTEN = int(os.environ.get("SCHEMA_ID", "1"))
HEAD = struct.Struct(">bI")


@lru_cache(1000)
def schema(number: int) -> dict | None:
    """Return a schema of the registry, which never changes; ``None`` if there is none."""
    answer = requests.get(f"{os.environ['SCHEMA_REGISTRY']}/schemas/ids/{number}", timeout=2)
    if answer.status_code == requests.codes.not_found:
        return None
    answer.raise_for_status()
    return fastavro.parse_schema(json.loads(answer.json()["schema"]))


class Avro:
    """A record with the fields ``image`` (bytes) and ``url`` (string or null)."""

    def read(self, value, headers):  # noqa: ARG002
        """Return the picture and the url of a record."""
        if len(value) < HEAD.size or value[0] != 0:
            raise ValueError("it does not begin with 0 and the id of a schema")
        number = HEAD.unpack_from(value)[1]
        if (known := schema(number)) is None:
            raise ValueError(f"the registry has no schema {number}")
        try:
            found = fastavro.schemaless_reader(io.BytesIO(value[HEAD.size :]), known)
            return Request(found.get("url"), found["image"])
        except (EOFError, KeyError, TypeError, IndexError) as error:
            raise ValueError(f"it is no record of the schema ({error!r})") from error

    def write(self, picture, url):
        """Return the value and the headers of a record."""
        file = io.BytesIO(HEAD.pack(0, WRITTEN))
        file.seek(HEAD.size)
        fastavro.schemaless_writer(file, schema(WRITTEN), {"image": picture, "url": url})
        return file.getvalue(), ()
