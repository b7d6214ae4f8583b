"""What others wrote, shown on a terminal: as text and nothing else."""

__all__ = ["shown"]


def shown(text: str) -> str:
    """``text`` in one line, with Python's escapes for what is no plain character.

    Such are the controls of a terminal, line breaks, what turns the direction of writing, is
    invisible, or is no character at all. A backslash stays what it is: this is for people to read.
    """
    return "".join(
        character if character.isprintable() else _escaped(character) for character in text
    )


def _escaped(character: str) -> str:
    return character.encode("unicode_escape", "surrogatepass").decode("ascii")
