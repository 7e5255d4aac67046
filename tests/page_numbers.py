"""The numbers on a page, and the text around them."""

from html.parser import HTMLParser


class Numbers(HTMLParser):
    """The ``data`` elements of a page, and the text outside of them."""

    def __init__(self):
        super().__init__()
        self.found, self.prose, self._inside, self._skipped = [], [], None, 0

    def handle_starttag(self, tag, attributes):
        if tag == "data":
            self._inside = dict(attributes) | {"text": ""}
        self._skipped += tag in ("script", "style", "svg", "label")

    def handle_endtag(self, tag):
        if tag == "data":
            self.found.append(self._inside)
            self._inside = None
        self._skipped -= tag in ("script", "style", "svg", "label")

    def handle_data(self, data):
        if self._inside is not None:
            self._inside["text"] += data
        elif not self._skipped:
            self.prose.append(data)


def numbers_of(html):
    """Read a page."""
    parser = Numbers()
    parser.feed(html)
    return parser


def look_up(report, key):
    value = report
    for part in key.split("."):
        value = value[int(part)] if isinstance(value, list) else value[part]
    return value
