"""Train a network on labelled pictures: its upper part, then all of it, seen in random views.

What comes out is the running average of the weights, which is better than the last ones. With a
teacher, another network that knows more, its features are imitated beside: both see the same view
(Beyer et al., "Knowledge distillation: A good teacher is patient and consistent", 2021).

The same pictures, options, seed and number of threads give the same weights, stopped or not.
"""

import hashlib
import json
import os
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from tqdm import tqdm

from catdog_stream.models.engines.networks import NetworkName, build_network
from catdog_stream.models.preprocessing import Preprocessing
from catdog_stream.models.training.backbone import checkpoints
from catdog_stream.models.training.backbone.checkpoints import Arrays, Checkpoint
from catdog_stream.models.training.backbone.pictures import decoded
from catdog_stream.models.training.backbone.plan import FineTuning, batches, rate_at
from catdog_stream.models.training.labelled import LabelledFile

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

import keras
import tensorflow as tf

from catdog_stream.models.training.backbone.views import views

__all__ = ["FineTuned", "Network", "fine_tune"]

#: Of the network's weights, so large a share is its upper part.
_UPPER_SHARE = 0.6
#: Seconds between two checkpoints.
_SAVE_SECONDS = 300.0


@dataclass(frozen=True, slots=True)
class Network:
    """A network with weights, and what it wants a picture to be."""

    name: NetworkName
    preprocessing: Preprocessing
    weights: Arrays
    """In the order of Keras' ``get_weights()``."""


