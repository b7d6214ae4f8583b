"""Tests of a checkpoint from a file, an archive or a URL; all of these are untrusted."""

import gzip
import hashlib
import io
import shutil
import tarfile
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

from catdog_stream.errors import InputError
from catdog_stream.models.legacy import checkpoint_file
from catdog_stream.models.legacy.checkpoint_file import MEMBER, at_hand

CONTENT = b"what TensorFlow reads" * 1000
SHA256 = hashlib.sha256(CONTENT).hexdigest()


def read(place: object, sha256: str | None = None) -> bytes:
    with at_hand(str(place), sha256=sha256, progress=False) as found:
        content = found.path.read_bytes()
    return content  # noqa: RET504 - not within the block, which mypy thinks may swallow errors


def archive(*members: tarfile.TarInfo | str, content: bytes = CONTENT) -> bytes:
    """Return a ``.tar.gz``: a name stands for a file with ``content``."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as tar:
        for member in members:
            info = tarfile.TarInfo(member) if isinstance(member, str) else member
            if info.isreg():
                info.size = len(content)
            tar.addfile(info, io.BytesIO(content) if info.isreg() else None)
    return buffer.getvalue()


def sparse() -> bytes:
    """Return a ``.tar.gz`` of a file of 3 MB that is one hole, as GNU tar stores it."""
    info = tarfile.TarInfo(MEMBER)
    info.type = tarfile.GNUTYPE_SPARSE
    header = bytearray(info.tobuf(tarfile.GNU_FORMAT))
    header[483:495] = b"%011o\0" % 3_000_000  # the size including the holes
    header[148:156] = b" " * 8
    header[148:156] = b"%06o\0 " % sum(header)
    return gzip.compress(bytes(header) + bytes(1024))


def pax_sparse() -> bytes:
    """Return the same, as POSIX tar stores it."""
    info = tarfile.TarInfo(MEMBER)
    info.pax_headers = {"GNU.sparse.map": "0,0", "GNU.sparse.size": "3000000"}
    return gzip.compress(info.tobuf(tarfile.PAX_FORMAT) + bytes(1024))


def long_names(count: int) -> bytes:
    """Return a ``.tar.gz`` of headers that each give the next header a long name."""
    info = tarfile.TarInfo("././@LongLink")
    info.type, info.size = tarfile.GNUTYPE_LONGNAME, 2
    header = info.tobuf(tarfile.GNU_FORMAT) + b"x".ljust(tarfile.BLOCKSIZE, b"\0")
    return gzip.compress(header * count + bytes(1024))


def link(name: str, target: str, kind: bytes) -> tarfile.TarInfo:
    info = tarfile.TarInfo(name)
    info.type, info.linkname = kind, target
    return info


def test_a_file_is_taken_where_it_lies(tmp_path: Path) -> None:
    file = tmp_path / "model.ckpt"
    file.write_bytes(CONTENT)
    with at_hand(str(file)) as found:
        assert (found.path, found.sha256) == (file, SHA256)
    assert read(file, SHA256.upper()) == CONTENT
    with at_hand(str(tmp_path / "prefix")) as found:  # the reader reports what is missing
        assert (found.path, found.sha256) == (tmp_path / "prefix", None)


def test_another_sum_than_the_one_given_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "model.ckpt"
    file.write_bytes(CONTENT + b"!")
    with pytest.raises(InputError, match=r"The SHA-256 of .*model\.ckpt is [0-9a-f]{64}, not"):
        read(file, SHA256)
    with pytest.raises(InputError, match=r"no file .* that could have a SHA-256"):
        read(tmp_path / "prefix", SHA256)


@pytest.mark.parametrize("name", [MEMBER, f"./{MEMBER}", f"/etc/{MEMBER}", f"../../{MEMBER}"])
def test_the_one_file_is_taken_out_of_an_archive_wherever_it_says_it_belongs(
    tmp_path: Path, name: str
) -> None:
    file = tmp_path / "archive.tar.gz"
    file.write_bytes(archive("README", "../../escaped", name))
    with at_hand(str(file)) as found:
        folder = found.path.parent
        assert found.path.read_bytes() == CONTENT
        assert [path.name for path in folder.iterdir()] == [MEMBER]
        assert found.sha256 == hashlib.sha256(file.read_bytes()).hexdigest()
    assert not folder.exists()
    assert not (folder.parent.parent / "escaped").exists()


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (archive("README"), f"holds no file {MEMBER}"),
        (archive(link(MEMBER, "/etc/passwd", tarfile.SYMTYPE)), f"holds no file {MEMBER}"),
        (archive("README", link(MEMBER, "README", tarfile.LNKTYPE)), f"holds no file {MEMBER}"),
        (archive(link(MEMBER, "", tarfile.FIFOTYPE)), f"holds no file {MEMBER}"),
        (sparse(), f"{MEMBER} .* is kept as a sparse file"),
        (pax_sparse(), f"{MEMBER} .* is kept as a sparse file"),
        (long_names(3000), "cannot be unpacked: it is damaged"),
        (archive(MEMBER)[:-40], "cannot be unpacked: it is damaged"),
        (gzip.compress(b"no archive" * 100), "cannot be unpacked: it is damaged"),
        (b"\x1f\x8b and nothing of the kind", "cannot be unpacked: it is damaged"),
    ],
    ids=[
        "other file",
        "symbolic link",
        "hard link",
        "named pipe",
        "sparse file",
        "sparse file of POSIX",
        "long names",
        "cut off",
        "no archive",
        "no compression",
    ],
)
def test_an_archive_without_it_is_told(tmp_path: Path, content: bytes, sentence: str) -> None:
    file = tmp_path / "archive.tar.gz"
    file.write_bytes(content)
    with pytest.raises(InputError, match=sentence):
        read(file)


@pytest.mark.parametrize("name", [MEMBER, "before"])
def test_an_archive_that_unpacks_to_too_much_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.setattr(checkpoint_file, "MAX_BYTES", 1_000_000)
    file = tmp_path / "archive.tar.gz"
    file.write_bytes(archive(name, MEMBER, content=bytes(2_000_000)))
    assert file.stat().st_size < 10_000
    with pytest.raises(InputError, match="unpacks to more than the 1000000 bytes allowed"):
        read(file)


def test_what_unpacks_to_too_much_is_refused_before_anything_is_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(checkpoint_file, "MAX_BYTES", 1_000_000)
    written: list[str] = []
    monkeypatch.setattr(shutil, "copyfileobj", lambda _, file: written.append(file.name))
    file = tmp_path / "archive.tar.gz"
    for content in (sparse(), pax_sparse(), archive(MEMBER, content=bytes(2_000_000))):
        file.write_bytes(content)
        with pytest.raises(InputError):
            read(file)
    assert not written


class Answers(BaseHTTPRequestHandler):
    """Web server that answers by the name of the path."""

    def do_GET(self) -> None:
        if self.path.startswith("/to?"):
            self.send_response(302)
            self.send_header("Location", self.path.partition("?")[2])
            self.end_headers()
            return
        if self.path == "/nowhere":
            self.send_error(404)
            return
        body = archive(MEMBER) if self.path == "/archive.tar.gz" else CONTENT
        self.send_response(200)
        if self.path != "/unknown-length":
            self.send_header("Content-Length", str(len(body) * (2 if self.path == "/cut" else 1)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Print no log line on the terminal."""


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    with HTTPServer(("127.0.0.1", 0), Answers) as http:
        thread = threading.Thread(target=http.serve_forever, args=(0.05,))
        thread.start()
        yield f"http://127.0.0.1:{http.server_port}"
        http.shutdown()
        thread.join()


