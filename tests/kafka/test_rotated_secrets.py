"""Tests of secrets whose files change: they are read again, and an invalid one changes nothing."""

import asyncio
import logging
import os
import shutil
import ssl
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from catdog_stream.errors import SettingError
from catdog_stream.kafka.rotated_secrets import Reread
from catdog_stream.kafka.security import Security
from tests.support.secured import HOST, Certificates


def replace(file: Path, text: str) -> None:
    """Replace a file as secrets are replaced: written beside it, and renamed."""
    new = file.with_suffix(".new")
    new.write_text(text)
    new.rename(file)


@pytest.fixture
def password(tmp_path: Path) -> Path:
    file = tmp_path / "password"
    file.write_text("first\n")
    return file


def credentials(file: Path) -> Any:
    environment = {
        "CATDOG_SECURITY": "sasl_plaintext",
        "CATDOG_SASL_MECHANISM": "PLAIN",
        "CATDOG_SASL_USERNAME": "alice",
        "CATDOG_SASL_PASSWORD_FILE": str(file),
    }
    return Security.from_environment(environment).credentials()


def test_a_password_is_that_of_its_file(password: Path, caplog: pytest.LogCaptureFixture) -> None:
    given = credentials(password).password
    assert (given, given.current()) == ("first", "first")
    with caplog.at_level(logging.INFO):
        replace(password, "second\n")
        assert given.current() == "second"
    assert str(password) in caplog.text
    assert "second" not in caplog.text


def test_a_file_that_cannot_be_used_is_told_once_and_changes_nothing(
    password: Path, caplog: pytest.LogCaptureFixture
) -> None:
    given = credentials(password).password
    replace(password, "")  # half of a rotation
    assert [given.current() for _ in range(3)] == ["first"] * 3
    assert caplog.text.count("holds no password. What it held before is still used.") == 1
    password.unlink()
    assert given.current() == "first"
    password.write_text("second")
    assert given.current() == "second"


def test_what_can_be_read_only_once_is_read_once() -> None:
    read, write = os.pipe()
    os.write(write, b"piped\n")
    os.close(write)
    given = credentials(Path(f"/dev/fd/{read}")).password
    assert given.current() == "piped"
    os.close(read)


def test_a_file_is_not_read_while_it_does_not_change(password: Path) -> None:
    reads: list[str] = []

    def read() -> str:
        reads.append(password.read_text())
        return reads[-1]

    value = Reread(read, [password])
    for _ in range(3):
        value.current()
    assert len(reads) == 1


def test_a_context_is_refused_at_once_where_its_file_is_none(tmp_path: Path) -> None:
    with pytest.raises(SettingError):
        Security("ssl", ca_file=tmp_path / "none").credentials()


needs_openssl = pytest.mark.skipif(shutil.which("openssl") is None, reason="no openssl")


@pytest.fixture(scope="module")
def old_and_new(tmp_path_factory: pytest.TempPathFactory) -> tuple[Certificates, Certificates]:
    made = [Certificates(tmp_path_factory.mktemp(name)) for name in ("old", "new")]
    for certificates in made:
        certificates.make()
    return made[0], made[1]


async def connects(context: ssl.SSLContext, server: Certificates) -> bool:
    """Return ``True`` if a client with ``context`` and a server with its certificates agree."""
    at_server = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH, cafile=server.authority)
    at_server.load_cert_chain(server.server)
    at_server.verify_mode = ssl.CERT_REQUIRED

    async def greet(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(await reader.readexactly(1))
        writer.close()

    async with await asyncio.start_server(greet, HOST, 0, ssl=at_server) as listening:
        port = listening.sockets[0].getsockname()[1]
        try:
            reader, writer = await asyncio.open_connection(HOST, port, ssl=context)
            writer.write(b"?")
            answer = await reader.read()
            writer.close()
        except (ssl.SSLError, ConnectionError):
            return False
        return answer == b"?"


@needs_openssl
@pytest.mark.parametrize("loop", [asyncio.new_event_loop, "uvloop"])
def test_a_new_authority_and_a_new_certificate_need_no_restart(
    old_and_new: tuple[Certificates, Certificates],
    tmp_path: Path,
    loop: Callable[[], asyncio.AbstractEventLoop] | str,
) -> None:
    old, new = old_and_new
    authority, own = tmp_path / "ca.pem", tmp_path / "own.pem"
    authority.write_text(old.authority.read_text())
    own.write_text(old.client.read_text())
    context = Security("ssl", ca_file=authority, cert_file=own).credentials().context  # type: ignore[union-attr]

    async def scenario() -> None:
        assert await connects(context, old)
        assert not await connects(context, new)
        replace(authority, new.authority.read_text())
        assert not await connects(context, new), "its own certificate is an old one"
        replace(own, "half of it")
        assert not await connects(context, new)
        replace(own, new.client.read_text())
        assert await connects(context, new)
        assert not await connects(context, old), "the old authority is trusted no more"

    if loop == "uvloop":
        loop = pytest.importorskip("uvloop").new_event_loop
    assert callable(loop)
    with asyncio.Runner(loop_factory=loop) as runner:
        runner.run(scenario())
