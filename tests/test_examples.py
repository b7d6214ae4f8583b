"""Tests that the documents show ``examples/`` unchanged; system tests run the applications."""

import pytest

from tests.support.examples import AUDIT, CATS, ROOT


@pytest.mark.parametrize(("document", "example"), [("README.md", CATS), ("docs/testing.md", AUDIT)])
def test_a_document_shows_the_whole_example(document: str, example: str) -> None:
    assert f"```python\n{example}```" in (ROOT / document).read_text()
