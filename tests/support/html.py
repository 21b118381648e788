"""HTML as a browser's parser would see it, for tests of pages."""

from html.parser import HTMLParser

_VOID = frozenset({"meta", "input", "br", "link", "img", "hr"})


class Document(HTMLParser):
    """All elements with their attributes, and the text outside of styles and scripts."""

    def __init__(self, source: str) -> None:
        super().__init__(convert_charrefs=True)
        self.elements: list[tuple[str, dict[str, str]]] = []
        #: the content of each style and script, by tag.
        self.raw: dict[str, list[str]] = {"style": [], "script": []}
        self._texts: list[str] = []
        self._open: list[str] = []
        self.feed(source)
        self.close()
        assert self._open == [], "every element is closed"

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, {name: value or "" for name, value in attrs}))
        if tag not in _VOID:
            self._open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self._open
        assert self._open.pop() == tag

    def handle_data(self, data: str) -> None:
        if self._open and self._open[-1] in self.raw:
            self.raw[self._open[-1]].append(data)
        else:
            self._texts.append(data)

    @property
    def text(self) -> str:
        """All text that is shown."""
        return "".join(self._texts)

    def find(self, tag: str, **attributes: str) -> list[dict[str, str]]:
        """The attributes of each such element."""
        wanted = attributes.items()
        return [found for name, found in self.elements if name == tag and wanted <= found.items()]

    def classes(self, name: str) -> int:
        """How many elements have this class."""
        return sum(name in attributes.get("class", "").split() for _, attributes in self.elements)
