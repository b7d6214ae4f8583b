"""Environment variables of secured clusters: single values, secrets and their files."""

import ssl
from collections.abc import Mapping
from pathlib import Path

from catdog_stream.errors import SettingError

__all__ = ["first_line", "one_of", "path", "refuse", "required", "secret", "unusable"]


def one_of(name: str, value: str, allowed: tuple[str, ...]) -> str:
    """Return ``value`` if it is allowed. Raises ``SettingError``."""
    if value not in allowed:
        raise SettingError(
            f"{name}={value!r} cannot be used: it must be one of {', '.join(allowed)}."
        )
    return value


def refuse(environment: Mapping[str, str], names: tuple[str, ...], user: str) -> None:
    """Raise ``SettingError`` for a variable that has no effect: only ``user`` uses it."""
    for name in names:
        if environment.get(name):
            raise SettingError(f"{name} is set, but only {user} uses it.")


def required(environment: Mapping[str, str], name: str, user: str) -> str:
    """Return the value of the variable that ``user`` needs. Raises ``SettingError``."""
    value = environment.get(name, "").strip()
    if not value:
        raise SettingError(f"{user} needs {name}.")
    return value


def path(environment: Mapping[str, str], name: str) -> Path | None:
    """Return the path in a variable; ``None`` if it is not set."""
    text = environment.get(name, "").strip()
    return Path(text) if text else None


def secret(environment: Mapping[str, str], name: str, user: str) -> tuple[str, Path | None]:
    """Return the secret that ``user`` needs, and its file if ``NAME_FILE`` names one.

    Raises:
        SettingError: neither variable is set, both are, or the file cannot be used.
    """
    in_file = f"{name}_FILE"
    text, file = environment.get(name), path(environment, in_file)
    if text and file:
        raise SettingError(f"Set {name} or {in_file}, not both.")
    if file:
        return first_line(in_file, file), file
    if not text:
        raise SettingError(f"{user} needs {name} or {in_file}.")
    return text, None


def first_line(name: str, file: Path) -> str:
    """Return the secret in the file that the variable ``name`` names. Raises ``SettingError``."""
    try:
        text = file.read_text("utf-8").partition("\n")[0].removesuffix("\r")
    except OSError as error:
        raise unusable(name, file, error) from error
    except UnicodeDecodeError:  # not chained: its text would show the content of the file
        raise SettingError(f"{name}={file} is not UTF-8 text.") from None
    if not text:
        kind = name.removesuffix("_FILE").rpartition("_")[2].lower()
        raise SettingError(f"{name}={file} holds no {kind}.")
    return text


def unusable(name: str, file: Path | None, error: OSError) -> SettingError:
    """Return the error for a file that cannot be read, or is not what it should be."""
    why = "it is not PEM, damaged, or not what belongs there"
    if not isinstance(error, ssl.SSLError):
        why = error.strerror or type(error).__name__
    elif error.reason == "KEY_VALUES_MISMATCH":
        why = "key and certificate do not belong together"
    return SettingError(f"{name}={file} cannot be used: {why}.")
