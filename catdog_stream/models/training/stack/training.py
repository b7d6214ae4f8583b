"""From a folder of labelled pictures to a stack: backbone, head, calibration, quality, report.

The long way; ``head_training`` is the quick one. Each step leaves what it made in the folder of the
training (``unfinished``), so that one that was stopped goes on where it was. The same pictures,
options and number of threads give the same stack.
"""

from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import xgboost

from catdog_stream.errors import InputError
from catdog_stream.models.engines.convert import require_tensorflow
from catdog_stream.models.training.backbone.start import Start
from catdog_stream.models.training.data.checking import Checked, check
from catdog_stream.models.training.data.splitting import Split, split
from catdog_stream.models.training.evaluation import Evaluation
from catdog_stream.models.training.fit_ood import too_few
from catdog_stream.models.training.labelled import classes_in
from catdog_stream.models.training.report.document import REPORT_FILE
from catdog_stream.models.training.stack.backbone import put_backbone
from catdog_stream.models.training.stack.finishing import finish
from catdog_stream.models.training.stack.head import put_head, see_pictures
from catdog_stream.models.training.stack.task import Options, Task
from catdog_stream.models.training.stack.unfinished import Unfinished

__all__ = ["TrainedStack", "train_stack"]

#: Pictures of a class, beyond those for head and evaluation, below which a network that learns from
#: them alone gets worse.
FEWEST_FOR_BACKBONE = 20


@dataclass(frozen=True, slots=True)
class TrainedStack:
    """What ``train_stack`` made."""

    stack: Path
    report: Path
    checked: Checked
    evaluation: Evaluation
    """On pictures that nothing was learned from."""
    unfamiliar: str | None
    """Why it calls nothing unknown; ``None`` if it does."""


def train_stack(
    directory: Path,
    output: Path,
    start: Path,
    options: Options,
    *,
    teacher: Path | None = None,
    evaluation: Path | None = None,
    resume: bool = False,
    force: bool = False,
    threads: int,
    progress: bool = True,
) -> TrainedStack:
    """Train a stack on ``directory/<class>/*`` and write it to ``output``.

    Args:
        directory: the folders in it name the classes: two or more, in alphabetical order.
        output: the stack's directory; one that is there is replaced when all is done.
        start: a stack whose network is the beginning, or a file with weights.
        options: how.
        teacher: a stack whose network the start's is to imitate while it learns.
        evaluation: pictures to measure the stack on; by default some are kept from training.
        resume: go on with a training that was stopped.
        force: forget one that was stopped.
        threads: of the CPU.
        progress: whether to show how far it is.

    Raises:
        InputError: the pictures would mislead, or something cannot be read or written.
        StackError: the start is no stack, or TensorFlow is missing.
    """
    classes = classes_in(directory)
    begin = Start.find(start, options.network, options.size)
    imitated = Start.find(teacher, None, None) if teacher else None
    checked = check(directory, classes, evaluation, threads=threads, progress=progress)
    parts = _parts(checked, options)
    if imitated is not None and not parts.backbone:
        raise InputError("A teacher is for a backbone that learns: this one does not.")
    task = Task(
        pictures=directory,
        evaluation=evaluation or directory,
        checked=checked,
        parts=parts,
        start=begin,
        teacher=imitated,
        options=options,
        threads=threads,
        progress=progress,
    )
    if task.unchanged is None:
        require_tensorflow("Fine-tuning", "train")
    work = Unfinished.begin(output, task.about(), resume=resume, force=force)
    try:
        losses = put_backbone(task, work)
        seen = see_pictures(task, work)
        head = put_head(task, work, seen)
        measured = finish(task, work, losses, seen, head)
    except (OSError, xgboost.core.XGBoostError) as error:
        raise InputError(f"{work.folder} cannot be written: {error}.") from error
    return TrainedStack(
        work.output, work.output / REPORT_FILE, checked, measured, too_few(seen.labels)
    )


def _parts(checked: Checked, options: Options) -> Split:
    """Which pictures are for what: few of them are for the head alone, unless asked otherwise."""
    parts = split(checked.training, checked.evaluation, seed=options.seed)
    counts = Counter(each.file.label for each in parts.backbone)
    enough = min(counts[number] for number in range(len(checked.classes))) >= FEWEST_FOR_BACKBONE
    if options.fine_tuning if options.fine_tuning is not None else enough:
        return parts
    return split(checked.training, checked.evaluation, frozen=True, seed=options.seed)
