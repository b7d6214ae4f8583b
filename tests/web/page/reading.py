"""HTML reader that behaves as a browser does."""

from html.parser import HTMLParser

VOID = {"meta", "link", "br", "img", "input", "rect", "path"}


class Reader(HTMLParser):
    """Parser that collects the text of a page and checks that its tags are balanced."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.seen: set[str] = set()
        self.cells: list[str] = []
        self.text = ""
        self.feed(page)
        self.close()

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        self.seen.add(tag)
        for name, value in attributes:
            assert not name.startswith("on"), f"{tag} has {name}"
            if name in ("href", "src"):
                assert value is not None
                assert value.startswith(("/", "#")), f"{tag} has {name}={value}"
        if tag in ("td", "th"):
            self.cells.append("")
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if tag not in VOID:
            assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text += data
        if "td" in self.open or "th" in self.open:
            self.cells[-1] += data
