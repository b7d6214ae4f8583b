"""Training of a head's trees: XGBoost on the features of several views of each picture.

Training uses one thread and fixed seeds, so the same features give the same head.
"""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import xgboost
from tqdm import tqdm

from catdog_stream.models.stacks.head import as_logits, objective_of
from catdog_stream.models.stacks.writing import HEAD_FILE
from catdog_stream.models.training.head.features import Seen
from catdog_stream.models.training.head.held_out import (
    Arrays,
    HeldOut,
    Remember,
    folds_without,
)
from catdog_stream.models.training.head.options import HeadKind

__all__ = ["BoostedLearner"]

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
#: Number of rounds without held-out pictures.
_ROUNDS = 200


class BoostedLearner:
    """Training of boosted trees.

    Args:
        classes: number of classes.
        threads: number of heads that are trained in parallel.
        progress: show the progress.
    """

    kind: HeadKind = "boosted"

    def __init__(self, classes: int, *, threads: int, progress: bool) -> None:
        self._classes, self._threads, self._progress = classes, threads, progress
        self._parameters: dict[str, Any] = {"objective": objective_of(classes)}
        if classes > 2:
            self._parameters["num_class"] = classes
        self._parameters |= PARAMETERS

    def hold_out(self, seen: Seen, folds: Sequence[int], remember: Remember) -> HeldOut:
        """Train a head for each fold, on the other folds, with early stopping on the fold.

        Args:
            seen: the features of the pictures.
            folds: the fold of each picture.
            remember: keeps the result of each fold.

        Returns:
            The results on the folds; the setting is the number of rounds.
        """
        logits = np.zeros((len(seen.labels), self._classes))
        rounds = []
        outs = folds_without(folds)

        def without(numbered: tuple[int, npt.NDArray[np.bool_]]) -> Arrays:
            fold, out = numbered
            return remember(f"boosted-{fold}", lambda: self._without(seen, out))

        with (
            ThreadPoolExecutor(self._threads) as pool,
            tqdm(total=len(outs), unit="fold", desc="rounds", disable=not self._progress) as bar,
        ):
            for (_, out), found in zip(outs, pool.map(without, outs), strict=True):
                rounds.append(int(found["rounds"]))
                logits[out] = found["logits"]
                bar.update()
        return HeldOut(max(1, round(float(np.median(rounds)))), logits)

    def _without(self, seen: Seen, out: npt.NDArray[np.bool_]) -> Arrays:
        data = _data(Seen(seen.features[~out], seen.labels[~out], []))
        held_out = xgboost.DMatrix(seen.whole[out], seen.labels[out], nthread=1)
        booster = xgboost.train(
            self._parameters,
            data,
            _MOST_ROUNDS,
            evals=[(held_out, "held_out")],
            early_stopping_rounds=_PATIENCE,
            verbose_eval=False,
        )
        best = booster.best_iteration + 1
        sums = booster.predict(held_out, output_margin=True, iteration_range=(0, best))
        return {"rounds": np.array(best), "logits": as_logits(np.asarray(sums, np.float64))}

    def default_setting(self, seen: Seen) -> float:  # noqa: ARG002 - as LinearLearner
        """Return a number of rounds."""
        return _ROUNDS

    def write(self, seen: Seen, setting: float, directory: Path) -> None:
        """Train a head of ``setting`` rounds, and write ``head.ubj``."""
        rounds = int(setting)
        callbacks = [_ProgressBar(rounds, self._progress)]
        booster = xgboost.train(self._parameters, _data(seen), rounds, callbacks=callbacks)
        booster.save_model(directory / HEAD_FILE)

    def record(self, setting: float) -> dict[str, Any]:
        """Return the parameters of the training for a manifest."""
        return {
            "rounds": int(setting),
            "parameters": self._parameters,
            "xgboost": xgboost.__version__,
        }


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
