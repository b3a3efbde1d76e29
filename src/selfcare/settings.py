"""The environment, read once into one frozen value. Every name, default and meaning stands in docs/settings.md."""

import hashlib
import hmac
import os
import re
from collections.abc import Callable, Mapping
from dataclasses import Field, dataclass, field, fields, replace
from difflib import get_close_matches
from functools import cached_property
from ipaddress import ip_network
from pathlib import Path
from typing import Any, Literal, Self, get_args, get_origin, get_type_hints
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

import phonenumbers

from selfcare.kernel.money import EXPONENTS
from selfcare.kernel.numbers import whole
from selfcare.theme import Theme, load

PREFIX = "SELFCARE_"
DEVELOPMENT_SECRET = "development-only secret that everybody can read in the source code"
SHORTEST_SECRET = 32
# Of 32 random hexadecimal digits hardly ever fewer are different.
FEWEST_SIGNS = 8
ROLES = ("owner", "payer", "user", "viewer", "staff")
SCOPES = ("national", "on_net", "international", "roaming", "premium")
MAKE_ONE = 'Make one with: python3 -c "import secrets; print(secrets.token_urlsafe(48))"'


class BadSettings(Exception):
    """The environment says something we cannot follow; one sentence for each mistake."""

    def __init__(self, problems: list[str]) -> None:
        super().__init__("\n".join(problems))
        self.problems = problems


@dataclass(frozen=True, slots=True)
class Keys:
    """One key per purpose, so that what leaks or is guessed in one place opens nothing in another."""

    csrf: bytes = field(repr=False)
    totp: bytes = field(repr=False)
    audit: bytes = field(repr=False)
    lockout: bytes = field(repr=False)
    link: bytes = field(repr=False)
    messages: bytes = field(repr=False)
    payments: bytes = field(repr=False)
    sim: bytes = field(repr=False)

    @classmethod
    def of(cls, secret: str) -> Self:
        return cls(*(_subkey(secret, each.name) for each in fields(cls)))


def _subkey(secret: str, purpose: str) -> bytes:
    return hmac.digest(secret.encode(), b"selfcare/" + purpose.encode(), hashlib.sha256)


def _text(default: str, check: Callable[[str], str], *, secret: bool = False) -> str:
    return field(default=default, repr=not secret, metadata={"check": check})


_MAIL_ADDRESS = re.compile(r"[^@\s,]+@[^@\s,]+")
# What a support visit may do beyond looking, where the operator wants it and a route is open to it.
SUPPORT_ACTIONS = ("auto_renew", "rename", "alerts", "topup", "addon", "plan")

# Not from the environment.
INSIDE = {"inside": True}


def _number(default: int, low: int, high: int, *, limit: bool = False) -> int:
    """A `limit` is also set by staff while we run."""
    return field(default=default, metadata={"low": low, "high": high, "limit": limit})


def _any_text(text: str) -> str:
    return text


def _database(url: str) -> str:
    if not url.startswith(("sqlite:///", "postgres://", "postgresql://")):
        raise ValueError("must start with sqlite:/// or postgres://")
    return url


def _web_address(url: str) -> str:
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.path.strip("/") or parts.query:
        raise ValueError("must be an address without a path, like https://my.operator.example")
    return url.rstrip("/")


def _service_address(url: str) -> str:
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ValueError("must look like http://user:password@engine.operator.example:2080/jsonrpc")
    return url


def _destination(text: str) -> str:
    scope, _equals, name = text.partition("=")
    if scope not in SCOPES or not name:
        raise ValueError(f"has {text!r}; each must be like international=DST_INTL, with one of: {', '.join(SCOPES)}")
    return text


def _role(name: str) -> str:
    if name not in ROLES:
        raise ValueError(f"has {name!r}; each must be one of: {', '.join(ROLES)}")
    return name


def _tax_code(text: str) -> str:
    code, _equals, percent = text.partition("=")
    units, _point, part = percent.partition(".")
    if not code or len(code) > 16 or whole(units, most=100) is None or len(part) > 1:
        raise ValueError(f"has {text!r}; each must be a code and its rate in per cent, like standard=20")
    return text


