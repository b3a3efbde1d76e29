"""Lists as CSV files: sent while they are read, and harmless in a spreadsheet."""

from __future__ import annotations

import csv
import io
from collections.abc import AsyncIterable, AsyncIterator, Iterable
from decimal import Decimal

from litestar.response import Stream

# What a spreadsheet would take for a formula.
FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")


def sheet(filename: str, headings: Iterable[str], rows: AsyncIterable[Iterable[str | Decimal]]) -> Stream:
    """A download; rows are written as they come. `filename` is plain ASCII of ours."""
    return Stream(
        _lines(headings, rows),
        media_type="text/csv; charset=utf-8",
        headers={
            "Content-Disposition": f'attachment; filename="{filename}"',
            "Cache-Control": "no-store, private",
            "Vary": "Cookie",
        },
    )


def cell(value: str | Decimal) -> str:
    """Text that a spreadsheet shows instead of working it out; a number stays a number."""
    return f"'{value}" if isinstance(value, str) and value.startswith(FORMULA) else str(value)


async def _lines(headings: Iterable[str], rows: AsyncIterable[Iterable[str | Decimal]]) -> AsyncIterator[bytes]:
    # The mark tells spreadsheets that this is UTF-8.
    yield b"\xef\xbb\xbf" + line(headings)
    async for row in rows:
        yield line(row)


def line(cells: Iterable[str | Decimal]) -> bytes:
    written = io.StringIO()
    csv.writer(written).writerow([cell(one) for one in cells])
    return written.getvalue().encode("utf-8", "replace")
