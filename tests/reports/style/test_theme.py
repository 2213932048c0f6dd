import pytest
from hypothesis import given
from hypothesis import strategies as st

from reports.style.theme import FAMILIES, PAPER, PHASES, STAGES, label
from results.text import printable


@given(st.text())
def test_a_label_is_text_to_plotly(text):
    assert "<" not in label(text)
    assert label(text).replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&") == printable(text)


def test_a_label_shows_what_would_act():
    assert label("a\x1b[31m<b>\u202e") == r"a\x1b[31m&lt;b&gt;\u202e"
    assert label("224\N{NO-BREAK SPACE}px × 日本") == "224\N{NO-BREAK SPACE}px × 日本"


def _luminance(color):
    parts = [int(color[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


@pytest.mark.parametrize("paper", PAPER.values())
@pytest.mark.parametrize("styles", [FAMILIES, PHASES, STAGES])
def test_every_series_stands_out_from_the_paper(styles, paper):
    # WCAG 2.2, 1.4.11: graphics need a contrast of 3:1.
    for style in styles.values():
        light, dark = sorted((_luminance(style.color), _luminance(paper)), reverse=True)
        assert (light + 0.05) / (dark + 0.05) >= 3, style


def test_series_differ_without_colour():
    assert len({style.symbol for style in FAMILIES.values()}) == len(FAMILIES)
    for styles in (PHASES, STAGES):
        assert len({style.pattern for style in styles.values()}) == len(styles)
