"""A stack that is made has a name by which it can be used, or is not begun."""

import click
import pytest
from click.testing import CliRunner

from catdog_stream.commands.familiarize import familiarize
from catdog_stream.commands.import_original import import_original
from catdog_stream.commands.train import train
from catdog_stream.commands.train_head import train_head

#: What each command cannot do without; none of it is there.
NEEDED = {
    train: ["nowhere", "--output", "stack"],
    train_head: ["nowhere", "--output", "stack"],
    import_original: ["--head", "nowhere", "--checkpoint", "nowhere", "--output", "stack"],
    familiarize: ["stack", "nowhere"],
}
UNFIT = ["my foods", "../x", "a/b", ".hidden", "", "ä", "x" * 65]


@pytest.mark.parametrize("unfit", UNFIT)
@pytest.mark.parametrize(
    ("command", "option"),
    [
        *((command, "--version") for command in NEEDED),
        *((command, "--name") for command in (train, train_head, import_original)),
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
