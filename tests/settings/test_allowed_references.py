"""Tests of the list of everything that a reference may name."""

from pathlib import Path

import pytest

from catdog_stream.settings.allowed_hosts import AllowedHost
from catdog_stream.settings.allowed_references import AllowedReferences, Bucket, file_path


def test_a_list_of_hosts_buckets_and_folders(tmp_path: Path) -> None:
    allowed = AllowedReferences.parse(
        "https://cats.example.org, https://10.1.0.0/16:8443/, https://*, s3://cats,"
        f" gs://dogs/of/2026/,az://more, file://{tmp_path},"
    )
    assert allowed == AllowedReferences(
        hosts=(AllowedHost.parse("cats.example.org"), AllowedHost.parse("10.1.0.0/16:8443")),
        public=True,
        buckets=(Bucket("s3", "cats"), Bucket("gs", "dogs", "of/2026/"), Bucket("az", "more")),
        folders=(tmp_path.resolve(),),
    )


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("cats.example.org", "begin with https://"),
        ("http://cats.example.org", "begin with https://"),
        ("ftp://cats", "begin with https://"),
        ("https://a b", "no host name"),
        ("https://10.1.2.3/16", "no host name"),
        ("s3://", "no name of a bucket"),
        ("s3://*", "no name of a bucket"),
        ("file://relative", "no absolute path"),
        ("file:///no/such/folder", "no folder"),
    ],
)
def test_entries_that_cannot_be_used(text: str, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        AllowedReferences.parse(text)


@pytest.mark.parametrize(
    ("reference", "key"),
    [
        ("s3://cats/a/b c#?.png", "a/b c#?.png"),
        ("s3://cats/", ""),
        ("s3://cat/a", None),
        ("gs://cats/a", None),
        ("s3://cats.example.org/a", None),
        ("s3://dogs/of/2026/a", "of/2026/a"),
        ("s3://dogs/of/2026", None),
        ("s3://dogs/of/20267", None),
        ("s3://dogs//of/2026/a", None),
        ("s3://dogs", None),
    ],
)
def test_objects_below_a_prefix_are_allowed(reference: str, key: str | None) -> None:
    allowed = AllowedReferences.parse("s3://cats, s3://dogs/of/2026")
    found = allowed.object_at(reference)
    assert (found and found[1]) == key


def test_a_file_url_is_a_path_of_this_machine() -> None:
    assert file_path("file:///a/b%20c") == Path("/a/b c")
    assert file_path("file://localhost/a") == Path("/a")
    for text in ("file://host/a", "file:///a%00b", "file://", "file:///%ff"):
        with pytest.raises(ValueError, match=r".+"):
            file_path(text)
