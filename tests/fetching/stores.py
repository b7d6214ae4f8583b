"""S3 servers on this machine: a real one, and hostile ones."""

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import boto3
from moto.server import ThreadedMotoServer


def environment(address: str) -> dict[str, str]:
    """Return the variables by which the library finds an S3 server at ``http://host:port``."""
    return {
        "AWS_ACCESS_KEY_ID": "key",
        "AWS_SECRET_ACCESS_KEY": "secret",
        "AWS_REGION": "us-east-1",
        "AWS_ENDPOINT_URL": address,
        "AWS_ALLOW_HTTP": "true",
    }


@contextmanager
def in_environment(variables: Mapping[str, str]) -> Iterator[None]:
    """Set variables of this process while the block runs."""
    before = dict(os.environ)
    os.environ.update(variables)
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(before)


class S3:
    """Running S3 server, and a client of another library that writes to it."""

    def __init__(self, address: str) -> None:
        self.address = address
        names = environment(address)
        self._client: Any = boto3.client(
            "s3",
            endpoint_url=address,
            region_name=names["AWS_REGION"],
            aws_access_key_id=names["AWS_ACCESS_KEY_ID"],
            aws_secret_access_key=names["AWS_SECRET_ACCESS_KEY"],
        )

    def put(self, bucket: str, objects: Mapping[str, bytes]) -> None:
        """Create a bucket with objects."""
        self._client.create_bucket(Bucket=bucket)
        for key, body in objects.items():
            self._client.put_object(Bucket=bucket, Key=key, Body=body)


@contextmanager
def s3() -> Iterator[S3]:
    """Run an S3 server."""
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    try:
        host, port = server.get_host_and_port()
        yield S3(f"http://{host}:{port}")
    finally:
        server.stop()
