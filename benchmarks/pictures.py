"""Pictures that the benchmarks classify."""

from pathlib import Path

__all__ = ["pictures"]

_SUFFIXES = frozenset({".png", ".jpg", ".jpeg", ".webp", ".gif", ".bmp"})


def pictures(folder: Path, count: int) -> list[bytes]:
    """Return ``count`` picture files of ``folder`` and its subfolders, each about equally often.

    They are taken evenly from the sorted list of all files, because folders are often classes.
    Raises ``SystemExit`` with a sentence if there is none.
    """
    files = sorted(file for file in folder.rglob("*") if file.suffix.lower() in _SUFFIXES)
    if not files:
        raise SystemExit(f"There is no picture in {folder}.")
    chosen = [files[index * len(files) // count] for index in range(count)]
    contents = {file: file.read_bytes() for file in set(chosen)}
    return [contents[file] for file in chosen]