def _support_action(name: str) -> str:
    if name not in SUPPORT_ACTIONS:
        raise ValueError(f"has {name!r}; support may at most be allowed: {', '.join(SUPPORT_ACTIONS)}")
    return name


def _mail_server(url: str) -> str:
    parts = urlsplit(url)
    if parts.scheme not in ("smtp", "smtps", "smtp+starttls") or not parts.hostname:
        raise ValueError("must look like smtp+starttls://user:password@mail.operator.example:587")
    if parts.scheme == "smtp" and parts.username and parts.hostname not in ("localhost", "127.0.0.1", "::1"):
        raise ValueError("would send the password in clear: use smtp+starttls:// or smtps://")
    return url


def _header_name(name: str) -> str:
    if not all(sign.isascii() and (sign.isalnum() or sign == "-") for sign in name):
        raise ValueError("must be the name of a header, like CF-IPCountry")
    return name.lower()


def _zone(name: str) -> str:
    try:
        return ZoneInfo(name).key
    except (LookupError, OSError, ValueError) as error:
        raise ValueError("is not a time zone this machine knows, like Europe/London") from error


def _currency(code: str) -> str:
    if code not in EXPONENTS:
        raise ValueError("is not a currency of ISO 4217, like GBP")
    return code


def _region(code: str) -> str:
    if code not in phonenumbers.SUPPORTED_REGIONS:
        raise ValueError("is not a country of ISO 3166, like GB")
    return code


def _file(path: str) -> str:
    if not Path(path).is_file():
        raise ValueError("is not a file")
    return path


def _new_file(path: str) -> str:
    if not Path(path).parent.is_dir() or Path(path).is_dir():
        raise ValueError("must name a file in a folder that exists")
    return path


def _range(text: str) -> str:
    try:
        return str(ip_network(text))
    except ValueError as error:
        raise ValueError("must be ranges of addresses, like 100.64.0.0/10") from error


def _price_or_nothing(text: str) -> str:
    if not re.fullmatch(r"[0-9]{1,6}(\.[0-9]{1,3})?", text):
        raise ValueError("is not a price, like 10.00")
    return text


def _price(text: str) -> str:
    if not _price_or_nothing(text).strip("0."):
        raise ValueError("must be more than nothing, like 10.00")
    return text


def _mail_address(text: str) -> str:
    if not _MAIL_ADDRESS.fullmatch(text):
        raise ValueError("is not an e-mail address")
    return text


