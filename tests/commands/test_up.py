"""Test of the program that ``up`` starts as its worker."""

import sys

import pytest

from catdog_stream.commands.up import same_program
from catdog_stream.errors import CatDogError


@pytest.mark.parametrize(
    "before",
    [
        ["-m", "catdog_stream"],
        ["mine.py"],
        ["-X", "dev", "-m", "my.app"],
        ["/bin/faust", "-A", "a"],
    ],
)
def test_it_is_this_program_with_all_that_stands_before_the_command(
    before: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "orig_argv", ["python3", *before, "up", "--samples"])
    rest = before[before.index("/bin/faust") + 1 :] if "/bin/faust" in before else []
    monkeypatch.setattr(sys, "argv", ["program", *rest, "up", "--samples"])
    assert same_program("up") == [sys.executable, *before]


def test_a_program_that_chose_the_command_itself_is_refused(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(sys, "orig_argv", ["python3", "mine.py"])
    monkeypatch.setattr(sys, "argv", ["mine.py", "up"])
    with pytest.raises(CatDogError, match="run python PROGRAM up"):
        same_program("up")
