"""What stands on a paper."""

from __future__ import annotations

from io import BytesIO

import pypdf


def read_paper(body: bytes) -> str:
    """Its words, white space folded."""
    text = " ".join(page.extract_text() for page in pypdf.PdfReader(BytesIO(body)).pages)
    return " ".join(text.split())
