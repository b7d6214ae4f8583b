"""The second model of the stack: features in, chances out. Trees, run by XGBoost."""

import json
from pathlib import Path

import numpy as np
import numpy.typing as npt

from catdog_stream.errors import StackError
from catdog_stream.models.engines.backbone import Features
from catdog_stream.models.stacks.calibration import Calibration, Logits


class Head:
    """Gradient-boosted trees in XGBoost's own binary format. Thread-safe.

    Args:
        file: ``binary:logistic``, whose answer is the chance of the second of two classes, or
            ``multi:softprob``.
        features: numbers that it takes.
        classes: how many there are; 2 or more.
        calibration: of its chances, if they need one.

    Raises:
        StackError: the file is none, or not one for so many features and classes.
    """

    def __init__(
        self, file: Path, features: int, classes: int, calibration: Calibration | None = None
    ) -> None:
        import xgboost  # brings SciPy: a quarter of a second that commands can do without

        # One thread: a row takes microseconds, handing it to other threads takes longer.
        self._booster = xgboost.Booster({"nthread": 1})
        try:
            self._booster.load_model(file)
            found = self._booster.num_features()
            learner = json.loads(self._booster.save_config())["learner"]
        except xgboost.core.XGBoostError as error:
            raise StackError(f"XGBoost cannot read {file} as a model.") from error
        if found != features:
            raise StackError(f"{file} takes {found} features, not {features}.")
        objective, wanted = learner["objective"]["name"], objective_of(classes)
        if objective != wanted:
            raise StackError(f"{file} was trained for {objective}, not for {wanted}.")
        self._binary, self._calibration = classes == 2, calibration
        trained = int(learner["learner_model_param"]["num_class"])
        if not self._binary and trained != classes:
            raise StackError(f"{file} knows {trained} classes, not {classes}.")

    def scores(self, features: Features) -> npt.NDArray[np.float64]:
        """The chances, float64 [n, classes] in 0 to 1, of each row of ``features``."""
        if self._calibration is not None:
            return self._calibration.chances(self.logits(features))
        chances = np.asarray(self._booster.inplace_predict(features), np.float64)
        return np.stack((1.0 - chances, chances), axis=1) if self._binary else chances

    def logits(self, features: Features) -> Logits:
        """What the trees add up to for each row of ``features``; those of two classes, [0, sum]."""
        sums = self._booster.inplace_predict(features, predict_type="margin")
        return as_logits(np.asarray(sums, np.float64))


def as_logits(sums: npt.NDArray[np.float64]) -> Logits:
    """The sums [n] of trees for two classes, or those for more, [n, classes], as logits."""
    return sums if sums.ndim == 2 else np.stack((np.zeros_like(sums), sums), axis=1)


def objective_of(classes: int) -> str:
    """What XGBoost is trained for, and a head must have been."""
    return "binary:logistic" if classes == 2 else "multi:softprob"
