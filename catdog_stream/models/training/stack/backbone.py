"""The step that creates the backbone: a copy of the start's network, or a fine-tuned one."""

import shutil

import numpy as np
import numpy.typing as npt

from catdog_stream.models.engines.convert import (
    LITERT_FILE,
    ONNX_FILE,
    TENSORFLOW_FILE,
    write_backbone,
)
from catdog_stream.models.engines.inputs import scaled
from catdog_stream.models.engines.networks import NetworkName, build_network
from catdog_stream.models.stacks.writing import NOTICE_FILE
from catdog_stream.models.training.labelled import read_batches
from catdog_stream.models.training.stack.task import Task
from catdog_stream.models.training.stack.unfinished import Unfinished

__all__ = ["put_backbone"]

#: Networks of small layers, which LiteRT computes twice as fast in integers, and the number of
#: pictures that determine the range of each layer.
_IN_INTEGERS: frozenset[NetworkName] = frozenset({"efficientnet_lite2"})
_TYPICAL = 200


def put_backbone(task: Task, work: Unfinished) -> list[float]:
    """Write the backbone's files into the stack; return the losses of the fine-tuning."""
    done = work.done("backbone")
    if done is not None:
        return list(done["losses"])
    notice = task.start.place / NOTICE_FILE
    if task.start.place.is_dir() and notice.is_file():
        shutil.copyfile(notice, work.stack / NOTICE_FILE)
    losses: list[float] = []
    if task.unchanged is None:
        losses = _make(task, work)
    else:
        name = LITERT_FILE if task.start.litert is not None else ONNX_FILE
        shutil.copyfile(task.unchanged, work.stack / name)
        if task.start.tensorflow is not None:
            shutil.copyfile(task.start.tensorflow, work.stack / TENSORFLOW_FILE)
    work.mark("backbone", {"losses": losses})
    return losses


def _make(task: Task, work: Unfinished) -> list[float]:
    """Fine-tune the start's network, if the plan requires it, and write the network."""
    from catdog_stream.models.training.backbone.finetuning import fine_tune

    start, plan = task.start, task.plan
    begin = start.loaded()
    weights = begin.weights
    losses: list[float] = []
    if plan is not None:
        tuned = fine_tune(
            [each.file for each in task.parts.backbone],
            len(task.classes),
            begin,
            plan,
            work.backbone,
            teacher=task.teacher.loaded() if task.teacher else None,
            threads=task.threads,
            progress=task.progress,
        )
        weights, losses = tuned.weights, tuned.losses
    built = build_network(start.network, start.preprocessing.size)
    built.set_weights(weights)
    write_backbone(start.network, built, work.stack, _typical(task))
    return losses


def _typical(task: Task) -> list[npt.NDArray[np.float32]]:
    """Return typical inputs for LiteRT's ranges, if the network computes in integers, else none."""
    if task.start.network not in _IN_INTEGERS:
        return []
    examples = task.parts.backbone or task.parts.head
    files = [each.file for each in examples[:: -(-len(examples) // _TYPICAL)]]
    wanted = task.start.preprocessing
    return [
        scaled(picture, wanted)
        for batch in read_batches(files, wanted, threads=task.threads)
        for picture in batch.pictures
    ]
