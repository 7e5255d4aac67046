"""The numbers on a page, and the text around them."""

from html.parser import HTMLParser

_VOID = {"meta", "link", "input", "br", "img"}
_SKIPPED = {"script", "style", "svg", "label"}


class Numbers(HTMLParser):
    """The ``data`` elements of a page, and the text outside of them.

    Text of elements with ``data-said`` and of ``names`` (tags) was said by others: it is no prose of the page.
    """

    def __init__(self, names):
        super().__init__()
        self.found, self.prose = [], []
        self._skipped = _SKIPPED | set(names)
        self._open = []

    def handle_starttag(self, tag, attributes):
        if tag in _VOID:
            return
        self._open.append((tag, tag in self._skipped or "data-said" in dict(attributes)))
        if tag == "data":
            self.found.append(dict(attributes) | {"text": ""})

    def handle_endtag(self, tag):
        while self._open and self._open.pop()[0] != tag:
            pass

    def handle_data(self, data):
        if any(tag == "data" for tag, _ in self._open):
            self.found[-1]["text"] += data
        elif not any(skipped for _, skipped in self._open):
            self.prose.append(data)


def numbers_of(html, names=()):
    """Read a page."""
    parser = Numbers(names)
    parser.feed(html)
    return parser


def look_up(report, key):
    value = report
    for part in key.split("."):
        value = value[int(part)] if isinstance(value, list) else value[part]
    return value
