"""Writer of boosted trees in xgboost's JSON format, which xgboost reads since 1.0.

Format: https://xgboost.readthedocs.io/en/stable/tutorials/saving_model.html
"""

import json
from typing import Any

import numpy as np
import numpy.typing as npt

from catdog_stream.models.legacy.booster import Booster, Tree

__all__ = ["as_json"]


def as_json(booster: Booster) -> bytes:
    """Return ``booster`` as a ``binary:logistic`` model for ``xgboost.Booster.load_model``."""
    trees = [_tree(number, tree, booster.features) for number, tree in enumerate(booster.trees)]
    document = {
        "version": [1, 7, 6],
        "learner": {
            "attributes": {},
            "feature_names": [],
            "feature_types": [],
            "learner_model_param": {
                # With few digits: with 17 digits xgboost 2.1 silently uses 0.5 instead.
                "base_score": str(booster.base_score),
                "boost_from_average": "1",
                "num_class": "0",
                "num_feature": str(booster.features),
                "num_target": "1",
            },
            "objective": {"name": "binary:logistic", "reg_loss_param": {"scale_pos_weight": "1"}},
            "gradient_booster": {
                "name": "gbtree",
                "model": {
                    "gbtree_model_param": {
                        "num_parallel_tree": "1",
                        "num_trees": str(len(trees)),
                        "size_leaf_vector": "0",
                    },
                    "tree_info": [0] * len(trees),
                    "trees": trees,
                },
            },
        },
    }
    return json.dumps(document, allow_nan=False).encode()


def _tree(number: int, tree: Tree, features: int) -> dict[str, Any]:
    size = len(tree.value)
    return {
        "id": number,
        "tree_param": {
            "num_deleted": "0",
            "num_feature": str(features),
            "num_nodes": str(size),
            "size_leaf_vector": "0",
        },
        "left_children": tree.left.tolist(),
        "right_children": tree.right.tolist(),
        # xgboost writes 2**31 - 1 as the parent of the root.
        "parents": np.where(tree.parent < 0, 2**31 - 1, tree.parent).tolist(),
        "split_indices": tree.feature.tolist(),
        "split_conditions": _shortest(tree.value),
        "default_left": tree.default_left.astype(int).tolist(),
        "loss_changes": _shortest(tree.gain),
        "sum_hessian": _shortest(tree.hessian),
        "base_weights": _shortest(tree.weight),
        "split_type": [0] * size,
        "categories": [],
        "categories_nodes": [],
        "categories_segments": [],
        "categories_sizes": [],
    }


def _shortest(numbers: npt.NDArray[np.float32]) -> list[float]:
    """Return each number with the fewest digits that still identify its float32.

    A direct conversion to float64 would have up to 17 digits.
    """
    return [float(str(number)) for number in numbers]
