"""Cookie names and attributes, decided once."""

from __future__ import annotations

import re

# Tokens from links are put into cookies as they came: what is none of ours must not become an attribute or a header.
_OURS = re.compile(r"[A-Za-z0-9_.~-]*\Z")


class Cookies:
    """`__Host-` needs https; a plain-http demo address gets names without it, so that phones can sign in."""

    def __init__(self, *, secure: bool):
        self.secure = secure
        prefix = "__Host-" if secure else ""
        self.session = f"{prefix}sid"
        self.visitor = f"{prefix}pre"
        self.device = f"{prefix}dev"
        self.remember = f"{prefix}stay"
        self.step = f"{prefix}step"
        self.link = f"{prefix}link"

    @classmethod
    def of(cls, public_url: str) -> Cookies:
        return cls(secure=public_url.startswith("https://"))

    def set(self, name: str, value: str, *, max_age: int | None = None) -> str:
        attributes = [f"{name}={value if _OURS.match(value) else ''}", "Path=/", "HttpOnly", "SameSite=Lax"]
        if self.secure:
            attributes.append("Secure")
        if max_age is not None:
            attributes.append(f"Max-Age={max_age}")
        return "; ".join(attributes)

    def clear(self, name: str) -> str:
        return self.set(name, "", max_age=0)
