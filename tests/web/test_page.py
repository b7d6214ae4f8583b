"""The page for people: readable, plain, and safe whatever it shows."""

from html.parser import HTMLParser

from hypothesis import given
from hypothesis import strategies as st

from catdog_stream.web.page import render
from catdog_stream.web.statistics import Statistics

VOID = {"meta", "link", "br"}


class Reader(HTMLParser):
    """Collects the text of a page and checks that its tags are balanced."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.seen: set[str] = set()
        self.cells: list[str] = []
        self.text = ""
        self.feed(page)
        self.close()

    def handle_starttag(self, tag: str, _attributes: object) -> None:
        self.seen.add(tag)
        if tag == "td":
            self.cells.append("")
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text += data
        if "td" in self.open:
            self.cells[-1] += data


def page(
    labels: dict[str, int] | None = None,
    rejections: dict[str, int] | None = None,
    asked: int = 1,
    answered: int = 1,
) -> str:
    return render(Statistics(labels or {}, rejections or {}, asked, answered))


def test_labels_and_reasons_are_listed_the_most_frequent_first() -> None:
    reader = Reader(page({"cat": 1, "dog": 3}, {"not_json": 2}))
    assert reader.cells[:8] == ["dog", "3", "75.0%", "", "cat", "1", "25.0%", ""]
    assert reader.cells[8:] == ["not_json", "2", "100.0%", ""]
    assert "4 pictures classified" in reader.text
    assert "1 of 1 workers answered" in reader.text


def test_an_empty_system_says_so() -> None:
    text = Reader(page()).text
    assert "No picture has been classified yet." in text
    assert "None rejected." in text


def test_counts_that_are_not_complete_are_marked() -> None:
    assert "did not answer" not in page({"cat": 1})
    assert "One worker did not answer" in page({"cat": 1}, asked=2)
    assert "2 workers did not answer" in page({"cat": 1}, asked=3)


def test_nothing_needs_javascript() -> None:
    assert "script" not in page({"cat": 1}, {"x": 1})


@given(st.text(min_size=1), st.text(min_size=1))
def test_whatever_a_label_or_a_reason_is_called_it_stays_text(label: str, reason: str) -> None:
    plain = Reader(page({"cat": 1}, {"x": 1}))
    reader = Reader(page({label + "<b>{0}": 1}, {reason + "</table><script>": 1}))
    assert reader.seen == plain.seen
    assert reader.open == []
    assert "<b>{0}" in reader.cells[0]
    assert "</table><script>" in reader.cells[4]
