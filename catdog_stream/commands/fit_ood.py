"""``catdog-stream fit-ood``: fits the OOD score of a stack."""

from pathlib import Path

import click

from catdog_stream.commands.stack_names import STACK_PART
from catdog_stream.terminal import shown


@click.command("fit-ood")
@click.argument("stack", type=click.Path(path_type=Path))
@click.argument("pictures", type=click.Path(path_type=Path))
@click.option(
    "--validation",
    type=click.Path(path_type=Path),
    help="Labelled pictures that nothing was trained on: what to compare the stream with.",
)
@click.option(
    "--version",
    type=STACK_PART,
    help="The stack's new version; it answers differently from now on.",
)
@click.option(
    "--threshold",
    type=click.FloatRange(0, 1, max_open=True),
    default=0.02,
    show_default=True,
    help="The share of pictures of the classes that may be called unknown.",
)
def fit_ood(
    stack: Path, pictures: Path, validation: Path | None, version: str | None, threshold: float
) -> None:
    """Fit the OOD score of STACK on PICTURES/CLASS/*.

    The backbone must not have been trained on them; the head may have.
    """
    from catdog_stream.commands.left_out import print_left_out
    from catdog_stream.models.training.fit_ood import add_ood_score
    from catdog_stream.settings import Settings
    from catdog_stream.worker.loading import limits_of

    settings = Settings.from_environment()
    fitted = add_ood_score(
        stack,
        pictures,
        validation=validation,
        version=version,
        threshold=threshold,
        threads=settings.threads,
        limits=limits_of(settings),
    )
    print_left_out(fitted.unreadable)
    click.echo(
        shown(
            f"Fitted on {fitted.pictures} pictures. A picture with a lower score than "
            f"{1 - fitted.threshold:.1%} of them is unknown to {stack}."
        )
    )
    if fitted.validation is not None:
        click.echo(fitted.validation.as_table())
