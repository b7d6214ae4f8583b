"""Training of a head's trees: XGBoost on the features of several views of each picture.

Training uses one thread and fixed seeds, so the same features give the same head.
"""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import xgboost
from tqdm import tqdm

from catdog_stream.models.stacks.calibration import Logits
from catdog_stream.models.stacks.head import as_logits, objective_of
from catdog_stream.models.training.head.features import Seen

__all__ = ["HeldOut", "fit", "hold_out", "parameters"]

PARAMETERS: dict[str, Any] = {
    "tree_method": "hist",
    "max_depth": 3,
    "eta": 0.05,
    "subsample": 0.8,
    "colsample_bytree": 0.05,
    "max_bin": 64,
    "seed": 0,
    "nthread": 1,
}
"""XGBoost's parameters, chosen by five-fold cross-validation on the training pictures of the
default stack. The README in its directory has the candidates."""

#: Early stopping: rounds without a gain on held-out pictures, and the largest number of rounds.
_PATIENCE, _MOST_ROUNDS = 40, 1200


@dataclass(frozen=True, slots=True)
class HeldOut:
    """The results of heads on pictures that they were not trained on."""

    rounds: int
    """Best number of rounds for held-out pictures."""
    logits: Logits
    """Logits of each whole picture, float64 [pictures, classes]."""


def parameters(classes: int) -> dict[str, Any]:
    """Return XGBoost's parameters for a number of classes."""
    objective: dict[str, Any] = {"objective": objective_of(classes)}
    if classes > 2:
        objective["num_class"] = classes
    return {**objective, **PARAMETERS}


def fit(seen: Seen, classes: int, rounds: int, *, progress: bool) -> xgboost.Booster:
    """Train a head on ``seen``, with ``rounds`` rounds of trees."""
    callbacks = [_ProgressBar(rounds, progress)]
    return xgboost.train(parameters(classes), _data(seen), rounds, callbacks=callbacks)


def hold_out(
    seen: Seen, classes: int, folds: Sequence[int], *, threads: int, progress: bool
) -> HeldOut:
    """Train a head for each fold, on the other folds, with early stopping on the held-out fold.

    Args:
        seen: the features of the pictures.
        classes: number of classes.
        folds: the fold of each picture.
        threads: number of heads that are trained in parallel.
        progress: show the progress.
    """
    fold_of = np.asarray(folds)
    logits = np.zeros((len(seen.labels), classes))
    rounds = []
    with (
        ThreadPoolExecutor(threads) as pool,
        tqdm(total=len(set(folds)), unit="fold", desc="rounds", disable=not progress) as bar,
    ):
        outs = [fold_of == fold for fold in sorted(set(folds))]
        for out, (best, found) in zip(
            outs, pool.map(lambda out: _fit_without(seen, out, classes), outs), strict=True
        ):
            rounds.append(best)
            logits[out] = found
            bar.update()
    return HeldOut(max(1, round(float(np.median(rounds)))), logits)


def _fit_without(seen: Seen, out: npt.NDArray[np.bool_], classes: int) -> tuple[int, Logits]:
    data = _data(Seen(seen.features[~out], seen.labels[~out], []))
    held_out = xgboost.DMatrix(seen.whole[out], seen.labels[out], nthread=1)
    booster = xgboost.train(
        parameters(classes),
        data,
        _MOST_ROUNDS,
        evals=[(held_out, "held_out")],
        early_stopping_rounds=_PATIENCE,
        verbose_eval=False,
    )
    best = booster.best_iteration + 1
    sums = booster.predict(held_out, output_margin=True, iteration_range=(0, best))
    return best, as_logits(np.asarray(sums, np.float64))


def _data(seen: Seen) -> xgboost.DMatrix:
    pictures, views, features = seen.features.shape
    return xgboost.DMatrix(
        seen.features.reshape(-1, features),
        np.repeat(seen.labels, views),
        weight=np.full(pictures * views, 1 / views, np.float32),
        nthread=1,
    )


class _ProgressBar(xgboost.callback.TrainingCallback):
    """Progress bar of the training rounds."""

    def __init__(self, rounds: int, progress: bool) -> None:
        self._bar = tqdm(total=rounds, unit="tree", desc="head", disable=not progress)

    def after_iteration(self, model: Any, epoch: int, evals_log: Any) -> bool:  # noqa: ARG002
        self._bar.update()
        return False

    def after_training(self, model: Any) -> Any:
        self._bar.close()
        return model
