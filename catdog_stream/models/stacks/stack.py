"""The model stack, which classifies pictures: from the bytes of a picture to a verdict."""

from pathlib import Path

import numpy as np

from catdog_stream.models.engines.backbone import Backbone, Batch
from catdog_stream.models.pictures import Picture, PictureLimits, decode
from catdog_stream.models.stacks import golden
from catdog_stream.models.stacks.class_scores import ClassScores
from catdog_stream.models.stacks.head import Head
from catdog_stream.models.stacks.loading import Engine, load_backbone
from catdog_stream.models.stacks.manifest import Manifest, load_manifest
from catdog_stream.models.stacks.ood import Familiarity
from catdog_stream.models.stacks.turned_copies import with_turned_copies
from catdog_stream.models.verdict import Verdict


class ModelStack:
    """Backbone and head of a stack, or a complete classifier: the project's own ``Classifier``."""

    def __init__(
        self,
        manifest: Manifest,
        backbone: Backbone,
        head: Head | ClassScores,
        familiarity: Familiarity | None = None,
        *,
        threads: int,
        limits: PictureLimits,
        turned_copies: bool = False,
    ) -> None:
        #: The manifest that the stack was loaded from.
        self.manifest = manifest
        self.name = manifest.name
        self.version = manifest.version
        self.classes = manifest.classes
        self.preprocessing = manifest.preprocessing
        self.engine = backbone.name
        self.batch_size = backbone.batch_size
        self.on_gpu = backbone.on_gpu
        self._backbone = backbone
        self._head = head
        self._familiarity = familiarity
        self._threshold = manifest.familiarity.threshold if manifest.familiarity else 0.0
        #: Statistics of the verdicts on held-out pictures; ``None`` if the manifest has none.
        self.reference = manifest.reference
        self.threads = threads
        self._limits = limits
        self._turned_copies = turned_copies
        self._golden = manifest.golden
        #: Weight of the stack's vote in a jury.
        self.weight = manifest.weight

    @classmethod
    def load(
        cls,
        directory: Path,
        *,
        engine: Engine = "auto",
        threads: int,
        batch: int | None = None,
        limits: PictureLimits | None = None,
        turned_copies: bool = False,
        onnx_provider: str = "cpu",
    ) -> "ModelStack":
        """Load the stack in ``directory`` to compute on ``threads`` CPU threads.

        Args:
            directory: the stack's directory.
            engine: the engine for the backbone.
            threads: number of CPU threads.
            batch: number of pictures in one call of the backbone. Without it, the manifest fixes
                the number, or the engine chooses the smallest number with full throughput.
            limits: size limits of a picture.
            turned_copies: classify a picture on which the stack is unsure in all four orientations.
            onnx_provider: name of the execution provider of ONNX Runtime.

        Raises:
            StackError: the stack is missing, damaged, or ``engine`` cannot run it.
        """
        manifest = load_manifest(directory)
        familiarity = None
        if manifest.familiarity is not None:
            file = directory / manifest.part("familiarity").file
            familiarity = Familiarity.load(file, manifest.features, len(manifest.classes))
        # The head first: a network that is loaded must be closed.
        head = _head(directory, manifest)
        backbone = load_backbone(engine, directory, manifest, threads, batch, onnx_provider)
        return cls(
            manifest,
            backbone,
            head or _class_scores(manifest, backbone),
            familiarity,
            threads=threads,
            limits=limits or PictureLimits(),
            turned_copies=turned_copies,
        )

    def prepare(self, data: bytes) -> Picture:
        """Return the picture as uint8 [height, width, 3]. Thread-safe.

        Raises ``RejectedRequest`` if the picture is invalid.
        """
        return decode(data, self.preprocessing, self._limits)

    def classify(self, pictures: Batch) -> list[Verdict]:
        """Return the verdicts in the order of ``pictures``.

        A verdict has the same bits whatever else is in the batch.
        """
        if len(pictures) == 0:
            return []
        if self._turned_copies:
            return with_turned_copies(pictures, self._verdicts)
        return self._verdicts(pictures)

    def _verdicts(self, pictures: Batch) -> list[Verdict]:
        """Return the verdicts on ``pictures`` without turned copies."""
        values = self._backbone.features(pictures)
        stack = f"{self.name} {self.version}"
        scores = [
            dict(zip(self.classes, probabilities, strict=True))
            for probabilities in self._head.scores(values).tolist()
        ]
        if self._familiarity is None:
            return [Verdict(probabilities, stack) for probabilities in scores]
        return [
            Verdict(probabilities, stack, familiar, unknown=familiar < self._threshold)
            for probabilities, familiar in zip(
                scores,
                self._familiarity.of(values[:, -self.manifest.features :]).tolist(),
                strict=True,
            )
        ]

    def warm_up(self) -> None:
        """Classify a grey picture alone, and then a batch with one grey picture per thread."""
        grey = np.full(self.preprocessing.shape, 128, np.uint8)
        self.classify([grey])
        self.classify([grey] * self.threads)

    def check_golden(self, directory: Path) -> None:
        """Classify the golden pictures in ``directory``, the stack's own.

        Raises ``StackError`` if a picture now has other scores.
        """
        who = f"The stack {self.name}/{self.version}"
        golden.check(self, who, self._golden, directory)

    def close(self) -> None:
        """Free threads and memory of the backbone. The stack cannot be used afterwards."""
        self._backbone.close()


def _head(directory: Path, manifest: Manifest) -> Head | None:
    """Load the head of a stack; ``None`` for a complete classifier. Raises ``StackError``."""
    if manifest.output != "features":
        return None
    file = directory / manifest.part("head").file
    return Head(file, manifest.features, len(manifest.classes), manifest.calibration)


def _class_scores(manifest: Manifest, backbone: Backbone) -> ClassScores:
    assert manifest.output != "features"
    return ClassScores(
        manifest.output,
        len(manifest.classes),
        features=manifest.features,
        step=backbone.output_step,
        calibration=manifest.calibration,
    )
