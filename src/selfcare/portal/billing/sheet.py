"""A printed A4 sheet: text in any direction, tables over several pages, head and foot on each. No network, no clock.

The same content makes the same bytes. Fonts are shipped (see fonts/LICENSE.txt); Chinese, Japanese and Korean signs
are left to the reader's own font.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from io import BytesIO
from pathlib import Path
from typing import Any
from unicodedata import bidirectional

import arabic_reshaper
from bidi.algorithm import get_display
from reportlab.lib.colors import HexColor
from reportlab.lib.pagesizes import A4
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.cidfonts import UnicodeCIDFont
from reportlab.pdfbase.pdfdoc import PDFDictionary, PDFName
from reportlab.pdfbase.ttfonts import TTFont
from reportlab.pdfgen.canvas import Canvas

FONTS = Path(__file__).with_name("fonts")
PLAIN, BOLD, EASTERN = "DejaVuSans", "DejaVuSans-Bold", "STSong-Light"
WIDTH, HEIGHT = A4
LEFT, RIGHT, TOP, BOTTOM = 56, WIDTH - 56, HEIGHT - 56, 84
# The one joined word that our fonts lack.
_RESHAPER = arabic_reshaper.ArabicReshaper({"ARABIC LIGATURE ALLAH": False})
LTR_MARK, RTL_MARK = "\u200e", "\u200f"
INK, MUTE, LINE = HexColor("#1d1b22"), HexColor("#5d5a66"), HexColor("#d9d6e0")


@dataclass(frozen=True, slots=True)
class Head:
    """What stands on every page. `warning` is loud and red, for what is not real."""

    name: str
    address: str
    colour: str
    title: str
    language: str
    foot: str
    warning: str = ""


@dataclass(frozen=True, slots=True)
class Column:
    """`width` in points; numbers stand at the end."""

    heading: str
    width: float
    number: bool = False


class Sheet:
    """Written from top to bottom; `y` is where the next line goes."""

    def __init__(self, head: Head) -> None:
        _fonts()
        self.head = head
        self.canvas = _Numbered(BytesIO(), pagesize=A4, invariant=1, lang=head.language, pageCompression=1)
        self.canvas.foot = self._foot
        self.canvas.setTitle(head.title)
        self.canvas.setAuthor(head.name)
        self.canvas.setSubject(head.title)
        # Readers show the title instead of the file's name.
        self.canvas._doc.Catalog.ViewerPreferences = PDFDictionary({"DisplayDocTitle": "true"})
        self.canvas._doc.Catalog.PageMode = PDFName("UseNone")
        self.y = TOP
        self._begin()

    def finish(self) -> bytes:
        self.canvas.showPage()
        return self.canvas.finished()

    def title(self, text: str) -> None:
        self.y -= 10
        self.paragraph(text, size=20, bold=True, leading=26)
        self.y -= 6

    def paragraph(
        self, text: str, *, size: float = 9.5, bold: bool = False, leading: float = 13.5, mute: bool = False
    ) -> None:
        for line in wrapped(text, RIGHT - LEFT, size, bold=bold):
            self._need(leading)
            self._text(LEFT, self.y, line, size, bold=bold, colour=MUTE if mute else INK, width=RIGHT - LEFT)
            self.y -= leading

    def beside(self, left: Sequence[str], facts: Sequence[tuple[str, str]]) -> None:
        """An address on the left, facts with their names on the right."""
        lines = [line for text in left for line in wrapped(text, 220, 9.5)]
        start = self.y
        for number, line in enumerate(lines):
            self._text(LEFT, start - number * 13.5, line, 9.5, width=220)
        row = start
        for name, value in facts:
            self._text(330, row, name, 8.5, colour=MUTE, width=90)
            pieces = wrapped(value, RIGHT - 425, 9.5)
            for number, piece in enumerate(pieces):
                self._text(425, row - number * 13, piece, 9.5, width=RIGHT - 425)
            row -= 14.5 * max(1, len(pieces))
        self.y = min(start - len(lines) * 13.5, row) - 14

    def table(self, columns: Sequence[Column], rows: Sequence[Sequence[str] | str]) -> None:
        """A row that is one text alone is a heading over those that follow. Headings are repeated on each page."""
        self._need(60)
        self._headings(columns)
        for row in rows:
            if isinstance(row, str):
                if self._need(40):
                    self._headings(columns)
                self.y -= 3
                for line in wrapped(row, RIGHT - LEFT, 9.5, bold=True):
                    self._text(LEFT, self.y, line, 9.5, bold=True)
                    self.y -= 14
                continue
            cells = [wrapped(text, column.width - 8, 9) for text, column in zip(row, columns, strict=True)]
            height = max(len(cell) for cell in cells) * 12 + 4
            if self._need(height):
                self._headings(columns)
            self._row(columns, cells, height)

    def sums(self, rows: Sequence[tuple[str, str, bool]]) -> None:
        """Figures under a table; the third says that it is the one that counts."""
        self.y -= 4
        for name, value, loud in rows:
            self._need(18)
            size = 11 if loud else 9.5
            if loud:
                self.canvas.setStrokeColor(INK)
                self.canvas.line(300, self.y + 10, RIGHT, self.y + 10)
                self.y -= 6
            self._text(300, self.y, name, size, bold=loud, width=160)
            self._end(RIGHT, self.y, value, size, bold=loud)
            self.y -= 18 if loud else 15
        self.y -= 8

    def _row(self, columns: Sequence[Column], cells: Sequence[Sequence[str]], height: float) -> None:
        x = float(LEFT)
        for column, cell in zip(columns, cells, strict=True):
            for number, line in enumerate(cell):
                at = self.y - number * 12
                if column.number:
                    self._end(x + column.width, at, line, 9)
                else:
                    self._text(x, at, line, 9, width=column.width - 8)
            x += column.width
        self.y -= height
        self.canvas.setStrokeColor(LINE)
        self.canvas.setLineWidth(0.5)
        self.canvas.line(LEFT, self.y + 9, RIGHT, self.y + 9)
        self.y -= 3

    def _headings(self, columns: Sequence[Column]) -> None:
        x = float(LEFT)
        for column in columns:
            if column.number:
                self._end(x + column.width, self.y, column.heading, 8, colour=MUTE)
            else:
                self._text(x, self.y, column.heading, 8, colour=MUTE, width=column.width)
            x += column.width
        self.canvas.setStrokeColor(INK)
        self.canvas.setLineWidth(0.8)
        self.canvas.line(LEFT, self.y - 5, RIGHT, self.y - 5)
        self.y -= 19

    def _need(self, height: float) -> bool:
        """A new page where the rest of this one is too small; whether there was one."""
        if self.y - height >= BOTTOM:
            return False
        self.canvas.showPage()
        self.y = TOP
        self._begin()
        return True

    def _begin(self) -> None:
        colour = HexColor(self.head.colour)
        for number, height in enumerate((22, 16, 10)):
            self.canvas.setFillColor(colour)
            self.canvas.roundRect(LEFT + number * 9, self.y - 4, 6, height, 2, stroke=0, fill=1)
        self._text(LEFT + 36, self.y, self.head.name, 14, bold=True)
        for number, line in enumerate(self.head.address.splitlines()[:5]):
            self._end(RIGHT, self.y + 6 - number * 11, line, 8, colour=MUTE)
        self.y -= 64
        if self.head.warning:
            self.canvas.setFillColor(HexColor("#b3261e"))
            self.canvas.rect(LEFT, self.y - 6, RIGHT - LEFT, 20, stroke=0, fill=1)
            self._text(LEFT + 8, self.y, self.head.warning, 10, bold=True, colour=HexColor("#ffffff"))
            self.y -= 28

    def _foot(self, page: int, pages: int) -> None:
        self.canvas.setStrokeColor(LINE)
        self.canvas.line(LEFT, 62, RIGHT, 62)
        for number, line in enumerate(wrapped(self.head.foot, RIGHT - LEFT - 60, 8)[:3]):
            self._text(LEFT, 50 - number * 10, line, 8, colour=MUTE, width=RIGHT - LEFT - 60)
        self._end(RIGHT, 50, f"{page} / {pages}", 8, colour=MUTE)

    def _text(
        self, x: float, y: float, text: str, size: float, *, bold: bool = False, colour: Any = INK, width: float = 0
    ) -> None:
        """Text that runs from right to left stands at the end of its place."""
        shown = visual(text)
        at = x + width - _width(shown, size, bold=bold) if width and is_rtl(text) else x
        self.canvas.setFillColor(colour)
        for piece, font in _pieces(shown, bold=bold):
            self.canvas.setFont(font, size)
            self.canvas.drawString(at, y, piece)
            at += pdfmetrics.stringWidth(piece, font, size)

    def _end(self, x: float, y: float, text: str, size: float, *, bold: bool = False, colour: Any = INK) -> None:
        self._text(x - _width(visual(text), size, bold=bold), y, text, size, bold=bold, colour=colour)


class _Numbered(Canvas):  # type: ignore[misc]
    """Knows how many pages there are when it writes the foot of the first."""

    foot: Any = None

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self._pages: list[dict[str, Any]] = []

    def showPage(self) -> None:  # noqa: N802 - the canvas calls it so
        self._pages.append(dict(self.__dict__))
        self._startPage()

    def finished(self) -> bytes:
        pages = self._pages
        for number, page in enumerate(pages, 1):
            self.__dict__.update(page)
            self.foot(number, len(pages))
            super().showPage()
        return bytes(self.getpdfdata())


def wrapped(text: str, width: float, size: float, *, bold: bool = False) -> list[str]:
    """Lines that fit. A word that is too long is cut; a line of the text stays a line.

    What runs both ways keeps the direction it began with, on each line.
    """
    lines = []
    for given in text.splitlines() or [""]:
        mark = "" if not _has_rtl(given) else RTL_MARK if is_rtl(given) else LTR_MARK
        line = ""
        for word in _words(given, width, size, bold=bold):
            tried = f"{line} {word}" if line else word
            if line and _width(tried, size, bold=bold) > width:
                lines.append(mark + line)
                tried = word
            line = tried
        lines.append(mark + line)
    return lines


def _words(text: str, width: float, size: float, *, bold: bool) -> Iterator[str]:
    for word in text.split():
        rest = word
        while _width(rest, size, bold=bold) > width and len(rest) > 1:
            most = len(rest)
            while most > 1 and _width(rest[:most], size, bold=bold) > width:
                most -= 1
            yield rest[:most]
            rest = rest[most:]
        yield rest


def is_rtl(text: str) -> bool:
    """By its first sign that has a direction."""
    strong = (direction for sign in text if (direction := bidirectional(sign)) in ("L", "R", "AL"))
    return next(strong, "L") != "L"


def _has_rtl(text: str) -> bool:
    return any("\u0590" <= sign <= "\u08ff" or sign == RTL_MARK for sign in text)


def visual(text: str) -> str:
    """As the signs stand from left to right on paper; Arabic letters joined."""
    shown = str(get_display(_RESHAPER.reshape(text))) if _has_rtl(text) else text
    return shown.replace(LTR_MARK, "").replace(RTL_MARK, "")


def _width(text: str, size: float, *, bold: bool = False) -> float:
    return sum(float(pdfmetrics.stringWidth(piece, font, size)) for piece, font in _pieces(text, bold=bold))


def _pieces(text: str, *, bold: bool) -> Iterator[tuple[str, str]]:
    """Runs of one font: ours where it has the sign, else the reader's own."""
    font = BOLD if bold else PLAIN
    if text.isascii():
        yield text, font
        return
    known = _signs()
    run, using = "", font
    for sign in text:
        wanted = font if ord(sign) in known or ord(sign) < 0x2E80 else EASTERN
        if wanted != using and run:
            yield run, using
            run = ""
        using = wanted
        run += sign
    if run:
        yield run, using


@cache
def _fonts() -> None:
    for name in (PLAIN, BOLD):
        pdfmetrics.registerFont(TTFont(name, FONTS / f"{name}.ttf"))
    pdfmetrics.registerFont(UnicodeCIDFont(EASTERN))


@cache
def _signs() -> frozenset[int]:
    _fonts()
    return frozenset(pdfmetrics.getFont(PLAIN).face.charToGlyph)
