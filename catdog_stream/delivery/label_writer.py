"""Writer of labels in the form that the settings give them."""

from dataclasses import dataclass

from catdog_stream.messages.labels import LabelFormat, label_format_named, verdict_label
from catdog_stream.messages.scores import ScoreLimits
from catdog_stream.messages.wire import Answer, Incoming
from catdog_stream.pipeline.outcome import Classified
from catdog_stream.settings import Settings

__all__ = ["LabelWriter"]


@dataclass(frozen=True, slots=True)
class LabelWriter:
    """Writer of labels.

    Args:
        limits: limits of the scores in a label.
        form: format of the values of labels.
        leaves_out_event: labels have no headers of a request that is a CloudEvent.
    """

    limits: ScoreLimits
    form: LabelFormat
    leaves_out_event: bool

    @classmethod
    def of(cls, settings: Settings) -> "LabelWriter":
        """Return the writer. Raises ``SettingError`` if the settings' format cannot be used."""
        form = label_format_named(settings.label_format)
        leaves_out_event = getattr(form, "leaves_out_event", False)
        return cls(
            settings.score_limits, form, settings.request_parser.reads_events and leaves_out_event
        )

    def write(self, incoming: Incoming, classified: Classified) -> Answer:
        """Return the record of the label of a request."""
        verdict = classified.verdict
        return verdict_label(
            incoming,
            text=self.limits.text(verdict),
            url=classified.url,
            verdict=verdict.label,
            scores=verdict.scores,
            stack=verdict.stack,
            familiarity=verdict.familiarity,
            notes=verdict.notes,
            fields=classified.fields,
            limits=self.limits,
            form=self.form,
            leaves_out_event=self.leaves_out_event,
        )
