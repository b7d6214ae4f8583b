"""Tests that the documents show ``examples/`` unchanged; system tests run the applications."""

import pytest

from catdog_stream.settings import Settings
from catdog_stream.worker.loading import ClassifierOfSettings
from tests.support.examples import AUDIT, BRIGHTNESS, CATS, EXAMPLES, ROOT
from tests.support.shade import grey


@pytest.mark.parametrize(
    ("document", "example"),
    [
        ("README.md", CATS),
        ("docs/testing.md", AUDIT),
        ("docs/classifiers.md", BRIGHTNESS),
    ],
)
def test_a_document_shows_the_whole_example(document: str, example: str) -> None:
    assert f"```python\n{example}```" in (ROOT / document).read_text()


def test_the_python_classifier_passes_the_check_of_a_worker_and_classifies(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.syspath_prepend(EXAMPLES)
    brightness = ClassifierOfSettings()(Settings(classifier="brightness:Brightness"))
    (dark, light) = brightness.classify([brightness.prepare(grey(shade)) for shade in (51, 255)])
    assert dark.scores == {"dark": pytest.approx(0.8), "light": pytest.approx(0.2)}
    assert light.text == "Probabilities: dark 0.0% light 100.0%"
    assert dark.stack == "brightness 1"
