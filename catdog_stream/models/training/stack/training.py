"""Training of a whole stack: backbone, head, calibration, quality, report.

This is the long way; ``head_training`` is the quick one. Each step stores its result in the folder
of the training (``unfinished``), so that an interrupted training can resume. The same pictures,
options and number of threads give the same stack.
"""

from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import xgboost

from catdog_stream.errors import InputError
from catdog_stream.models.engines.convert import require_tensorflow
from catdog_stream.models.pictures import PictureLimits
from catdog_stream.models.training.backbone.start import Start
from catdog_stream.models.training.data.checking import Checked, check
from catdog_stream.models.training.data.splitting import Split, split
from catdog_stream.models.training.evaluation import Evaluation
from catdog_stream.models.training.fit_ood import too_few
from catdog_stream.models.training.label_errors import LabelError
from catdog_stream.models.training.labelled import WORKER_LIMITS, classes_in
from catdog_stream.models.training.report.document import REPORT_FILE
from catdog_stream.models.training.stack.backbone import put_backbone
from catdog_stream.models.training.stack.finishing import finish
from catdog_stream.models.training.stack.head import put_head, see_pictures
from catdog_stream.models.training.stack.task import Options, Task
from catdog_stream.models.training.stack.unfinished import Unfinished

__all__ = ["TrainedStack", "train_stack"]

#: Least pictures of each class for the backbone, beside those for head and evaluation. Fine-tuning
#: on fewer pictures makes the network worse.
FEWEST_FOR_BACKBONE = 20


@dataclass(frozen=True, slots=True)
class TrainedStack:
    """The result of ``train_stack``."""

    stack: Path
    report: Path
    checked: Checked
    evaluation: Evaluation
    """Quality on held-out pictures."""
    label_errors: list[LabelError]
    """Pictures that are likely in the wrong folder."""
    unfamiliar: str | None
    """Reason why the stack has no OOD score; ``None`` if it has one."""


def train_stack(
    directory: Path,
    output: Path,
    start: Path,
    options: Options,
    *,
    teacher: Path | None = None,
    evaluation: Path | None = None,
    group: str | None = None,
    resume: bool = False,
    force: bool = False,
    threads: int,
    limits: PictureLimits = WORKER_LIMITS,
    progress: bool = True,
) -> TrainedStack:
    """Train a stack on ``directory/<class>/*`` and write it to ``output``.

    Args:
        directory: the training pictures. The names of its folders are the classes: two or more, in
            alphabetical order.
        output: the stack's directory; an existing one is replaced at the end of the training.
        start: a stack, or a file of weights, with the initial network.
        options: options of the training.
        teacher: a stack whose network the start's network imitates in training.
        evaluation: pictures to measure the stack on; by default some training pictures are held
            out.
        group: pattern or table of the groups of pictures that stay on one side of every split, as
            for ``groups_of``.
        resume: resume an interrupted training.
        force: discard an interrupted training.
        threads: number of CPU threads.
        limits: size limits of a picture, those of a worker.
        progress: show the progress.

    Raises:
        InputError: the pictures are misleading, or a file cannot be read or written.
        StackError: the start is not a stack, or TensorFlow is missing.
    """
    classes = classes_in(directory)
    begin = Start.find(start, options.network, options.size)
    imitated = Start.find(teacher, None, None) if teacher else None
    checked = check(
        directory,
        classes,
        evaluation,
        group=group,
        threads=threads,
        limits=limits,
        progress=progress,
    )
    parts = _parts(checked, options, begin)
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
        limits=limits,
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
        measured, label_errors = finish(task, work, losses, seen, head)
    except (OSError, xgboost.core.XGBoostError) as error:
        raise InputError(f"{work.folder} cannot be written: {error}.") from error
    return TrainedStack(
        work.output,
        work.output / REPORT_FILE,
        checked,
        measured,
        label_errors,
        too_few(seen.labels),
    )


def _parts(checked: Checked, options: Options, start: Start) -> Split:
    """Split the pictures; few pictures go to the head alone, unless the options state otherwise."""
    if options.fine_tuning and not start.can_learn:
        raise InputError("The backbone has no weights for TensorFlow, which fine-tunes it.")
    parts = split(checked.training, checked.evaluation, seed=options.seed)
    counts = Counter(each.file.label for each in parts.backbone)
    enough = min(counts[number] for number in range(len(checked.classes))) >= FEWEST_FOR_BACKBONE
    automatic = enough and start.can_learn
    if options.fine_tuning if options.fine_tuning is not None else automatic:
        return parts
    return split(checked.training, checked.evaluation, frozen=True, seed=options.seed)
