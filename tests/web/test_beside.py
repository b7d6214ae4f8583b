"""What the page says of a canary and of a shadow."""

from catdog_stream.errors import StackError
from catdog_stream.pipeline.sampling import Sample
from catdog_stream.pipeline.shadow.comparing import Comparison
from catdog_stream.pipeline.shadow.process import Assignment
from catdog_stream.pipeline.shadow.watching import Shadow
from catdog_stream.web.beside import canary_section, shadow_section
from catdog_stream.web.page import render
from catdog_stream.web.statistics import Statistics
from tests.web.test_page import Reader


def nowhere() -> Assignment:
    raise StackError("There is none.")


def shadow() -> Shadow:
    return Shadow(Sample(b"shadow", 0.5), nowhere, patience=1)


def page(beside: str) -> Reader:
    return Reader(render(Statistics({}, {}, 1, 1), beside=beside))


def test_a_canary_is_named_with_its_share() -> None:
    text = page(canary_section("pets 2", 0.05)).text
    assert "pets 2 answers 5.0% of this worker's requests." in text


def test_a_shadow_that_is_not_there_yet_says_so() -> None:
    assert "It is being loaded." in page(shadow_section(shadow(), 0.5)).text


def test_what_a_shadow_found_stands_there_by_who_answered() -> None:
    it = shadow()
    it.stack, it.dropped = "pets 3", 7
    for agree, difference in ((True, 0.1), (False, 0.8)):
        it._compared("pets 2", Comparison(agree, difference))
    reader = page(shadow_section(it, 0.5))
    assert reader.open == []
    assert "pets 3 looks at 50.0%." in reader.text
    assert reader.cells[5:] == ["pets 2", "2", "50.0%", "0.450", "0.800"]
    assert "7 not looked at" in reader.text


def test_a_problem_shows_and_stays_text() -> None:
    it = shadow()
    it.problem = "<script>It ended.</script>"
    reader = page(shadow_section(it, 1.0))
    assert "script" not in reader.seen
    assert it.problem in reader.text
