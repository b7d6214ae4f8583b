"""Fine-tuning of a network on random views of labelled pictures: first its upper part, then all.

The result is the running average of the weights, which is better than the final weights. With a
teacher, a network that knows more, the network also learns to imitate the teacher's features.

The same pictures, options, seed and number of threads give the same weights, even if the training
was stopped and resumed.
"""

import hashlib
import json
import os
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from tqdm import tqdm

from catdog_stream.models.training.backbone import checkpoints
from catdog_stream.models.training.backbone.checkpoints import Arrays
from catdog_stream.models.training.backbone.network import Network
from catdog_stream.models.training.backbone.pictures import decoded
from catdog_stream.models.training.backbone.plan import FineTuning, batches
from catdog_stream.models.training.labelled import LabelledFile

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

import tensorflow as tf

from catdog_stream.models.training.backbone.learning import Learning

__all__ = ["FineTuned", "fine_tune"]

#: Time between two checkpoints.
_SAVE_SECONDS = 120.0


@dataclass(frozen=True, slots=True)
class FineTuned:
    """The result of ``fine_tune``."""

    weights: Arrays
    """Weights in the order of Keras' ``get_weights()``."""
    losses: list[float]
    """Loss of each step: the cross-entropy plus the cost of differing from the teacher."""


def fine_tune(
    files: Sequence[LabelledFile],
    classes: int,
    start: Network,
    options: FineTuning,
    folder: Path,
    *,
    teacher: Network | None = None,
    threads: int,
    progress: bool = True,
) -> FineTuned:
    """Train ``start`` on ``files``.

    Resumes from the checkpoint in ``folder``, if there is one.

    Args:
        files: the training pictures. Unreadable files are skipped.
        classes: number of classes.
        start: the network, with its initial weights.
        options: options of the training.
        folder: folder for the checkpoint, and for decoded pictures during the training.
        teacher: the network to imitate.
        threads: number of CPU threads. TensorFlow keeps the number of the first network in the
            process.
        progress: show the progress.

    Raises:
        InputError: ``folder`` cannot be written, or has the checkpoint of another training.
    """
    _configure(threads)
    folder.mkdir(parents=True, exist_ok=True)
    about = _about(files, start, options, teacher)
    with decoded(files, start.preprocessing, folder, threads=threads, progress=progress) as (
        pictures,
        labels,
    ):
        training = Learning(start, classes, options, teacher)
        state = checkpoints.load(folder, about)
        for phase in range(state.phase if state else 0, len(options.phases)):
            here = state if state is not None and state.phase == phase else None
            training.begin(phase, here)
            steps = options.steps(phase, len(pictures))
            first = here.step if here else 0
            if first >= steps:
                continue
            saved = time.monotonic()
            with tqdm(
                total=steps, initial=first, unit="step", desc=f"phase {phase + 1}",
                disable=not progress,
            ) as bar:  # fmt: skip
                order = batches(
                    len(pictures), options.batch, steps, (options.seed, phase), first=first
                )
                for step, chosen in enumerate(order, first):
                    loss = training.step(step, steps, pictures[chosen], labels[chosen])
                    bar.set_postfix_str(f"loss {loss:.3f}", refresh=False)
                    bar.update()
                    if time.monotonic() - saved > _SAVE_SECONDS or step + 1 == steps:
                        checkpoints.save(folder, training.state(about, phase, step + 1))
                        saved = time.monotonic()
        return FineTuned(training.averages(), training.losses)


def _about(
    files: Sequence[LabelledFile], start: Network, options: FineTuning, teacher: Network | None
) -> str:
    """Return a digest of everything that determines the result."""
    digest = hashlib.sha256()
    for part in _parts(files, start, options, teacher):
        digest.update(part)
    return digest.hexdigest()


def _parts(
    files: Sequence[LabelledFile], start: Network, options: FineTuning, teacher: Network | None
) -> Iterator[bytes]:
    yield json.dumps(options.as_json(), sort_keys=True).encode()
    for file in files:
        yield f"{file.path.name}\0{file.label}\0{file.path.stat().st_size}\n".encode()
    for network in (start, teacher):
        if network is not None:
            yield f"{network.name} {network.preprocessing}".encode()
            yield from (weight.tobytes() for weight in network.weights)


def _configure(threads: int) -> None:
    tf.config.experimental.enable_op_determinism()
    try:
        tf.config.threading.set_intra_op_parallelism_threads(threads)
        tf.config.threading.set_inter_op_parallelism_threads(1)
    except RuntimeError:
        pass  # TensorFlow already computes, and the number of threads is fixed