@dataclass(frozen=True)
class Settings:
    env: Literal["development", "production", "demo"] = "development"
    database_url: str = _text("sqlite:///var/selfcare.db", _database, secret=True)
    public_url: str = _text("http://127.0.0.1:8000", _web_address)
    staff_url: str = _text("", _web_address)
    secret_key: tuple[str, ...] = field(default=(), repr=False)
    debug: bool = False
    log_level: Literal["debug", "info", "warning", "error"] = "info"
    trusted_proxies: tuple[str, ...] = ()

    theme: str = _text("", _file)
    currency: str = _text("GBP", _currency)
    region: str = _text("GB", _region)
    zone: str = _text("Europe/London", _zone)
    data_base: Literal[1000, 1024] = 1000
    tax_codes: tuple[str, ...] = field(
        default=("standard=20", "reduced=5", "zero=0", "exempt=0"), metadata={"each": _tax_code}
    )
    provisioning_plays: tuple[str, ...] = ()

    flags: tuple[str, ...] = ()
    password_policy: Literal["default", "nist"] = "default"
    second_step_roles: tuple[str, ...] = field(default=ROLES, metadata={"each": _role})
    second_step_grace_days: int = _number(0, 0, 90)
    argon2_memory_kib: int = _number(19_456, 8, 1_048_576)
    argon2_passes: int = _number(2, 1, 20)
    argon2_threads: int = _number(2, 1, 16)
    session_idle_minutes: int = _number(30, 1, 1_440, limit=True)
    session_absolute_hours: int = _number(12, 1, 168, limit=True)
    second_person_above: int = _number(100, 0, 1_000_000, limit=True)
    most_credit: int = _number(1_000, 1, 1_000_000, limit=True)
    topup_day_limit: int = _number(200, 1, 1_000_000, limit=True)
    card_day_limit: int = _number(50, 0, 1_000_000, limit=True)
    day_price: str = _text("10.00", _price)
    advance: str = _text("2.00", _price)
    advance_fee: str = _text("0.20", _price_or_nothing)
    promise_days: int = _number(7, 1, 60)

    audit_anchors: str = _text("", _new_file)
    alarm_mail: tuple[str, ...] = field(default=(), metadata={"each": _mail_address})
    support_mail: bool = True
    support_actions: tuple[str, ...] = field(default=(), metadata={"each": _support_action})

    charging: Literal["embedded", "cgrates"] = "embedded"
    feed_keys: tuple[str, ...] = field(default=(), repr=False)
    subscriber_ranges: tuple[str, ...] = field(default=(), metadata={"each": _range})
    cgrates_url: str = _text("", _service_address, secret=True)
    cgrates_tenant: str = _text("cgrates.org", _any_text)
    cgrates_monetary_scale: int = _number(100, 1, 1_000_000)
    cgrates_weight_base: int = _number(100, 1, 1_000)
    cgrates_destinations: tuple[str, ...] = field(default=(), metadata={"each": _destination})

    provisioning: Literal["embedded", "http"] = "embedded"
    provisioning_url: str = _text("", _service_address, secret=True)
    provisioning_secret: tuple[str, ...] = field(default=(), repr=False)

    payments: Literal["embedded", "stripe"] = "embedded"
    allow_simulated_payments: bool = False
    stripe_key: str = _text("", _any_text, secret=True)
    stripe_webhook_secret: tuple[str, ...] = field(default=(), repr=False)
    stripe_api_base: str = _text("https://api.stripe.com", _web_address)
    stripe_pages: tuple[str, ...] = ("checkout.stripe.com", "hooks.stripe.com")
    mail_url: str = _text("", _mail_server, secret=True)
    mail_from: str = _text("", _any_text)
    country_header: str = _text("", _header_name)

    # Which of the fields above the environment set.
    given: frozenset[str] = field(default=frozenset(), metadata=INSIDE)
    # What staff changed while we run, by name: "flag.cancel", "brand.portal", "limit.most_credit", "acting.rename".
    changes: Mapping[str, str] = field(default_factory=dict, metadata=INSIDE)

    @classmethod
    def from_env(cls, env: Mapping[str, str] = os.environ) -> Self:
        """Raises BadSettings naming every mistake at once."""
        hints, found, problems = get_type_hints(cls), {}, []
        for each in variables():
            name = PREFIX + each.name.upper()
            try:
                typed = _typed(env, name)
                if typed:
                    found[each.name] = _read(typed, hints[each.name], each.metadata)
            except ValueError as error:
                problems.append(f"{name} {error}.")
        if problems:
            raise BadSettings(problems)
        if _is_on(env.get("LITESTAR_DEBUG", "")):
            found["debug"] = True
        return cls(**found, given=frozenset(found))

    def changed(self, changes: Mapping[str, str]) -> Self:
        """These settings with what staff changed while we run. What the environment set stays as it is."""
        new: dict[str, Any] = {"changes": dict(changes)}
        for limit in limits():
            typed = changes.get(f"limit.{limit.name}")
            if typed is not None and limit.name not in self.given:
                new[limit.name] = _whole_number(typed, limit.metadata["low"], limit.metadata["high"])
        if "support_actions" not in self.given:
            wanted = {action: action in self.support_actions for action in SUPPORT_ACTIONS}
            wanted |= {name: changes[f"acting.{name}"] == "on" for name in wanted if f"acting.{name}" in changes}
            new["support_actions"] = tuple(name for name, on in wanted.items() if on)
        return replace(self, **new)

    @property
    def demo(self) -> bool:
        return self.env == "demo"

    @property
    def production(self) -> bool:
        return self.env == "production"

    @cached_property
    def keys(self) -> Keys:
        """What everything new is made with."""
        return self.key_ring[0]

    @cached_property
    def key_ring(self) -> tuple[Keys, ...]:
        """The current keys and those before them: what was made with an older one is still accepted."""
        return tuple(Keys.of(secret) for secret in self.secret_key or (DEVELOPMENT_SECRET,))

    @property
    def totp_keys(self) -> list[bytes]:
        return [keys.totp for keys in self.key_ring]

    @property
    def sim_keys(self) -> list[bytes]:
        return [keys.sim for keys in self.key_ring]

    @cached_property
    def operator(self) -> Theme:
        """What stands in a file of the operator's own wins over what staff changed while we run."""
        if self.theme:
            return load(Path(self.theme))
        brand = {name.partition(".")[2]: value for name, value in self.changes.items() if name.startswith("brand.")}
        return load().changed(brand) if brand else load()

    def refusals(self) -> list[str]:
        """Why this must not be started, one sentence each. Nothing is refused outside production but a short secret."""
        reasons = [_too_short(len(secret)) for secret in self.secret_key if len(secret.encode()) < SHORTEST_SECRET]
        reasons += [_feed_key_too_short(len(key)) for key in self.feed_keys if len(key) < SHORTEST_SECRET]
        if self.charging == "cgrates" and not self.cgrates_url:
            reasons.append("SELFCARE_CHARGING is cgrates and SELFCARE_CGRATES_URL does not say where the engine is.")
        if self.provisioning == "http":
            reasons += self._provisioning_refusals()
        if self.payments == "stripe":
            reasons += self._stripe_refusals()
        if self.staff_url:
            reasons += self._staff_refusals()
        if not self.production:
            return reasons
        if not self.secret_key:
            reasons.append(f"SELFCARE_SECRET_KEY is not set. {MAKE_ONE}")
        if DEVELOPMENT_SECRET in self.secret_key:
            reasons.append(f"SELFCARE_SECRET_KEY is the one from the source code, which everybody knows. {MAKE_ONE}")
        if any(len(set(one)) < FEWEST_SIGNS for one in self.secret_key if len(one) >= SHORTEST_SECRET):
            reasons.append(f"SELFCARE_SECRET_KEY has too few different characters: it can be guessed. {MAKE_ONE}")
        if self.debug:
            reasons.append("Debug is on and would show secrets to visitors: unset SELFCARE_DEBUG and LITESTAR_DEBUG.")
        if not self.public_url.startswith("https://"):
            reasons.append(f"SELFCARE_PUBLIC_URL is {self.public_url}: in production it must start with https://.")
        if self.payments == "embedded" and not self.allow_simulated_payments:
            reasons.append(
                "Payments are simulated and nobody would really pay: set SELFCARE_PAYMENTS=stripe, "
                "or SELFCARE_ALLOW_SIMULATED_PAYMENTS=1 if this is what you want."
            )
        return reasons

    def _staff_refusals(self) -> list[str]:
        own, public = urlsplit(self.staff_url), urlsplit(self.public_url)
        reasons = []
        if own.scheme != public.scheme:
            reasons.append(
                f"SELFCARE_STAFF_URL is {self.staff_url}: it must start with {public.scheme}:// as the portal."
            )
        if own.hostname == public.hostname:
            reasons.append("SELFCARE_STAFF_URL has the host of SELFCARE_PUBLIC_URL, and cookies would be shared.")
        return reasons

    def _provisioning_refusals(self) -> list[str]:
        reasons = []
        if not self.provisioning_url:
            reasons.append("SELFCARE_PROVISIONING is http and SELFCARE_PROVISIONING_URL does not say where it is.")
        elif self.production and not self.provisioning_url.startswith("https://"):
            reasons.append("SELFCARE_PROVISIONING_URL must start with https:// in production.")
        if not self.provisioning_secret:
            reasons.append(f"SELFCARE_PROVISIONING is http and SELFCARE_PROVISIONING_SECRET is not set. {MAKE_ONE}")
        if any(len(secret) < SHORTEST_SECRET for secret in self.provisioning_secret):
            reasons.append(f"SELFCARE_PROVISIONING_SECRET is shorter than {SHORTEST_SECRET} characters. {MAKE_ONE}")
        return reasons

    def _stripe_refusals(self) -> list[str]:
        reasons = []
        if not self.stripe_key:
            reasons.append("SELFCARE_PAYMENTS is stripe and SELFCARE_STRIPE_KEY is not set.")
        elif not self.stripe_key.startswith(("sk_", "rk_")):
            reasons.append("SELFCARE_STRIPE_KEY is not a secret key: it must begin with sk_ or rk_.")
        elif self.production and "_test_" in self.stripe_key:
            reasons.append("SELFCARE_STRIPE_KEY is a key of the test mode: nobody would really pay.")
        if not self.stripe_webhook_secret:
            reasons.append(
                "SELFCARE_PAYMENTS is stripe and SELFCARE_STRIPE_WEBHOOK_SECRET is not set: "
                "its webhooks could not be believed."
            )
        if self.production and not self.stripe_api_base.startswith("https://"):
            reasons.append(f"SELFCARE_STRIPE_API_BASE is {self.stripe_api_base}: it must start with https://.")
        return reasons


