"""The operator's names and colours from one TOML file, and the style sheet that follows from them.

A colour under its WCAG ratio (4.5 for text, 3 for graphics) is moved in lightness to the nearest value that passes.
"""

import colorsys
import re
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Literal, Self

TEXT, GRAPHICS = 4.5, 3.0
DEFAULT_FILE = Path(__file__).with_name("theme.toml")

Mode = Literal["light", "dark"]
# The same values stand in static/css/tokens.css, and a test compares them.
SURFACES: Mapping[Mode, Mapping[str, str]] = {
    "light": {"bg": "#f6f5f2", "card": "#ffffff", "soft": "#efede8"},
    "dark": {"bg": "#121214", "card": "#1c1c20", "soft": "#2a2930"},
}
_SYSTEM_FONT = 'system-ui, -apple-system, "Segoe UI", Roboto, "Noto Sans", "Helvetica Neue", Arial, sans-serif'
_COLOUR = re.compile(r"#[0-9a-f]{6}")
_WEB = re.compile(r"https://[\w.-]+(?::\d+)?(?:/[^\s\"<>]*)?")
_FONT = re.compile(r"[A-Za-z0-9 ,\"'-]{1,200}")


@dataclass(frozen=True, slots=True)
class Correction:
    """A colour and what becomes of it: `measured` is the contrast it had, `ratio` the one it has now."""

    token: str
    mode: Mode
    before: str
    after: str
    measured: float
    ratio: float

    @property
    def least(self) -> float:
        return GRAPHICS if self.token == "b1" else TEXT


@dataclass(frozen=True)
class Theme:
    """What the operator chose. Built by `load`; raises ValueError in words for what cannot be used."""

    name: str
    portal: str
    tagline: str
    support_phone: str
    support_mail: str
    support_hours: str
    brand: str = "#5b2bd9"
    brand_ink: str = "#ffffff"
    accent: str = "#0b7a5b"
    dark: Mapping[str, str] = field(default_factory=dict)
    radius: int = 14
    font: str = ""
    support_chat: str = ""
    address: str = ""
    tax_number: str = ""
    footer: str = ""

    def __post_init__(self) -> None:
        for label, colour in (("brand", self.brand), ("brand_ink", self.brand_ink), ("accent", self.accent)):
            _checked_colour(label, colour)
        for label, colour in self.dark.items():
            if label not in ("link", "accent"):
                raise ValueError(f"colours.dark.{label} is not a colour of the theme; there are link and accent")
            _checked_colour(f"dark.{label}", colour)
        if not 0 <= self.radius <= 24:
            raise ValueError(f"look.radius is {self.radius}; it must be from 0 to 24 pixels")
        if self.font and not _FONT.fullmatch(self.font):
            raise ValueError('look.font must be a plain CSS font list, like "Inter", sans-serif')

    @cached_property
    def colours(self) -> Mapping[Mode, Mapping[str, str]]:
        """What the operator's colours become, readable in both themes."""
        return {mode: {token: moved.after for token, moved in self._derived(mode).items()} for mode in SURFACES}

    @cached_property
    def corrections(self) -> tuple[Correction, ...]:
        """Every colour that was chosen by the operator and moved by us."""
        return tuple(each for each in self.chosen if each.before != each.after)

    @cached_property
    def chosen(self) -> tuple[Correction, ...]:
        """Every colour that was chosen by the operator, as it is and as it is shown."""
        chosen = {"light": {"brand-ink", "link", "b1"}, "dark": {"link"} & self.dark.keys()}
        chosen["dark"] |= {"b1"} if "accent" in self.dark else set()
        return tuple(
            moved for mode in SURFACES for token, moved in self._derived(mode).items() if token in chosen[mode]
        )

    def changed(self, values: Mapping[str, str]) -> Self:
        """With other words and colours; "dark_link" is the colour `link` of dark pages, an empty one is worked out."""
        plain = {name: value for name, value in values.items() if not name.startswith("dark_")}
        dark = {**self.dark, **{n.removeprefix("dark_"): v for n, v in values.items() if n.startswith("dark_")}}
        return replace(self, **plain, dark={name: colour for name, colour in dark.items() if colour})  # type: ignore[arg-type]

    def css(self) -> str:
        """Custom properties for both themes; follows tokens.css and needs no inline style."""
        light = {**self.colours["light"], "radius": f"{self.radius}px", "font": self.font or _SYSTEM_FONT}
        dark = self.colours["dark"]
        return "".join(
            (
                f":root{{{_properties(light)}}}\n",
                f'@media (prefers-color-scheme:dark){{:root:not([data-theme="light"]){{{_properties(dark)}}}}}\n',
                f':root[data-theme="dark"]{{{_properties(dark)}}}\n',
            )
        )

    def _derived(self, mode: Mode) -> dict[str, Correction]:
        surfaces = tuple(SURFACES[mode].values())
        link = self.dark.get("link", self.brand) if mode == "dark" else self.brand
        accent = self.dark.get("accent", self.accent) if mode == "dark" else self.accent
        brand_ink = corrected(self.brand_ink, (self.brand,), TEXT)
        wanted = {
            "brand": (self.brand, self.brand),
            "brand-ink": (self.brand_ink, brand_ink),
            "brand-deep": (self.brand, _pressed(self.brand, brand_ink, 0.08 if mode == "dark" else -0.08)),
            "brand-edge": (self.brand, corrected(self.brand, surfaces, GRAPHICS)),
            "link": (link, corrected(link, surfaces, TEXT)),
            "b1": (accent, corrected(accent, surfaces, GRAPHICS)),
            "b3": (link, corrected(link, surfaces, TEXT)),
        }
        return {
            token: Correction(
                token, mode, before, after, *(_ratio_of(token, one, self.brand, surfaces) for one in (before, after))
            )
            for token, (before, after) in wanted.items()
        }


