"""Static files under names that carry their content's hash: made once at start, served from memory, cached for ever.

All style sheets of the portal become one file in the order of the cascade, so a page costs few requests; a sheet in
another folder stays a file of its own.
"""

from __future__ import annotations

import gzip
import hashlib
import mimetypes
import re
from collections.abc import Iterable, Mapping
from copy import copy
from dataclasses import dataclass
from pathlib import Path

import brotli
from litestar.types import Receive, Scope, Send

STYLE_ORDER = ("tokens", "base", "layout", "components", "utilities")
_TYPES = {
    ".css": "text/css",
    ".js": "text/javascript",
    ".svg": "image/svg+xml",
    ".webmanifest": "application/manifest+json",
}
_VERSION = re.compile(r"-\d[\d.]*(?:\.min)?(?=\.js$)")
_COMMENT = re.compile(r"/\*.*?\*/", re.S)
_SPACE = re.compile(r"\s+")
_TIGHT = re.compile(r"\s*([{};,>])\s*")


@dataclass(frozen=True, slots=True)
class Asset:
    """One file in every encoding a browser may ask for."""

    content_type: str
    bodies: Mapping[str, bytes]


class Assets:
    """Maps a plain name ("app.css") to its hashed URL, and answers those URLs."""

    prefix = "/static/"

    def __init__(self, folder: Path, *, extra_css: str = ""):
        self._folder = folder
        self._urls: dict[str, str] = {}
        self._files: dict[str, Asset] = {}
        self._add("app.css", minified_css(self._styles(folder / "css", extra_css)).encode())
        for file in sorted(folder.rglob("*")):
            ours = file.is_file() and not file.is_symlink() and not file.name.startswith(".")
            if ours and file.parent != folder / "css":
                self._add(file.relative_to(folder).as_posix(), _read(file))

    def restyled(self, extra_css: str) -> Assets:
        """The same files with another theme; what has a name already keeps it."""
        other = copy(self)
        other._urls, other._files = dict(self._urls), dict(self._files)
        other._add("app.css", minified_css(self._styles(self._folder / "css", extra_css)).encode())
        return other

    def __contains__(self, path: str) -> bool:
        return path.removeprefix(self.prefix) in self._files

    def url(self, name: str) -> str:
        """The hashed URL of a file; a name nobody shipped is a mistake of ours and raises KeyError."""
        return self._urls[name]

    def size(self, name: str, encoding: str = "br") -> int:
        """Bytes on the wire in an encoding."""
        return len(self._files[self._urls[name].removeprefix(self.prefix)].bodies[encoding])

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        asset = self._files.get(scope["path"].removeprefix(self.prefix))
        if asset is None or scope.get("method") not in ("GET", "HEAD"):
            await _answer(send, 404, b"Not found", [(b"content-type", b"text/plain; charset=utf-8")])
            return
        accepted = next((value for key, value in scope["headers"] if key == b"accept-encoding"), b"").decode("latin-1")
        encoding = best_encoding(accepted, asset.bodies)
        headers = [
            (b"content-type", asset.content_type.encode()),
            (b"cache-control", b"public, max-age=31536000, immutable"),
            (b"vary", b"Accept-Encoding"),
        ]
        if encoding != "identity":
            headers.append((b"content-encoding", encoding.encode()))
        body = asset.bodies[encoding]
        headers.append((b"content-length", str(len(body)).encode()))
        await _answer(send, 200, b"" if scope.get("method") == "HEAD" else body, headers)

    def _styles(self, folder: Path, extra: str) -> str:
        named = [folder / f"{name}.css" for name in STYLE_ORDER]
        rest = sorted(file for file in folder.glob("*.css") if file not in named)
        texts = [file.read_text(encoding="utf-8") for file in (*named, *rest) if file.exists()]
        return "\n".join([*texts[:1], extra, *texts[1:]])

    def _add(self, name: str, body: bytes) -> None:
        digest = hashlib.sha256(body).hexdigest()[:12]
        stem, dot, suffix = name.rpartition(".")
        hashed = f"{stem}-{digest}{dot}{suffix}"
        kind = _TYPES.get(f".{suffix}") or mimetypes.guess_type(name)[0] or "application/octet-stream"
        text = kind.startswith("text/") or kind in ("image/svg+xml", "application/manifest+json", "application/json")
        bodies = {"identity": body}
        if text:
            bodies |= {"br": brotli.compress(body, quality=11), "gzip": gzip.compress(body, 9, mtime=0)}
        self._files[hashed] = Asset(f"{kind}; charset=utf-8" if text else kind, bodies)
        self._urls[name] = self._urls[_plain(name)] = self.prefix + hashed


def _read(file: Path) -> bytes:
    return minified_css(file.read_text(encoding="utf-8")).encode() if file.suffix == ".css" else file.read_bytes()


def _plain(name: str) -> str:
    """ "js/htmx-4.0.1.min.js" is also "htmx.js", so that templates need not know the version."""
    return _VERSION.sub("", name.rpartition("/")[2])


def best_encoding(accepted: str, available: Iterable[str]) -> str:
    """The smallest encoding both sides know; q=0 means no."""
    wanted = {
        name.strip().lower()
        for name, _, parameters in (part.partition(";") for part in accepted.split(","))
        if parameters.replace(" ", "") not in ("q=0", "q=0.0")
    }
    offered = set(available)
    return next((name for name in ("br", "gzip") if name in wanted and name in offered), "identity")


def minified_css(text: str) -> str:
    """Comments and spare white space gone; nothing clever, so nothing breaks."""
    return _TIGHT.sub(r"\1", _SPACE.sub(" ", _COMMENT.sub("", text))).strip()


async def _answer(send: Send, status: int, body: bytes, headers: list[tuple[bytes, bytes]]) -> None:
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body, "more_body": False})