def variables() -> list[Field[Any]]:
    """The fields that the environment sets."""
    return [each for each in fields(Settings) if not each.metadata.get("inside")]


def limits() -> list[Field[Any]]:
    """The numbers that staff may change while we run."""
    return [each for each in fields(Settings) if each.metadata.get("limit")]


def unknown(env: Mapping[str, str] = os.environ) -> list[str]:
    """A typing mistake in a name would otherwise be silent."""
    known = {PREFIX + each.name.upper() for each in variables()}
    known |= {name + "_FILE" for name in known}
    return [_did_you_mean(name, known) for name in sorted(env) if name.startswith(PREFIX) and name not in known]


def _did_you_mean(name: str, known: set[str]) -> str:
    near = get_close_matches(name, known, n=1)
    return f"{name} is not a setting." + (f" Did you mean {near[0]}?" if near else "")


def _feed_key_too_short(length: int) -> str:
    return f"SELFCARE_FEED_KEYS has a key of {length} characters; {SHORTEST_SECRET} are the least. {MAKE_ONE}"


def _too_short(length: int) -> str:
    return f"SELFCARE_SECRET_KEY has a secret of {length} characters; {SHORTEST_SECRET} are the least. {MAKE_ONE}"


def _typed(env: Mapping[str, str], name: str) -> str:
    path = env.get(f"{name}_FILE", "")
    if not path:
        return env.get(name, "").strip()
    if env.get(name):
        raise ValueError(f"and {name}_FILE are both set: keep one")
    try:
        return Path(path).read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise ValueError(f"cannot be read from the file in {name}_FILE ({path})") from error


