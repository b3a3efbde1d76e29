"""Whole numbers as programs and careful people write them."""

from __future__ import annotations


def whole(text: str, *, least: int = 0, most: int) -> int | None:
    """None for what is none, or outside. Only plain digits: Python would also read those of other scripts, and raise
    where there are thousands of them."""
    if not (text.isascii() and text.isdigit()):
        return None
    digits = text.lstrip("0")
    if len(digits) > len(str(most)):
        return None
    return number if least <= (number := int(digits or "0")) <= most else None
