import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from selfcare.theme import DEFAULT_FILE, GRAPHICS, SURFACES, TEXT, Theme, contrast, corrected, load

TOKENS = Path(__file__).parents[1] / "static" / "css" / "tokens.css"
PAGE, SURFACE = ("bg", "card"), ("bg", "card", "soft")
PAIRS = [
    *((token, on, TEXT) for token in ("ink", "mute", "link") for on in SURFACE),
    *((token, on, TEXT) for token in ("ok", "warn", "bad", "off") for on in PAGE),
    *((token, f"{token}-soft", TEXT) for token in ("ok", "warn", "bad")),
    *(("ink", f"{token}-soft", TEXT) for token in ("ok", "warn", "bad")),
    ("brand-ink", "brand", TEXT),
    ("brand-ink", "brand-deep", TEXT),
    *((token, on, GRAPHICS) for token in ("edge", "brand-edge", "b1", "b2", "b3") for on in PAGE),
]
colours = st.integers(0, 0xFFFFFF).map(lambda n: f"#{n:06x}")


def palette(mode: str, theme: Theme) -> dict[str, str]:
    """What a browser would compute: tokens.css, then the theme over it."""
    css = re.sub(r"/\*.*?\*/", "", TOKENS.read_text(), flags=re.DOTALL) + theme.css()
    found: dict[str, str] = {}
    for selector, body in re.findall(r"(:root(?:\[data-theme=\"dark\"\])?)\s*\{([^{}]*)\}", css):
        if selector == ":root" or mode == "dark":
            found |= dict(re.findall(r"--([\w-]+):\s*(#[0-9a-fA-F]{6})", body))
    return found


@pytest.mark.parametrize("mode", ["light", "dark"])
@pytest.mark.parametrize(("token", "on", "least"), PAIRS)
def test_every_pair_of_the_shipped_theme_can_be_read(mode: str, token: str, on: str, least: float) -> None:
    colours = palette(mode, load())
    assert contrast(colours[token], colours[on]) >= least


def test_the_shipped_theme_needs_no_correction() -> None:
    assert load().corrections == ()


@pytest.mark.parametrize("mode", ["light", "dark"])
def test_our_surfaces_are_those_of_the_style_sheet(mode: str) -> None:
    colours = palette(mode, load())
    assert {name: colours[name] for name in SURFACES[mode]} == dict(SURFACES[mode])  # type: ignore[index]


def test_both_ways_to_dark_say_the_same() -> None:
    css = TOKENS.read_text() + load().css()
    by_system = re.findall(r':root:not\(\[data-theme="light"\]\)\s*\{([^}]*)\}', css)
    by_choice = re.findall(r'^:root\[data-theme="dark"\]\s*\{([^}]*)\}', css, re.MULTILINE)
    assert [body.split() for body in by_system] == [body.split() for body in by_choice]
    assert len(by_system) == 2


@given(colours, colours, colours)
def test_whatever_colours_an_operator_picks_can_be_read(brand: str, ink: str, accent: str) -> None:
    theme = Theme("n", "p", "t", "1", "m", "h", brand=brand, brand_ink=ink, accent=accent)
    for mode, surfaces in SURFACES.items():
        made = theme.colours[mode]
        assert contrast(made["brand-ink"], made["brand"]) >= TEXT
        assert contrast(made["brand-ink"], made["brand-deep"]) >= TEXT
        for on in surfaces.values():
            assert min(contrast(made["link"], on), contrast(made["b3"], on)) >= TEXT
            assert min(contrast(made["b1"], on), contrast(made["brand-edge"], on)) >= GRAPHICS


def test_a_pale_brand_is_moved_and_the_operator_told_how_far() -> None:
    theme = Theme("n", "p", "t", "1", "m", "h", brand="#ffd500")
    moved = {(each.token, each.mode): each for each in theme.corrections}
    ink, link = moved["brand-ink", "light"], moved["link", "light"]
    assert (ink.before, link.before) == ("#ffffff", "#ffd500")
    assert ink.after == theme.colours["light"]["brand-ink"]
    assert TEXT <= ink.ratio < 4.6
    assert TEXT <= link.ratio < 4.6


def test_a_colour_that_passes_is_left_alone() -> None:
    assert corrected("#5b2bd9", ("#ffffff",), TEXT) == "#5b2bd9"


def test_where_no_lightness_passes_the_colour_is_refused_in_words() -> None:
    with pytest.raises(
        ValueError, match="#777777 cannot be made readable on #000000 and #ffffff: no lightness reaches 7"
    ):
        corrected("#777777", ("#000000", "#ffffff"), 7)


def test_contrast_is_that_of_the_standard() -> None:
    assert contrast("#000000", "#ffffff") == pytest.approx(21)
    assert contrast("#777777", "#ffffff") == pytest.approx(4.48, abs=0.005)
    assert contrast("#5b2bd9", "#5b2bd9") == 1


@pytest.mark.parametrize(
    ("shipped", "changed", "says"),
    [
        ('brand = "#5b2bd9"', 'brand = "purple"', "colours.brand is 'purple'; write it like"),
        ('brand = "#5b2bd9"', "brand = 5", "brand must be text in quotes"),
        ('brand = "#5b2bd9"', 'bramd = "#5b2bd9"', "bramd: there is no such entry"),
        ('link = "#b7a2ff"', 'lunk = "#b7a2ff"', "colours.dark.lunk is not a colour of the theme"),
        ("radius = 14", "radius = 99", "look.radius is 99; it must be from 0 to 24 pixels"),
        ("radius = 14", 'radius = "14"', "look.radius a whole number"),
        ('font = ""', 'font = "x;} body{display:none"', "look.font must be a plain CSS font list"),
        ('name = "Lark Mobile"', 'name = ""', "operator.name must be words"),
        ('name = "Lark Mobile"', "", "operator.name must be words"),
        ("[operator]", "[operator", "cannot be read"),
    ],
)
def test_a_theme_that_cannot_be_used_is_refused_in_words(tmp_path: Path, shipped: str, changed: str, says: str) -> None:
    file = tmp_path / "theme.toml"
    file.write_text(DEFAULT_FILE.read_text().replace(shipped, changed))
    with pytest.raises(ValueError, match=re.escape(says)) as refused:
        load(file)
    assert str(file) in str(refused.value)


def test_a_theme_that_is_not_there_is_refused_in_words(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"nowhere\.toml cannot be read"):
        load(tmp_path / "nowhere.toml")
