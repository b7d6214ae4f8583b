"""Tests of mistakes with ``import-original``: each gives a sentence, and leaves no file behind."""

import os
import signal
import socket
import sys
import tempfile
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from catdog_stream.commands.import_original import import_original
from tests.models.legacy.old_format import leaf, old_booster, old_pickle
from tests.support.command import PATIENCE, Command


def run(*arguments: object) -> Result:
    return CliRunner().invoke(import_original, list(map(str, arguments)))


@pytest.fixture
def head(tmp_path: Path) -> Path:
    """Return a head that uses no feature."""
    file = tmp_path / "model.p"
    file.write_bytes(old_pickle(old_booster([[leaf(-1, 0.5)]], 1001), [0, 1]))
    return file


def test_mistakes_are_told_before_anything_is_downloaded(tmp_path: Path, head: Path) -> None:
    output = tmp_path / "stack"
    address = "http://host.invalid/inception_v3_2016_08_28.tar.gz"
    small = tmp_path / "small.p"
    small.write_bytes(old_pickle(old_booster([[leaf(-1, 0.5)]], 7), [0, 1]))
    for arguments, sentence in (
        (["--head", tmp_path / "nowhere.p"], f"There is no file {tmp_path / 'nowhere.p'}."),
        (
            ["--head", small],
            "The head takes 7 features, and TF-Slim's Inception V3 gives 1001.",
        ),
        (
            ["--head", head, "--classes", "cat"],
            "--classes cannot be used: there must be two classes or more.",
        ),
    ):
        answer = run(*arguments, "--checkpoint", address, "--output", output)
        assert (answer.exit_code, answer.stderr) == (1, f"Error: {sentence}\n")
    output.mkdir()
    (output / "mine").touch()
    answer = run("--head", head, "--checkpoint", address, "--output", output)
    assert answer.exit_code == 1
    assert answer.stderr.startswith(f"Error: There is something in {output} already")


@pytest.mark.slow
def test_a_checkpoint_that_is_none_leaves_nothing_behind(tmp_path: Path, head: Path) -> None:
    pytest.importorskip("tensorflow")
    before = set(Path(tempfile.gettempdir()).glob("catdog-checkpoint-*"))
    for name in ("nowhere.ckpt", "model.p"):
        checkpoint, output = tmp_path / name, tmp_path / "stack"
        answer = run("--head", head, "--checkpoint", checkpoint, "--output", output)
        assert answer.exit_code == 1
        assert answer.stderr.count("\n") == 1
        assert str(checkpoint) in answer.stderr
        assert not output.exists()
    assert set(Path(tempfile.gettempdir()).glob("catdog-checkpoint-*")) == before


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_in_the_midst_of_a_download_ends_it_at_once_and_leaves_nothing_behind(
    tmp_path: Path, head: Path, number: int
) -> None:
    pytest.importorskip("tensorflow")
    temporary, output = tmp_path / "temporary", tmp_path / "stack"
    temporary.mkdir()
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(PATIENCE)
        address = f"http://127.0.0.1:{server.getsockname()[1]}/inception_v3.ckpt"
        arguments = ["--head", head, "--checkpoint", address, "--output", output]
        command = [sys.executable, "-m", "catdog_stream", "import-original", *map(str, arguments)]
        environment = {**os.environ, "TMPDIR": str(temporary)}
        with Command(command, environment, tmp_path) as running:
            connection, _ = server.accept()
            with connection:
                connection.recv(4096)
                connection.sendall(
                    b"HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n" + bytes(70000)
                )
                running.wait_for("download:")
                assert list(temporary.iterdir())
                running.process.send_signal(number)
                assert running.wait(5) == 128 + number
        assert "Traceback" not in running.output()
    assert not list(temporary.glob("catdog-*"))
    assert not output.exists()