def load(file: Path | None = None) -> Theme:
    """The theme in this file, or the one that ships. ValueError says in words what is wrong with it."""
    file = file or DEFAULT_FILE
    try:
        content = tomllib.loads(file.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise ValueError(f"the theme {file} cannot be read: {error}") from error
    try:
        return _theme(content)
    except ValueError as error:
        raise ValueError(f"the theme {file}: {error}") from error


def contrast(one: str, other: str) -> float:
    """WCAG 2: from 1 (the same) to 21 (black on white)."""
    lighter, darker = sorted((_luminance(one), _luminance(other)), reverse=True)
    return (lighter + 0.05) / (darker + 0.05)


def corrected(colour: str, against: tuple[str, ...], least: float) -> str:
    """The nearest lightness at which the colour stands out from all of `against`; ValueError when there is none."""
    for shade in _shades(colour):
        if all(contrast(shade, other) >= least for other in against):
            return shade
    raise ValueError(f"{colour} cannot be made readable on {' and '.join(against)}: no lightness reaches {least} : 1")


def _shades(colour: str) -> Iterator[str]:
    """The colour itself, then ever lighter and darker ones of the same hue."""
    hue, lightness, saturation = colorsys.rgb_to_hls(*_channels(colour))
    yield colour
    for step in range(1, 512):
        for shade in (lightness - step / 512, lightness + step / 512):
            if 0 <= shade <= 1:
                yield _hex(colorsys.hls_to_rgb(hue, shade, saturation))


def _pressed(brand: str, ink: str, shift: float) -> str:
    """A button under the pointer: visibly another shade, its words still readable."""
    hue, lightness, saturation = colorsys.rgb_to_hls(*_channels(brand))
    shade = _hex(colorsys.hls_to_rgb(hue, min(1.0, max(0.0, lightness + shift)), saturation))
    return corrected(shade, (ink,), TEXT)


def _ratio_of(token: str, colour: str, brand: str, surfaces: tuple[str, ...]) -> float:
    return contrast(colour, brand) if token == "brand-ink" else min(contrast(colour, other) for other in surfaces)


@lru_cache(maxsize=4096)
def _luminance(colour: str) -> float:
    red, green, blue = (c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in _channels(colour))
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def _channels(colour: str) -> tuple[float, float, float]:
    red, green, blue = bytes.fromhex(colour[1:])
    return red / 255, green / 255, blue / 255


def _hex(channels: tuple[float, float, float]) -> str:
    return "#" + "".join(f"{round(channel * 255):02x}" for channel in channels)


def _properties(values: Mapping[str, str]) -> str:
    return "".join(f"--{name}:{value};" for name, value in values.items())


def _checked_colour(label: str, colour: object) -> None:
    if not isinstance(colour, str) or not _COLOUR.fullmatch(colour):
        raise ValueError(f'colours.{label} is {colour!r}; write it like "#5b2bd9"')


def _theme(content: Mapping[str, object]) -> Theme:
    operator, support = _table(content, "operator"), _table(content, "support")
    look, colours = _table(content, "look"), dict(_table(content, "colours"))
    dark = colours.pop("dark", {})
    strange = colours.keys() - {"brand", "brand_ink", "accent"} | look.keys() - {"radius", "font"}
    if strange:
        raise ValueError(f"{', '.join(sorted(strange))}: there is no such entry")
    radius = look.get("radius", 14)
    if not isinstance(dark, dict) or not isinstance(radius, int):
        raise ValueError("colours.dark must be a table and look.radius a whole number")
    return Theme(
        name=_words(operator, "operator", "name"),
        portal=_words(operator, "operator", "portal"),
        tagline=_words(operator, "operator", "tagline"),
        support_phone=_words(support, "support", "phone"),
        support_mail=_words(support, "support", "mail"),
        support_hours=_words(support, "support", "hours"),
        brand=_text(colours, "brand", "#5b2bd9"),
        brand_ink=_text(colours, "brand_ink", "#ffffff"),
        accent=_text(colours, "accent", "#0b7a5b"),
        dark=dark,
        radius=radius,
        font=_text(look, "font", ""),
        support_chat=_address(support, "chat"),
        address=_lines(operator, "address"),
        tax_number=_text(operator, "tax_number", "")[:60],
        footer=_text(operator, "footer", "")[:200],
    )


def _table(content: Mapping[str, object], name: str) -> Mapping[str, object]:
    table = content.get(name, {})
    if not isinstance(table, dict):
        raise ValueError(f"[{name}] must be a table")
    return table


def _words(table: Mapping[str, object], section: str, name: str) -> str:
    words = table.get(name)
    if not isinstance(words, str) or not words.strip() or len(words) > 120 or not words.isprintable():
        raise ValueError(f"{section}.{name} must be words, at most 120 letters on one line")
    return words.strip()


def _lines(table: Mapping[str, object], name: str) -> str:
    """A postal address: at most five lines, or nothing."""
    lines = [line.strip() for line in _text(table, name, "").strip().splitlines()]
    if len(lines) > 5 or any(len(line) > 60 or not line.isprintable() for line in lines):
        raise ValueError(f"operator.{name} may have at most five lines of 60 letters")
    return "\n".join(lines)


def _address(table: Mapping[str, object], name: str) -> str:
    """A web address, or nothing."""
    address = _text(table, name, "")
    if address and not _WEB.fullmatch(address):
        raise ValueError(f"support.{name} must start with https://")
    return address


def _text(table: Mapping[str, object], name: str, default: str) -> str:
    value = table.get(name, default)
    if not isinstance(value, str):
        raise ValueError(f"{name} must be text in quotes")
    return value
