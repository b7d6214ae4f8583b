"""Tests of a report: one page that no file name can break."""

import re
from html.parser import HTMLParser

import numpy as np
import pytest

from catdog_stream.models.preprocessing import Preprocessing
from catdog_stream.models.stacks.calibration import Calibration
from catdog_stream.models.stacks.manifest import Manifest
from catdog_stream.models.stacks.reference import Reference
from catdog_stream.models.training.backbone.plan import automatic
from catdog_stream.models.training.data.checking import Checked, Duplicate, Example
from catdog_stream.models.training.data.splitting import Split
from catdog_stream.models.training.evaluation import Answers, Evaluation, confusion
from catdog_stream.models.training.label_errors import LabelError
from catdog_stream.models.training.labelled import LabelledFile, Unreadable
from catdog_stream.models.training.parity import Parity
from catdog_stream.models.training.report.document import Report, write_report
from catdog_stream.models.training.robustness import Robustness, ViewResult
from catdog_stream.models.verdict import Verdict
from tests.models.training.data.pictures import picture

CLASSES = ("cat", "dog", "owl")
#: Name with special effects in a page, on a terminal and on the direction of writing.
HOSTILE = "<script src=x.example>\"'&\x1b[2J\u202e.png"


class Elements(HTMLParser):
    """Elements of the page, and the resources that they refer to."""

    def __init__(self) -> None:
        super().__init__()
        self.names: list[str] = []
        self.references: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.names.append(tag)
        self.references += [v or "" for k, v in attrs if k in ("src", "href", "xlink:href", "data")]


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> str:
    folder = tmp_path_factory.mktemp("report")
    picture(3, 0).save(folder / HOSTILE)
    file = LabelledFile(folder / HOSTILE, 0)
    random = np.random.default_rng(0)
    probabilities = random.dirichlet((1, 1, 1), 60)
    labels = np.arange(60) % 3
    said = [
        Verdict(dict(zip(CLASSES, row, strict=True)), "pets 1") for row in probabilities.tolist()
    ]
    reference = Reference.of(said)
    manifest = Manifest(
        name="pets <b>", version="1", classes=CLASSES, preprocessing=Preprocessing(299),
        features=2048, parts={}, calibration=Calibration(0.8, (0.0, 0.1, 0.2)),
        training={
            "pictures": HOSTILE, "counts": {}, "held_out": {"accuracy": 0.5},
            "fine_tuning": automatic(64, 75).as_json(),
        },
    )  # fmt: skip
    example = Example(file, "0")
    report = Report(
        manifest=manifest,
        checked=Checked(
            CLASSES, (example,), (), (Unreadable(HOSTILE, "not_an_image", "no <picture>"),),
            (Duplicate(file.path, file.path, identical=False),),
        ),
        parts=Split((example,), (example,), (example,)),
        answers=Answers([file] * 60, labels, probabilities, reference, [], 1.0),
        evaluation=Evaluation(
            "pets 1", "litert", 60, 0.3, 1.0, 0.1, confusion(labels, probabilities, CLASSES), 1.0,
            reference,
        ),
        robustness=Robustness("pets 1", "litert", (ViewResult("turned 90", 60, 57, 3),)),
        parity=Parity(60, 0.1, 0.01, 0.99),
        label_errors=[LabelError(file, 1, 0.9, 0.05)] * 30,
        losses=[2.0 / (step + 1) for step in range(900)],
        unfamiliar="24 pictures are too few.",
    )  # fmt: skip
    write_report(folder / "report.html", report)
    return (folder / "report.html").read_text(encoding="utf-8")


def test_a_name_is_text(page: str) -> None:
    assert "&lt;script src=x.example&gt;&quot;&#x27;&amp;" in page
    assert not re.search(r"[\x00-\x09\x0b-\x1f\u202e]", page)
    elements = Elements()
    elements.feed(page)
    assert "script" not in elements.names
    assert "b" not in elements.names[: elements.names.index("main")]


def test_nothing_is_loaded_from_anywhere(page: str) -> None:
    elements = Elements()
    elements.feed(page)
    assert elements.references
    assert all(each.startswith("data:image/jpeg;base64,") for each in elements.references)
    assert "url(" not in page
    assert "@import" not in page
    assert "default-src 'none'" in page


def test_each_phase_of_a_fine_tuning_is_a_row_for_people(page: str) -> None:
    for row in (
        "<th>fine_tuning phase 1</th><td>epochs 7.5, size 75, rate 0.0005, upper yes</td>",
        "<th>fine_tuning phase 2</th><td>epochs 22.5, size 75, rate 0.0002, upper no</td>",
        "<th>range</th><td>-1, 1</td>",
    ):
        assert row in page, row
    assert "({" not in page
    assert "[-1" not in page


def test_all_that_matters_is_there(page: str) -> None:
    for part in (
        "Who is taken for whom",
        "area 0.",
        "before calibration, error",
        "no &lt;picture&gt;",
        "looks like",
        "loss of a batch",
        "held_out accuracy",
        "dog 90.0%, in the folder cat 5.0%<br>",
        "All of them: 30",
        "same verdict in eight bits as in floats (91.1% to 99.7%)",
        "The stack calls nothing unknown: 24 pictures are too few.",
    ):
        assert part in page, part
    assert page.count("<img") == 24 + 20  # for any number of pictures
    assert len(page) < 1_000_000


def test_the_views_of_the_pictures_are_in_a_table(page: str) -> None:
    row = "<th>turned 90</th><td>95.00%</td><td>86.3% to 98.3%</td><td>5.00%</td>"
    row += "<td>1.7% to 13.7%</td>"
    assert row in page
