"""The last step of a training: measure the stack, write manifest and report, and publish it."""

from collections.abc import Sequence
from pathlib import Path

import msgspec
import numpy as np

from catdog_stream.models.stacks.golden import keep_first
from catdog_stream.models.stacks.loading import cpu_engine
from catdog_stream.models.stacks.manifest import MAX_GOLDEN, Golden
from catdog_stream.models.stacks.stack import ModelStack
from catdog_stream.models.stacks.writing import write_loadable
from catdog_stream.models.training.data.splitting import folds
from catdog_stream.models.training.evaluation import Answers, Evaluation, ask, measure
from catdog_stream.models.training.fit_ood import fit_score, too_few
from catdog_stream.models.training.head.features import Seen
from catdog_stream.models.training.head_training import quality_record
from catdog_stream.models.training.label_errors import LabelError, likely_label_errors
from catdog_stream.models.training.parity import Parity, compare
from catdog_stream.models.training.report.document import REPORT_FILE, Report, write_report
from catdog_stream.models.training.robustness import chosen, measure_robustness
from catdog_stream.models.training.stack.head import TrainedHead
from catdog_stream.models.training.stack.manifest import manifest_of
from catdog_stream.models.training.stack.task import Task
from catdog_stream.models.training.stack.unfinished import Unfinished

__all__ = ["finish"]

#: Number of pictures for the comparison of LiteRT and TensorFlow.
_COMPARED = 64
#: Number of pictures for the evaluation of robustness.
_CORRUPTED = 200


def finish(
    task: Task, work: Unfinished, losses: Sequence[float], seen: Seen, head: TrainedHead
) -> tuple[Evaluation, list[LabelError]]:
    """Measure the stack, write its manifest and its report, and move it to its directory."""
    manifest = manifest_of(work.stack, task, head)
    unfamiliar = too_few(seen.labels)
    if unfamiliar is None:
        manifest = fit_score(
            seen.whole, seen.labels, work.stack, folds=folds(task.parts.head, task.options.seed)
        ).put_into(manifest)
    manifest.write(work.stack)
    stack = ModelStack.load(
        work.stack, engine=cpu_engine(manifest), threads=task.threads, limits=task.limits
    )
    files = [each.file for each in task.parts.evaluation]
    answers = ask(stack, files, threads=task.threads, progress=task.progress)
    evaluation = measure(stack, answers)
    robustness = measure_robustness(
        stack, chosen(answers.files, _CORRUPTED), threads=task.threads, progress=task.progress
    )
    parity = _parity(task, work.stack, stack, answers)
    golden = tuple(
        _golden(stack, answers, number, work.stack)
        for number in chosen(range(len(stack.classes)), MAX_GOLDEN)
    )
    stack.close()
    label_errors = likely_label_errors(
        [*(each.file for each in task.parts.head), *answers.files],
        np.concatenate((seen.labels, answers.labels)),
        np.concatenate((head.held_out, answers.probabilities)),
    )
    quality = quality_record(task.evaluation, evaluation)
    if parity is not None:
        quality["parity"] = parity.as_json()
    manifest = msgspec.structs.replace(
        manifest, golden=golden, quality=quality, reference=evaluation.reference
    )
    write_report(
        work.stack / REPORT_FILE,
        Report(
            manifest=manifest,
            checked=task.checked,
            parts=task.parts,
            answers=answers,
            evaluation=evaluation,
            robustness=robustness,
            parity=parity,
            label_errors=label_errors,
            losses=losses,
            unfamiliar=unfamiliar,
        ),
    )
    write_loadable(manifest, work.stack, threads=task.threads)
    work.publish()
    return evaluation, label_errors


def _parity(task: Task, directory: Path, stack: ModelStack, answers: Answers) -> Parity | None:
    """Compare both engines; return ``None`` for a copy of the start's files, compared earlier."""
    if task.unchanged is not None:
        return None
    reference = ModelStack.load(directory, engine="tensorflow", threads=task.threads, batch=8)
    parity = compare(stack, reference, answers.files[:: max(1, len(answers.files) // _COMPARED)])
    reference.close()
    parity.check()
    return parity


def _golden(stack: ModelStack, answers: Answers, label: int, output: Path) -> Golden:
    """Keep the picture of a class with the highest probability, with its scores."""
    order = (-answers.probabilities[:, label]).argsort(kind="stable")
    files = [answers.files[index] for index in order]
    paths = [file.path for file in files if file.label == label]
    return keep_first(stack, paths, output, stack.classes[label])
