"""Tests of the name of a new stack: an unusable name is refused before the work begins."""

from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from catdog_stream.commands.fit_ood import fit_ood
from catdog_stream.commands.import_model import import_command
from catdog_stream.commands.import_original import import_original
from catdog_stream.commands.stack_names import stack_name
from catdog_stream.commands.train import train
from catdog_stream.commands.train_head import train_head
from catdog_stream.errors import InputError
from catdog_stream.models.stacks.repository import StackId, shipped

#: Required arguments of each command; none of the files exists.
NEEDED = {
    train: ["nowhere", "--output", "stack"],
    train_head: ["nowhere", "--output", "stack"],
    import_command: ["nowhere", "--output", "stack"],
    import_original: ["--head", "nowhere", "--checkpoint", "nowhere", "--output", "stack"],
    fit_ood: ["stack", "nowhere"],
}
UNFIT = ["my foods", "../x", "a/b", ".hidden", "", "ä", "x" * 65]


@pytest.mark.parametrize("unfit", UNFIT)
@pytest.mark.parametrize(
    ("command", "option"),
    [
        *((command, "--version") for command in NEEDED),
        *((command, "--name") for command in (train, train_head, import_command, import_original)),
    ],
)
def test_a_name_by_which_no_stack_can_be_used_is_refused_before_anything_is_read(
    command: click.Command, option: str, unfit: str
) -> None:
    answer = CliRunner().invoke(command, [*NEEDED[command], option, unfit])
    assert answer.exit_code == 2
    assert answer.stderr.splitlines()[-1] == (
        f"Error: Invalid value for '{option}': {unfit!r} cannot be used: it must have 1 to 64 of "
        "A-Z, a-z, 0-9, '_', '-' and '.', and no '.' first."
    )


def test_a_stack_is_called_like_the_folder_of_its_pictures(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert stack_name(None, "1", Path("somewhere/Foods")) == "Foods"
    assert stack_name("pets", "1", Path("my foods")) == "pets"
    folder = tmp_path / "birds"
    folder.mkdir()
    monkeypatch.chdir(folder)
    assert stack_name(None, "1", Path()) == "birds"


@pytest.mark.parametrize("command", [train, train_head])
def test_a_folder_whose_name_cannot_be_a_stacks_is_refused_before_anything_is_read(
    command: click.Command,
) -> None:
    answer = CliRunner().invoke(command, ["my foods", "--output", "stack"])
    assert (answer.exit_code, answer.stderr) == (
        1,
        "Error: A stack cannot be called like the folder, 'my foods': --name gives it a name.\n",
    )


@pytest.mark.parametrize("stack", shipped(), ids=str)
def test_a_stack_has_the_name_and_version_of_one_that_ships_only_where_that_is_asked_for(
    stack: StackId,
) -> None:
    with pytest.raises(InputError, match=f"{stack} is a stack that ships: --name"):
        stack_name(None, stack.version, Path(stack.name))
    assert stack_name(None, "own", Path(stack.name)) == stack.name
    assert stack_name(stack.name, stack.version, Path("pictures")) == stack.name
