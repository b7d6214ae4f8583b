"""The training steps of a network, from phase to phase, and the state for checkpoints."""

from collections.abc import Callable, Sequence
from typing import Any

import keras
import numpy as np
import numpy.typing as npt
import tensorflow as tf

from catdog_stream.models.training.backbone.checkpoints import Arrays, Checkpoint
from catdog_stream.models.training.backbone.learner import Learner
from catdog_stream.models.training.backbone.network import Network
from catdog_stream.models.training.backbone.plan import FineTuning, rate_at
from catdog_stream.models.training.backbone.views import (
    corrupted_batch,
    quarter_turns,
    turned,
    views,
)

__all__ = ["Learning"]

#: Largest norm of the gradients; larger gradients are clipped.
_LONGEST_GRADIENT = 5.0


class Learning:
    """A training: the weights, their running averages, and the optimizer."""

    def __init__(
        self, start: Network, classes: int, options: FineTuning, teacher: Network | None
    ) -> None:
        self.losses: list[float] = []
        self._start, self._teacher = start, teacher
        self._classes, self._options = classes, options
        keras.utils.set_random_seed(options.seed)
        #: Weights and averages at the end of the previous phase.
        self._values: Arrays | None = None
        self._average: Arrays | None = None

    def begin(self, phase: int, state: Checkpoint | None) -> None:
        """Prepare a phase, from its beginning or from ``state``."""
        part, options = self._options.phases[phase], self._options
        keras.utils.set_random_seed(options.seed + phase)
        learner = Learner.built(self._start, self._classes, part, self._teacher)
        self._variables, trained = learner.variables, learner.trained
        values = state.weights if state else self._values
        if values is not None:
            _assign(self._variables, values)
        averages = state.averages if state else self._average
        self._averages = [
            tf.Variable(value if averages is None else averages[number], dtype=tf.float32)
            for number, value in enumerate(_arrays(self._variables))
        ]
        self._optimizer = keras.optimizers.AdamW(part.rate, weight_decay=options.weight_decay)
        self._optimizer.exclude_from_weight_decay(var_names=["bias", "beta", "gamma"])
        self._optimizer.build(trained)
        if state:
            self.losses = list(state.losses)
            self._values, self._average = state.weights, state.averages
            _assign(self._optimizer.variables, state.optimizer)
        self._phase, self._network_weights = phase, len(learner.network.weights)
        self._compute = tf.function(self._graph(part.size, learner, trained))

    def _graph(self, size: int, learner: Learner, trained: list[Any]) -> Callable[..., Any]:
        """Return the function of a step, which TensorFlow compiles."""
        options = self._options

        def compute(
            pictures: Any, corrupted: Any, quarters: Any, labels: Any, seed: Any, decay: Any
        ) -> Any:
            clean = views(pictures, size, options.smallest_crop, seed)
            # The same parts in the same light. The teacher gets them upright and without
            # corruptions, so that the network learns to ignore turns and corruptions.
            seen = turned(views(corrupted, size, options.smallest_crop, seed), quarters)
            truth = learner.truth(labels, options.smoothing)
            with tf.GradientTape() as tape:
                loss = learner.loss(seen, clean, truth, options.imitation)
            gradients = tape.gradient(loss, trained)
            gradients, _ = tf.clip_by_global_norm(gradients, _LONGEST_GRADIENT)
            self._optimizer.apply_gradients(zip(gradients, trained, strict=True))
            for average, variable in zip(self._averages, self._variables, strict=True):
                # The average of an unchanged variable stays exactly the same.
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
        """Train on a batch; return its loss before the update of the weights.

        Args:
            number: index of the step in the phase.
            steps: number of steps of the phase.
            pictures: uint8 [n, s, s, 3].
            labels: index of the class of each picture, [n].
        """
        options = self._options
        self._optimizer.learning_rate.assign(
            rate_at(number, steps, options.phases[self._phase].rate)
        )
        done = len(self.losses)
        # At first the average covers few steps, so that it quickly forgets the initial weights.
        decay = min(options.decay, (1 + done) / (10 + done))
        seed = np.array([options.seed, done], np.int32)
        loss = float(
            self._compute(
                pictures,
                corrupted_batch(pictures, options.corrupted, (options.seed, done)),
                quarter_turns(len(pictures), options.turned, (options.seed, done)),
                labels.astype(np.int32),
                seed,
                np.float32(decay),
            )
        )
        self.losses.append(loss)
        if number + 1 == steps:
            self._values = _arrays(self._variables)
            self._average = _arrays(self._averages)
        return loss

    def state(self, about: str, phase: int, step: int) -> Checkpoint:
        """Return the checkpoint of the training ``about`` after ``step`` steps of ``phase``."""
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
        """Return the running averages of the network's weights, without the classifier's."""
        return _arrays(self._averages[: self._network_weights])


def _arrays(variables: Sequence[Any]) -> Arrays:
    return [np.asarray(each.numpy(), np.float32) for each in variables]


def _assign(variables: Sequence[Any], values: Arrays) -> None:
    for variable, value in zip(variables, values, strict=True):
        variable.assign(value)
