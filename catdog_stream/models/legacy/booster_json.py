"""Boosted trees in the JSON that xgboost reads since 1.0.

Its documented form: https://xgboost.readthedocs.io/en/stable/tutorials/saving_model.html
"""

import json
from typing import Any

import numpy as np
import numpy.typing as npt

from catdog_stream.models.legacy.booster import Booster, Tree

__all__ = ["as_json"]


def as_json(booster: Booster) -> bytes:
    """``booster`` as a model of ``binary:logistic`` that ``xgboost.Booster.load_model`` takes."""
    trees = [_tree(number, tree, booster.features) for number, tree in enumerate(booster.trees)]
    document = {
        "version": [1, 7, 6],
        "learner": {
            "attributes": {},
            "feature_names": [],
            "feature_types": [],
            "learner_model_param": {
                # In few digits: with 17 of them xgboost 2.1 takes 0.5 instead, and does not say so.
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
        # What the root's is, as xgboost writes it.
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
    """Numbers of so few digits that each is the nearest to its float32 all the same.

    As float64 it would have up to 17.
    """
    return [float(str(number)) for number in numbers]