def _read(typed: str, kind: Any, rules: Mapping[str, Any]) -> Any:
    if kind is bool:
        return _switch(typed)
    if kind is int:
        return _whole_number(typed, rules["low"], rules["high"])
    if get_origin(kind) is Literal:
        return _choice(typed, get_args(kind))
    if get_origin(kind) is tuple:
        check = rules.get("each", _any_text)
        return tuple(check(part) for part in (each.strip() for each in typed.split(",")) if part)
    return rules["check"](typed)


def _switch(typed: str) -> bool:
    if typed.lower() not in ("1", "true", "yes", "on", "0", "false", "no", "off"):
        raise ValueError(f"is {typed!r}; it must be 1 or 0")
    return _is_on(typed)


def _is_on(typed: str) -> bool:
    return typed.strip().lower() not in ("", "0", "false", "no", "off")


def _whole_number(typed: str, low: int, high: int) -> int:
    if (number := whole(typed, least=low, most=high)) is None:
        raise ValueError(f"is {typed!r}; it must be a whole number from {low} to {high}")
    return number


def _choice(typed: str, options: tuple[object, ...]) -> object:
    by_text = {str(option): option for option in options}
    if typed not in by_text:
        raise ValueError(f"is {typed!r}; it must be one of: {', '.join(by_text)}")
    return by_text[typed]