@pytest.mark.parametrize("path", ["/file.ckpt", "/archive.tar.gz", "/unknown-length", "/to?/file"])
def test_an_address_is_downloaded_and_nothing_stays(server: str, path: str) -> None:
    with at_hand(server + path, progress=False) as found:
        assert found.path.read_bytes() == CONTENT
        folder = found.path.parent
    assert not folder.exists()


@pytest.mark.parametrize(
    ("address", "sentence"),
    [
        ("SERVER/nowhere", "cannot be downloaded: Not Found"),
        ("SERVER/cut", rf"ended after {len(CONTENT)} of {2 * len(CONTENT)} bytes"),
        ("SERVER/to?file:///etc/passwd", "cannot be downloaded: .*not allowed"),
        ("SERVER/to?ftp://127.0.0.1/x", "cannot be downloaded: unknown url type: ftp"),
        ("file:///etc/passwd", "cannot be downloaded: only http and https are"),
        ("ftp://127.0.0.1/x", "cannot be downloaded: only http and https are"),
        ("http://", "cannot be downloaded: only http and https are"),
        ("http://[::1/", "is not an address"),
        ("http://127.0.0.1:1/x", "cannot be downloaded: .*refused"),
        ("http://127.0.0.1:99999/", "cannot be downloaded: "),
        ("http://host.invalid/a b", "cannot be downloaded: "),
    ],
)
def test_an_address_that_cannot_be_used_is_told(server: str, address: str, sentence: str) -> None:
    with pytest.raises(InputError, match=sentence):
        read(address.replace("SERVER", server))


def test_a_download_has_a_limit_and_its_sentence_no_password(
    server: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(checkpoint_file, "MAX_BYTES", 1000)
    with pytest.raises(InputError, match="has more than the 1000 bytes allowed"):
        read(f"{server}/file?token=secret")
    with pytest.raises(InputError) as raised:
        read("http://user:secret@127.0.0.1:1/file?token=secret")
    assert "secret" not in str(raised.value)
