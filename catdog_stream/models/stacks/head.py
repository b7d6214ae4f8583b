"""The second model of the stack, from features to probabilities: boosted trees, or linear."""

import json
from pathlib import Path

import numpy as np
import numpy.typing as npt

from catdog_stream.errors import StackError
from catdog_stream.models.engines.backbone import Features
from catdog_stream.models.stacks.calibration import Calibration, Logits
from catdog_stream.models.stacks.linear_head import LinearModel

__all__ = ["Head", "as_logits", "objective_of"]


class Head:
    """Head of a stack, with its calibration. Thread-safe.

    Args:
        file: gradient-boosted trees (``Trees``), or a linear model in an ``.npz`` file.
        features: number of features.
        classes: number of classes, 2 or more.
        calibration: of the probabilities; ``None`` if they need none.

    Raises:
        StackError: the file cannot be read, or it is for another number of features or classes.
    """

    def __init__(
        self, file: Path, features: int, classes: int, calibration: Calibration | None = None
    ) -> None:
        load = LinearModel.load if file.suffix == ".npz" else Trees
        self._model: LinearModel | Trees = load(file, features, classes)
        self._calibration = calibration

    def scores(self, features: Features) -> npt.NDArray[np.float64]:
        """Return the probabilities, float64 [n, classes] in 0 to 1, for ``features`` [n, f]."""
        if self._calibration is None:
            return self._model.probabilities(features)
        return self._calibration.probabilities(self.logits(features))

    def logits(self, features: Features) -> Logits:
        """Return the logits for each row of ``features``."""
        return self._model.logits(features)


class Trees:
    """Gradient-boosted trees in XGBoost's own binary format. Thread-safe.

    Args:
        file: a model with the objective ``binary:logistic``, whose output is the probability of the
            second of two classes, or ``multi:softprob``.
        features: number of features.
        classes: number of classes, 2 or more.

    Raises:
        StackError: XGBoost cannot read the file, or it is for another number of features or
            classes.
    """

    def __init__(self, file: Path, features: int, classes: int) -> None:
        import xgboost  # here, since it imports SciPy: 250 ms that most commands need not spend

        # One thread: a row takes microseconds, passing it to another thread takes longer.
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
        self._binary = classes == 2
        trained = int(learner["learner_model_param"]["num_class"])
        if not self._binary and trained != classes:
            raise StackError(f"{file} knows {trained} classes, not {classes}.")

    def probabilities(self, features: Features) -> npt.NDArray[np.float64]:
        """Return the probabilities, float64 [n, classes] in 0 to 1, for ``features`` [n, f]."""
        found = np.asarray(self._booster.inplace_predict(features), np.float64)
        return np.stack((1.0 - found, found), axis=1) if self._binary else found

    def logits(self, features: Features) -> Logits:
        """Return the sums of the trees for each row of ``features``; for two classes [0, sum]."""
        sums = self._booster.inplace_predict(features, predict_type="margin")
        return as_logits(np.asarray(sums, np.float64))


def as_logits(sums: npt.NDArray[np.float64]) -> Logits:
    """Return the sums of trees, [n] for two classes or [n, classes] for more, as logits."""
    return sums if sums.ndim == 2 else np.stack((np.zeros_like(sums), sums), axis=1)


def objective_of(classes: int) -> str:
    """Return XGBoost's objective for a number of classes, which a head must have."""
    return "binary:logistic" if classes == 2 else "multi:softprob"
