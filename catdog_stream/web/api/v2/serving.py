"""Model of the Open Inference Protocol: the stack that serves in this worker."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import orjson

from catdog_stream.web.api.problems import Problem
from catdog_stream.worker.aggregation import Aggregation
from catdog_stream.worker.inference import Inference

__all__ = ["ALIAS", "Model", "checked", "joined", "model_document", "serving"]

#: Second name of the model, which stays the same after a rollout.
ALIAS = "catdog"
PLATFORM = "catdog_stream"
RETRY_AFTER = "5"


@dataclass(frozen=True, slots=True)
class Model:
    """Stack in the protocol's terms."""

    name: str
    version: str
    #: Classes in the order of the scores; empty if this worker does not know them.
    classes: Sequence[str]


def serving(work: Inference | Aggregation) -> Model | None:
    """Return the serving model; ``None`` while there is none."""
    if not work.warm:
        return None
    if isinstance(work, Aggregation):
        return Model("jury", "1", ())
    classifier = work.classifier
    return Model(classifier.name, classifier.version, tuple(classifier.classes))


def checked(model: Model | None, name: str, version: str | None) -> Model:
    """Return the model if it is the requested one. Raise ``Problem``."""
    if model is None:
        raise Problem(503, "No model is loaded yet.", headers={"Retry-After": RETRY_AFTER})
    if name not in (model.name, ALIAS):
        raise Problem(
            404, f"There is no model {name[:100]!r}: {model.name} is there, also called {ALIAS}."
        )
    if version is not None and version != model.version:
        raise Problem(404, f"Version {version[:100]!r} does not serve: {model.version} does.")
    return model


def model_document(model: Model) -> dict[str, Any]:
    """Return the model's metadata for JSON. A dimension of -1 may have any size."""
    return {
        "name": model.name,
        "versions": [model.version],
        "platform": PLATFORM,
        "inputs": [{"name": "image", "datatype": "BYTES", "shape": [-1]}],
        "outputs": [
            {"name": "scores", "datatype": "FP64", "shape": [-1, len(model.classes) or -1]},
            {"name": "verdict", "datatype": "BYTES", "shape": [-1]},
            {"name": "stack", "datatype": "BYTES", "shape": [-1]},
        ],
        "parameters": {"classes": joined(model.classes)},
    }


def joined(classes: Sequence[str]) -> str:
    """Return the classes as a parameter: separated by commas, or as JSON if a name has a comma."""
    if any("," in name for name in classes):
        return orjson.dumps(classes).decode()
    return ",".join(classes)
