"""A model stack: the bytes of a picture in, a verdict out."""

from pathlib import Path

import numpy as np

from catdog_stream.models.engines.backbone import Backbone, Batch
from catdog_stream.models.pictures import Picture, PictureLimits, decode
from catdog_stream.models.stacks import golden
from catdog_stream.models.stacks.head import Head
from catdog_stream.models.stacks.loading import Engine, load_backbone
from catdog_stream.models.stacks.manifest import Manifest, load_manifest
from catdog_stream.models.stacks.ood import Familiarity
from catdog_stream.models.stacks.turned_copies import with_turned_copies
from catdog_stream.models.verdict import Verdict


class ModelStack:
    """Backbone and head of a stack's directory: the project's own ``Classifier``."""

    def __init__(
        self,
        manifest: Manifest,
        backbone: Backbone,
        head: Head,
        familiarity: Familiarity | None = None,
        *,
        threads: int,
        limits: PictureLimits,
        turned_copies: bool = False,
    ) -> None:
        #: What it was loaded by.
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
        #: What it said of pictures that it had not seen; ``None`` where nobody has noted it.
        self.reference = manifest.reference
        self.threads = threads
        self._limits = limits
        self._turned_copies = turned_copies
        self._golden = manifest.golden
        #: How much its vote counts among others.
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
    ) -> "ModelStack":
        """Load the stack in ``directory`` to compute on ``threads`` CPU threads.

        ``batch`` pins the number of pictures in one call of the backbone; without it the manifest
        does, or the engine finds the number that keeps it busy. With ``turned_copies`` a picture
        on which the stack is unsure is classified in all four orientations.

        Raises ``StackError`` if it is missing, damaged or cannot be run by ``engine``.
        """
        manifest = load_manifest(directory)
        head = Head(
            directory / manifest.part("head").file,
            manifest.features,
            len(manifest.classes),
            manifest.calibration,
        )
        familiarity = None
        if manifest.familiarity is not None:
            file = directory / manifest.part("familiarity").file
            familiarity = Familiarity.load(file, manifest.features, len(manifest.classes))
        backbone = load_backbone(engine, directory, manifest, threads, batch)
        return cls(
            manifest,
            backbone,
            head,
            familiarity,
            threads=threads,
            limits=limits or PictureLimits(),
            turned_copies=turned_copies,
        )

    def prepare(self, data: bytes) -> Picture:
        """The picture as uint8 [size, size, 3]. Thread-safe."""
        return decode(data, self.preprocessing, self._limits)

    def classify(self, pictures: Batch) -> list[Verdict]:
        """Verdicts in the order of ``pictures``, the same bits whatever else is in the batch."""
        if len(pictures) == 0:
            return []
        if self._turned_copies:
            return with_turned_copies(pictures, self._verdicts)
        return self._verdicts(pictures)

    def _verdicts(self, pictures: Batch) -> list[Verdict]:
        """Verdicts on ``pictures`` as they are."""
        features = self._backbone.features(pictures)
        stack = f"{self.name} {self.version}"
        scores = [
            dict(zip(self.classes, chances, strict=True))
            for chances in self._head.scores(features).tolist()
        ]
        if self._familiarity is None:
            return [Verdict(chances, stack) for chances in scores]
        return [
            Verdict(chances, stack, familiar, unknown=familiar < self._threshold)
            for chances, familiar in zip(
                scores, self._familiarity.of(features).tolist(), strict=True
            )
        ]

    def warm_up(self) -> None:
        """Classify a grey picture, alone and as many together as there are threads."""
        grey = np.full((self.preprocessing.size, self.preprocessing.size, 3), 128, np.uint8)
        self.classify([grey])
        self.classify([grey] * self.threads)

    def check_golden(self, directory: Path) -> None:
        """Look at the golden pictures in ``directory``, the stack's own.

        Raises ``StackError`` if one has other scores now.
        """
        who = f"The stack {self.name}/{self.version}"
        golden.check(self, who, self._golden, directory)

    def close(self) -> None:
        self._backbone.close()
