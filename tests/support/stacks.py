"""Shipped stacks, and stacks for a repository that are derived from them."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import xgboost

from catdog_stream.models.stacks.head import objective_of
from catdog_stream.models.stacks.locate import default_stack, samples
from catdog_stream.models.stacks.manifest import describe, load_manifest
from catdog_stream.models.stacks.repository import StackId, shipped

SECONDS = 180.0

#: Default stack, and the other shipped stack.
DEFAULT, SECOND = shipped()

#: Sections of a manifest that hold only for the default stack's own classes.
OF_ITS_CLASSES = ("golden", "familiarity", "reference")


def in_header(stack: StackId) -> str:
    """Return ``stack`` in the form of a label's header."""
    return f"{stack.name} {stack.version}"


def quality() -> dict[str, Any]:
    """Return the quality of the default stack from its manifest."""
    return load_manifest(default_stack()).quality or {}


def add(folder: Path, name: str, version: str, **changes: object) -> Path:
    """Add the default stack under another name and version; its files are links.

    Leaves out the sections that hold only for a cat and a dog in this order.
    """
    directory = folder / name / version
    directory.mkdir(parents=True)
    for file in default_stack().iterdir():
        (directory / file.name).symlink_to(file)
    manifest = json.loads((default_stack() / "manifest.json").read_bytes())
    for section in OF_ITS_CLASSES:
        manifest.pop(section, None)
    manifest["parts"].pop("familiarity", None)
    (directory / "manifest.json").unlink()
    (directory / "manifest.json").write_text(
        json.dumps({**manifest, "name": name, "version": version, **changes})
    )
    return directory


def with_golden(folder: Path, name: str, version: str, **scores: float) -> Path:
    """Add the same stack with the kitten of the samples as a golden picture with these scores."""
    kitten = samples() / "cat-kitten.jpg"
    part = describe(kitten.parent, kitten.name)
    entry = {"file": part.file, "sha256": part.sha256, "scores": scores}
    directory = add(folder, name, version, golden=[entry])
    (directory / kitten.name).symlink_to(kitten)
    return directory


def with_classes(folder: Path, name: str, version: str, *classes: str) -> Path:
    """Add the default backbone with a head for three classes or more that was trained on noise."""
    random = np.random.default_rng(0)
    labels = np.arange(6 * len(classes)) % len(classes)
    features = random.random((len(labels), 2048), np.float32)
    booster = xgboost.train(
        {"objective": objective_of(len(classes)), "num_class": len(classes), "nthread": 1},
        xgboost.DMatrix(features, labels),
        2,
    )
    directory = add(folder, name, version)
    (directory / "head.ubj").unlink()
    booster.save_model(directory / "head.ubj")
    manifest = json.loads((directory / "manifest.json").read_bytes())
    manifest["classes"] = classes
    manifest["parts"]["head"]["sha256"] = describe(directory, "head.ubj").sha256
    (directory / "manifest.json").write_text(json.dumps(manifest))
    return directory


def command(address: str, folder: Path | None, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run ``catdog-stream stacks``; without ``folder``, only the workers have the stacks."""
    environment = {key: value for key, value in os.environ.items() if key != "CATDOG_STACKS"}
    if folder is not None:
        environment["CATDOG_STACKS"] = str(folder)
    return subprocess.run(
        [sys.executable, "-m", "catdog_stream", "stacks", *arguments],
        env={**environment, "CATDOG_BROKER": f"kafka://{address}"},
        capture_output=True,
        text=True,
        timeout=SECONDS,
        check=False,
    )
