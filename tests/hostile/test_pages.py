"""Sound records with hostile words in them as an HTML page: no element and no attribute comes from data."""

import base64
import html.parser
import json
import re
import zlib

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from reports.page import page

STEERING = re.compile("[\x00-\x09\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\u2028\u2029\ud800-\udfff]")

FRAGMENTS = (
    *("<xss a=1>", '"><xss>', "' xss='", '" xss="', "</script><xss>", "</title><xss>", "</style><xss>", "<!--", "-->"),
    *(
        "]]>",
        "&lt;xss&gt;",
        "&#60;xss&#62;",
        "\\u003cxss\\u003e",
        "javascript:alert(1)",
        "{{ 7*7 }}",
        "{% raw %}",
        "%{y}",
    ),
    *("<br>", "<b>", "\r\n", "\x1b[31m", "\x9b", "\u202e", "\u2066", "\u2028", "\ud800", "\N{PILE OF POO}", "resnet50"),
)
WORDS = st.lists(st.sampled_from(FRAGMENTS) | st.text(max_size=6), max_size=5).map("".join)
NAMES = st.lists(st.sampled_from(FRAGMENTS) | st.text(max_size=6), min_size=1, max_size=5).map(
    lambda parts: "".join(filter(str.isprintable, "".join(parts)))[:128] or "x"
)


TAGS = {
    *("html", "head", "meta", "title", "style", "body", "header", "main", "footer", "section", "nav", "noscript"),
    *("p", "h1", "h2", "h3", "dl", "div", "dt", "dd", "ul", "li", "a", "strong", "b", "small", "span"),
    *("details", "summary", "label", "input", "output", "select", "option"),
    *("table", "thead", "tbody", "tr", "th", "td", "script"),
    *("svg", "polyline", "circle", "text", "code", "figure", "form", "button"),
}
ATTRIBUTES = {
    *("lang", "charset", "http-equiv", "content", "name", "class", "id", "aria-label", "role", "href", "hidden", "for"),
    *("type", "autocomplete", "spellcheck", "placeholder", "tabindex", "scope", "data-sort", "title", "value"),
    *("data-view", "data-chart", "viewbox", "points", "cx", "cy", "r", "x", "y", "text-anchor"),
    *("inputmode", "step", "min", "max", "open", "data-pair", "data-order", "data-column"),
}
FROM_DATA = {"data-sort", "title", "aria-label"}
"""Attributes in which words of the data may stand."""


class Parsed(html.parser.HTMLParser):
    """Tags, attributes and comments of a page, as a browser would see them."""

    def __init__(self):
        super().__init__()
        self.tags, self.names, self.values, self.other = set(), set(), set(), []
        self.scripts = 0

    def handle_starttag(self, tag, attrs):
        self.tags.add(tag)
        self.scripts += tag == "script"
        self.names |= {name for name, _ in attrs}
        self.values |= {(name, value) for name, value in attrs if name not in FROM_DATA}

    def handle_comment(self, data):
        self.other.append(data)

    def unknown_decl(self, data):
        self.other.append(data)

    def handle_pi(self, data):
        self.other.append(data)


def without_plotly(text):
    """The page without Plotly's script, which is no data, and slow to look through."""
    from plotly.offline import get_plotlyjs  # noqa: PLC0415 - loads Plotly

    return text.replace(get_plotlyjs(), "")


def parsed(text):
    reader = Parsed()
    reader.feed(without_plotly(text))
    reader.close()
    return reader


COUNTED = re.compile(r"[-\d., ]+")
"""Where dots lie in the drawing."""


def fixed(page_parsed):
    """The attributes that are the template's own."""
    return {value for value in page_parsed.values if not COUNTED.fullmatch(value[1] or "")}


@pytest.fixture
def usual(drawn):
    return fixed(parsed(page.render(drawn("resnet50", "a word"))))


@settings(max_examples=12, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(name=NAMES, word=WORDS)
@example(name="<xss a=1>", word="\"><xss>' xss='</script><xss>")
@example(name="</title><!--", word="\x1b[31m\u202e<b>|\ud800")
def test_no_element_and_no_attribute_of_a_page_comes_from_data(drawn, usual, name, word):
    text = page.render(drawn(name, word))
    found = parsed(text)
    assert found.tags <= TAGS
    assert found.names <= ATTRIBUTES
    assert (found.scripts, found.other) == (4, [])  # guard, payload, Plotly, the script
    assert fixed(found) == usual
    assert not STEERING.search(without_plotly(text))
    packed = re.search(r'id="payload">([A-Za-z0-9+/=]*)</script>', text)[1]
    given = zlib.decompress(base64.b64decode(packed), -zlib.MAX_WBITS).decode()
    json.loads(given, parse_constant=pytest.fail)
    assert not STEERING.search(given)
