"""Safe output of untrusted text on a terminal."""

__all__ = ["shown"]


def shown(text: str) -> str:
    """Return ``text`` as one line, with Python's escapes for all unprintable characters.

    These are control characters, line breaks, changes of the writing direction, invisible
    characters and invalid characters. A backslash stays unchanged, because people read the text.
    """
    return "".join(
        character if character.isprintable() else _escaped(character) for character in text
    )


def _escaped(character: str) -> str:
    return character.encode("unicode_escape", "surrogatepass").decode("ascii")