@dataclass(frozen=True, slots=True)
class FineTuned:
    """What ``fine_tune`` made."""

    weights: Arrays
    """In the order of Keras' ``get_weights()``."""
    losses: list[float]
    """Of each step: cross-entropy, and what differing from the teacher costs."""


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

    Args:
        files: what it sees. Unreadable ones are left out.
        classes: how many there are.
        start: the network, with the weights to begin with.
        options: how.
        folder: keeps a checkpoint, from which a training that was stopped goes on, and decoded
            pictures while it runs.
        teacher: what it is to imitate.
        threads: of the CPU. A process's first network decides.
        progress: whether to show how far it is.

    Raises:
        InputError: ``folder`` cannot be written, or holds the checkpoint of another training.
    """
    _configure(threads)
    folder.mkdir(parents=True, exist_ok=True)
    about = _about(files, start, options, teacher)
    with decoded(files, start.preprocessing, folder, threads=threads, progress=progress) as (
        pictures,
        labels,
    ):
        training = _Training(start, classes, options, teacher)
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


class _Training:
    """The network, its classifier, and what changes them."""

    def __init__(
        self, start: Network, classes: int, options: FineTuning, teacher: Network | None
    ) -> None:
        self.losses: list[float] = []
        self._start, self._teacher_of = start, teacher
        self._classes, self._options = classes, options
        keras.utils.set_random_seed(options.seed)
        self._values: Arrays | None = None
        self._average: Arrays | None = None

    def begin(self, phase: int, state: Checkpoint | None) -> None:
        """Make ready for a phase, where it begins or where ``state`` has left it."""
        part, options = self._options.phases[phase], self._options
        keras.utils.set_random_seed(options.seed + phase)
        precision = "mixed_bfloat16" if _has_bfloat16() else "float32"
        network = build_network(self._start.name, part.size, precision)
        network.set_weights(self._start.weights)
        _freeze(network, upper=part.upper)
        classifier = keras.layers.Dense(self._classes, dtype="float32")
        features = network.output_shape[-1]
        classifier.build((None, features))
        layers = [network, classifier]
        teacher = projection = None
        if self._teacher_of is not None:
            teacher = build_network(self._teacher_of.name, part.size)
            teacher.set_weights(self._teacher_of.weights)
            teacher.trainable = False
            projection = keras.layers.Dense(teacher.output_shape[-1], dtype="float32")
            projection.build((None, features))
            layers.append(projection)
        self._variables = [variable for layer in layers for variable in layer.weights]
        values = state.weights if state else self._values
        if values is not None:
            for variable, value in zip(self._variables, values, strict=True):
                variable.assign(value)
        averages = state.averages if state else self._average
        self._averages = [
            tf.Variable(value if averages is None else averages[number], dtype=tf.float32)
            for number, value in enumerate(_arrays(self._variables))
        ]
        self._trained = [v for layer in layers for v in layer.trainable_weights]
        self._optimizer = keras.optimizers.AdamW(part.rate, weight_decay=options.weight_decay)
        self._optimizer.exclude_from_weight_decay(var_names=["bias", "beta", "gamma"])
        self._optimizer.build(self._trained)
        if state:
            self.losses = list(state.losses)
            self._values, self._average = state.weights, state.averages
            for variable, value in zip(self._optimizer.variables, state.optimizer, strict=True):
                variable.assign(value)
        self._phase, self._network_weights = phase, len(network.weights)
        graph = self._graph(part.size, network, classifier, teacher, projection)
        self._compute = tf.function(graph)

    def _graph(
        self, size: int, network: Any, classifier: Any, teacher: Any, projection: Any
    ) -> Any:
        options, taken = self._options, self._start.preprocessing
        theirs = self._teacher_of.preprocessing if self._teacher_of else taken

        def compute(pictures: Any, labels: Any, seed: Any, decay: Any) -> Any:
            seen = views(pictures, size, options.smallest_crop, seed)
            truth = tf.one_hot(labels, self._classes)
            truth = truth * (1 - options.smoothing) + options.smoothing / self._classes
            with tf.GradientTape() as tape:
                features = tf.cast(
                    network(seen / taken.divisor + taken.range[0], training=True), tf.float32
                )
                loss = tf.reduce_mean(
                    tf.nn.softmax_cross_entropy_with_logits(truth, classifier(features))
                )
                if teacher is not None:
                    known = tf.cast(
                        teacher(seen / theirs.divisor + theirs.range[0], training=False),
                        tf.float32,
                    )
                    alike = -keras.losses.cosine_similarity(known, projection(features))
                    loss += options.imitation * tf.reduce_mean(1 - alike)
            gradients = tape.gradient(loss, self._trained)
            gradients, _ = tf.clip_by_global_norm(gradients, 5.0)
            self._optimizer.apply_gradients(zip(gradients, self._trained, strict=True))
            for average, variable in zip(self._averages, self._variables, strict=True):
                # What did not change stays exactly as it is.
                average.assign_add((1 - decay) * (tf.cast(variable.value, tf.float32) - average))
            return loss

        return compute

    def step(
        self,
        number: int,
        steps: int,
        pictures: npt.NDArray[np.uint8],
        labels: npt.NDArray[np.intp],
    ) -> float:
        """Learn from a batch; the loss before it was learned from."""
        options = self._options
        self._optimizer.learning_rate.assign(
            rate_at(number, steps, options.phases[self._phase].rate)
        )
        done = len(self.losses)
        # An average over few steps at first: the beginning is soon forgotten.
        decay = min(options.decay, (1 + done) / (10 + done))
        seed = np.array([options.seed, done], np.int32)
        loss = float(self._compute(pictures, labels.astype(np.int32), seed, np.float32(decay)))
        self.losses.append(loss)
        if number + 1 == steps:
            self._values = _arrays(self._variables)
            self._average = _arrays(self._averages)
        return loss

    def state(self, about: str, phase: int, step: int) -> Checkpoint:
        return Checkpoint(
            about,
            phase,
            step,
            _arrays(self._variables),
            _arrays(self._averages),
            [variable.numpy() for variable in self._optimizer.variables],
            self.losses,
        )

    def averages(self) -> Arrays:
        """Those of the network's own weights."""
        return _arrays(self._averages[: self._network_weights])


def _arrays(variables: Sequence[Any]) -> Arrays:
    return [np.asarray(each.numpy(), np.float32) for each in variables]


def _freeze(network: Any, *, upper: bool) -> None:
    """Have all of the network trained, or its upper part alone."""
    total = sum(int(np.prod(weight.shape)) for weight in network.weights)
    below = 0
    for layer in network.layers:
        below += sum(int(np.prod(weight.shape)) for weight in layer.weights)
        layer.trainable = not upper or below > (1 - _UPPER_SHARE) * total


def _about(
    files: Sequence[LabelledFile], start: Network, options: FineTuning, teacher: Network | None
) -> str:
    """A digest of all that decides what comes out."""
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


def _has_bfloat16() -> bool:
    """Whether the processor multiplies 16-bit floats, or a GPU does."""
    if tf.config.list_physical_devices("GPU"):
        return True
    try:
        flags = Path("/proc/cpuinfo").read_text()
    except OSError:
        return False
    return "avx512_bf16" in flags or "amx_bf16" in flags


def _configure(threads: int) -> None:
    tf.config.experimental.enable_op_determinism()
    try:
        tf.config.threading.set_intra_op_parallelism_threads(threads)
        tf.config.threading.set_inter_op_parallelism_threads(1)
    except RuntimeError:
        pass  # already computing
