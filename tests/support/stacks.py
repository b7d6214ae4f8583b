"""Stacks for a repository, made of the default one."""

import json
from pathlib import Path

from catdog_stream.models.stacks.locate import default_stack


def add(folder: Path, name: str, version: str, **changes: object) -> Path:
    """The default stack under another name and version; its files are links."""
    directory = folder / name / version
    directory.mkdir(parents=True)
    for file in default_stack().iterdir():
        (directory / file.name).symlink_to(file)
    manifest = json.loads((default_stack() / "manifest.json").read_bytes())
    (directory / "manifest.json").unlink()
    (directory / "manifest.json").write_text(
        json.dumps({**manifest, "name": name, "version": version, **changes})
    )
    return directory
