"""``catdog-stream import``: makes a stack of a model that another library has trained."""

import json
import shlex
from contextlib import suppress
from pathlib import Path
from typing import Any, get_args

import click

from catdog_stream.commands.import_original import import_original
from catdog_stream.commands.stack_names import STACK_PART, stack_name
from catdog_stream.commands.stopping import Stopped, until_stopped
from catdog_stream.errors import InputError
from catdog_stream.models.classes import listed
from catdog_stream.models.presets import PresetName
from catdog_stream.terminal import shown

#: Pictures without a class whose verdicts are printed.
_PRINTED = 20


def _fields(_context: click.Context, _option: click.Parameter, value: str) -> dict[str, Any]:
    """Return the object of JSON in the value of an option."""
    with suppress(ValueError, RecursionError):
        if isinstance(fields := json.loads(value), dict):
            return fields
    raise click.BadParameter(f'{value!r} is no object of JSON, such as {{"size": 224}}.')


class _Import(click.Command):
    """Command that with ``--legacy`` is the import of the first system, with its options."""

    def make_context(
        self,
        info_name: str | None,
        args: list[str],
        parent: click.Context | None = None,
        **extra: Any,
    ) -> click.Context:
        if "--legacy" not in args:
            return super().make_context(info_name, args, parent, **extra)
        others = [each for each in args if each != "--legacy"]
        return import_original.make_context(f"{info_name} --legacy", others, parent, **extra)

    def invoke(self, ctx: click.Context) -> Any:
        return super().invoke(ctx) if ctx.command is self else ctx.command.invoke(ctx)


@click.command("import", cls=_Import)
@click.argument("model", type=click.Path(path_type=Path))
@click.option(
    "--output", required=True, type=click.Path(path_type=Path), help="Where the stack goes."
)
@click.option(
    "--classes",
    metavar="FILE|A,B,C",
    help="The classes in the model's order: a file (lines or JSON), or names with commas.",
)
@click.option(
    "--preset",
    type=click.Choice(get_args(PresetName)),
    help="The library whose way to prepare pictures the model expects.",
)
@click.option(
    "--input",
    "preprocessing",
    metavar="JSON",
    callback=_fields,
    default="{}",
    help='Fields of the manifest\'s input, such as {"size": 224}; they replace all others.',
)
@click.option(
    "--pictures",
    type=click.Path(path_type=Path),
    help="Pictures to check the stack with; in folders CLASS/* they also measure it.",
)
@click.option("--scores", metavar="NAME", help="The output with the scores, if there are several.")
@click.option("--features", metavar="NAME", help="The output with features, for an OOD score.")
@click.option(
    "--output-kind",
    "kind",
    type=click.Choice(["logits", "probabilities"]),
    help="The kind of the scores; by default it is found.",
)
@click.option("--name", type=STACK_PART, help="The stack's name; that of OUTPUT by default.")
@click.option(
    "--version", type=STACK_PART, default="1", show_default=True, help="The stack's version."
)
@click.option("--force", is_flag=True, help="Write into a directory that holds something.")
@click.option("--legacy", is_flag=True, help="Import the first system: import --legacy --help.")
def import_command(
    model: Path,
    output: Path,
    classes: str | None,
    pictures: Path | None,
    name: str | None,
    version: str,
    force: bool,
    **given: Any,
) -> None:
    """Make a stack of MODEL: .onnx, .tflite, .keras, .h5, a SavedModel, or a folder with one."""
    name = stack_name(name, version, output)
    if not force and output.is_dir() and any(output.iterdir()):
        raise InputError(f"There is something in {output} already: --force replaces a stack there.")
    from catdog_stream.commands.left_out import print_left_out
    from catdog_stream.models.importing.class_names import names_in_option
    from catdog_stream.models.importing.importing import Options, import_model
    from catdog_stream.models.training.labelled import Unreadable
    from catdog_stream.settings import Settings
    from catdog_stream.worker.loading import limits_of

    settings = Settings.from_environment()
    given.pop("legacy")
    options = Options(
        name, version, names_in_option(classes) if classes is not None else None, **given
    )
    with until_stopped() as signals:  # a signal leaves no unfinished folder behind
        try:
            with signals.interrupting():
                imported = import_model(
                    model,
                    output,
                    options,
                    pictures,
                    threads=settings.threads,
                    limits=limits_of(settings),
                )
        except Stopped as stopped:
            raise SystemExit(stopped.exit_code) from None
    manifest, evaluation = imported.checked.manifest, imported.checked.evaluation
    for path, verdict in imported.checked.verdicts[:_PRINTED]:
        if isinstance(verdict, Unreadable):
            print_left_out([verdict])
        else:
            click.echo(shown(f"{path}: {verdict.label} {verdict.scores[verdict.likeliest]:.1%}"))
    if evaluation is not None:
        click.echo(evaluation.as_table())
    click.echo(
        shown(
            f"The stack {manifest.name} {manifest.version} is in {output}: {len(manifest.classes)} "
            f"classes ({listed(manifest.classes)}), {manifest.output} ({imported.reason}), read "
            f"from {', '.join([model.name, *imported.sources])}."
        )
    )
    click.echo(shown(f"Next: CATDOG_STACK={shlex.quote(str(output))} catdog-stream up"))
