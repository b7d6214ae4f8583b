"""The second model of the stack: features in, the chance of a dog out. Trees, run by XGBoost."""

import json
from pathlib import Path

import numpy as np
import numpy.typing as npt

from catdog_stream.errors import StackError
from catdog_stream.models.backbone import Features


class Head:
    """Gradient-boosted trees in XGBoost's own binary format. Thread-safe."""

    def __init__(self, file: Path, features: int) -> None:
        import xgboost  # brings SciPy: a quarter of a second that commands can do without

        # One thread: a row takes microseconds, handing it to other threads takes longer.
        self._booster = xgboost.Booster({"nthread": 1})
        try:
            self._booster.load_model(file)
            found = self._booster.num_features()
            objective = json.loads(self._booster.save_config())["learner"]["objective"]["name"]
        except xgboost.core.XGBoostError as error:
            raise StackError(f"XGBoost cannot read {file} as a model.") from error
        if found != features:
            raise StackError(f"{file} takes {found} features, not {features}.")
        if objective != "binary:logistic":
            raise StackError(f"{file} was trained for {objective}, not for binary:logistic.")

    def dog(self, features: Features) -> npt.NDArray[np.float64]:
        """The chance of a dog, float64 [n] in 0 to 1, of each row of ``features`` [n, 2048]."""
        return np.asarray(self._booster.inplace_predict(features), np.float64)
