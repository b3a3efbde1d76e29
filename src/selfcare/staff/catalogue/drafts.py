"""What staff type for a product, and whether all that it needs exists."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import asdict, dataclass, field, fields, replace
from datetime import datetime
from decimal import Decimal, InvalidOperation
from typing import Any, Self

from selfcare.kernel.errors import Rejected
from selfcare.kernel.money import EXPONENTS, Money, exponent, parse_amount
from selfcare.kernel.words import _
from selfcare.ports.charging import Charging, Put
from selfcare.settings import Settings

CATEGORIES = ("plan", "topup", "addon", "bundle")
TYPES = ("mobile", "internet", "iptv", "voip", "omnicharge")
STARTS = ("now", "first_use", "first_use_abroad")
PERIODS = ("none", "day", "week", "month", "year")
CUSTOMER_TYPES = ("individual", "business")
MOST_GRANTS = 8
MOST_PARTS = 8
LARGEST = 10**15


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """A product as it is offered: what one version of it says."""

    slug: str
    name: str
    description: str = ""
    category: str
    service_type: str
    customer_types: list[str]
    requires: list[str]
    excludes: list[str]
    enabled: bool
    on_sale_from: datetime | None = None
    on_sale_until: datetime | None = None
    sort: int = 0
    icon: str = "plan"
    features: list[str]
    terms_url: str | None = None
    price_minor: int
    setup_price_minor: int = 0
    currency: str
    period: str = "none"
    custom_min_minor: int | None = None
    custom_max_minor: int | None = None
    tax_code: str
    tax_permille: int = 0
    grants: list[dict[str, Any]]
    # Of a bundle; of a plan the ones it may be changed to, and its settings that customers may change.
    parts: list[dict[str, Any]] = field(default_factory=list)
    refunds_all: bool = False
    changes_to: list[str] = field(default_factory=list)
    editable: list[Any] = field(default_factory=list)
    repeatable: bool = False
    min_term: int = 0
    provisioning_play: str | None = None
    starts: str = "now"
    start_within_days: int | None = None

    @property
    def price(self) -> Money:
        return Money(self.price_minor, self.currency)

    @property
    def setup_price(self) -> Money:
        return Money(self.setup_price_minor, self.currency)

    @property
    def custom(self) -> tuple[Money, Money] | None:
        if self.custom_min_minor is None or self.custom_max_minor is None:
            return None
        return Money(self.custom_min_minor, self.currency), Money(self.custom_max_minor, self.currency)

    @classmethod
    def of_row(cls, row: Mapping[str, Any]) -> Self:
        return cls(**{each.name: row[each.name] for each in fields(cls)})

    @classmethod
    def of_json(cls, content: Mapping[str, Any]) -> Self:
        known = {each.name: content[each.name] for each in fields(cls) if each.name in content}
        for moment in ("on_sale_from", "on_sale_until"):
            known[moment] = datetime.fromisoformat(known[moment]) if known.get(moment) else None
        return cls(**known)

    def as_json(self) -> dict[str, Any]:
        return {
            name: value.isoformat() if isinstance(value, datetime) else value for name, value in asdict(self).items()
        }

    def differs_from(self, other: Self) -> list[str]:
        """The names of what is another one there."""
        return [each.name for each in fields(self) if getattr(self, each.name) != getattr(other, each.name)]

    def with_tax(self, settings: Settings) -> Self:
        """The rate follows from the code; an unknown code is told by `missing`."""
        return replace(self, tax_permille=tax_codes(settings).get(self.tax_code, self.tax_permille))


def tax_codes(settings: Settings) -> dict[str, int]:
    """Code → per mille."""
    pairs = (each.split("=", 1) for each in settings.tax_codes)
    return {code: int(Decimal(percent) * 10) for code, percent in pairs}


def missing(
    draft: Draft, *, charging: Charging, settings: Settings, slugs: Collection[str]
) -> Iterator[tuple[str, str]]:
    """What it needs and nobody has, by the field that asks for it."""
    if draft.currency not in EXPONENTS:
        yield "currency", _("There is no currency %(name)s.") % {"name": draft.currency}
    if draft.tax_code not in tax_codes(settings):
        known = ", ".join(tax_codes(settings))
        yield (
            "tax_code",
            _("There is no tax code %(name)s; there are %(known)s.")
            % {
                "name": draft.tax_code,
                "known": known,
            },
        )
    for column in ("requires", "excludes"):
        for slug in getattr(draft, column):
            if slug not in slugs or slug == draft.slug:
                yield column, _("There is no other product %(name)s.") % {"name": slug}
    for slug in set(draft.requires) & set(draft.excludes):
        yield "excludes", _("%(name)s cannot be needed and excluded at once.") % {"name": slug}
    for place, grant in enumerate(draft.grants):
        if why := charging.cannot_hold(put_of(grant, draft.currency, draft.starts)):
            yield f"grant_{place}", why
    play, plays = draft.provisioning_play, settings.provisioning_plays
    if play and plays and play not in plays:
        yield "provisioning_play", _("The network has no program %(name)s.") % {"name": play}
    if draft.category == "topup" and not draft.grants:
        yield "grant_0", _("A top-up must give something.")
    if draft.category == "bundle" and not draft.parts:
        yield "parts", _("A bundle is made of two to eight parts.")
    if draft.category == "addon" and not draft.grants and not draft.provisioning_play:
        yield "provisioning_play", _("It gives nothing and sets nothing up: name what is to be set up.")


def unfit(draft: Draft, sold: Mapping[str, Draft]) -> Iterator[tuple[str, str]]:
    """What it is made of, or may be changed to, and is nothing of that kind."""
    for slug in draft.changes_to:
        other = sold.get(slug)
        if other is None or other.category != "plan" or slug == draft.slug:
            yield "changes_to", _("There is no other plan %(name)s.") % {"name": slug}
        elif (other.service_type, other.currency) != (draft.service_type, draft.currency):
            yield "changes_to", _("%(name)s is for another type of service, or has another currency.") % {"name": slug}
    for part in draft.parts:
        inside = sold.get(part["product"])
        if inside is None or inside.category not in ("addon", "topup") or inside.custom is not None:
            yield "parts", _("%(name)s is no add-on and no top-up of a fixed price.") % {"name": part["product"]}
        elif inside.currency != draft.currency:
            yield "parts", _("%(name)s has another currency.") % {"name": part["product"]}


def parts_of(text: str, currency: str) -> list[dict[str, Any]]:
    """A part on each line, with its share of the price or without. Raises Rejected."""
    found = [_part(line.split(), currency) for line in text.splitlines() if line.strip()]
    if found and not 2 <= len(found) <= MOST_PARTS:
        raise Rejected(_("A bundle is made of two to eight parts."))
    return found


def _part(words: list[str], currency: str) -> dict[str, Any]:
    if len(words) > 2 or len(words[0]) > 80:
        raise Rejected(_("Write a part as its short name and its share of the price, like data-5 4.50."))
    price = parse_amount(words[1], currency).minor if len(words) == 2 else None
    if price == 0:
        raise Rejected(_("The share of a part is above zero."))
    return {"product": words[0], "price": price}


def parts_text(draft: Draft) -> str:
    """The same back, as a person would type it."""
    return "\n".join(f"{part['product']} {typed(part.get('price'), draft.currency)}".strip() for part in draft.parts)


def mistakes(draft: Draft) -> Iterator[tuple[str, str]]:
    """What contradicts itself."""
    if draft.category != "bundle" and draft.parts:
        yield "parts", _("Only a bundle has parts.")
    if draft.category != "bundle" and draft.refunds_all:
        yield "refunds_all", _("Only a bundle is all or nothing.")
    if draft.category != "plan" and draft.changes_to:
        yield "changes_to", _("Only a plan is changed to another one.")
    shares = [part["price"] for part in draft.parts if part["price"] is not None]
    if shares and (len(shares) < len(draft.parts) or sum(shares) != draft.price_minor):
        price = typed(draft.price_minor, draft.currency)
        yield "parts", _("The shares are together the price, %(price)s; or give none.") % {"price": price}
    if (draft.custom_min_minor is None) != (draft.custom_max_minor is None):
        yield "custom_max", _("The smallest and the largest amount go together.")
    elif draft.custom is not None and not 0 < draft.custom[0].minor <= draft.custom[1].minor:
        yield "custom_max", _("The largest amount is below the smallest, or the smallest is nothing.")
    if draft.on_sale_from and draft.on_sale_until and draft.on_sale_until <= draft.on_sale_from:
        yield "on_sale_until", _("The sale would end before it starts.")
    if draft.category == "topup" and draft.period != "none":
        yield "period", _("A top-up is paid once.")
    if draft.starts != "now" and (draft.category != "addon" or draft.period != "none"):
        yield "starts", _("Only an add-on that is paid once can wait for its first use.")
    elif draft.starts != "now" and not (draft.grants and all(grant.get("lifetime_days") for grant in draft.grants)):
        yield "starts", _("What waits for its first use gives something, and all of it lasts so many days.")


def put_of(grant: Mapping[str, Any], currency: str, starts: str = "now") -> Put:
    """As charging would be asked to put it in. Money of a custom amount is what the customer chooses."""
    return Put(
        kind=grant["kind"],
        amount=grant["amount"],
        label=grant["label"],
        mode=grant["mode"],
        scope=grant["scope"],
        consume_order=grant["consume_order"],
        currency=currency if grant["kind"] == "money" else None,
        counts_mms=grant["counts_mms"],
        blocker=grant["blocker"],
        waits_for=None if starts == "now" else starts,
    )


def amount_of(kind: str, text: str, *, currency: str, base: int) -> int | None:
    """GB, minutes, messages or money as typed; None, unlimited, where nothing was. Raises Rejected."""
    text = text.strip()
    if not text:
        return None
    if kind == "money":
        return parse_amount(text, currency).minor
    try:
        number = Decimal(text)
    except InvalidOperation as error:
        raise Rejected(_("Enter a number, or nothing for unlimited.")) from error
    exact = number * {"data": base**3, "voice": 60}.get(kind, 1)
    if not exact.is_finite() or exact != int(exact) or not 0 < exact <= LARGEST:
        raise Rejected(_("Enter a number above zero, or nothing for unlimited."))
    return int(exact)


def amount_text(kind: str, amount: int | None, *, currency: str, base: int) -> str:
    """The same back, as a person would type it."""
    if amount is None:
        return ""
    if kind == "money":
        return typed(amount, currency)
    exact = Decimal(amount) / {"data": base**3, "voice": 60}.get(kind, 1)
    return f"{exact.normalize():f}"


def typed(minor: int | None, currency: str) -> str:
    if minor is None:
        return ""
    digits = exponent(currency)
    whole, part = divmod(minor, 10**digits)
    return f"{whole}.{part:0{digits}d}" if digits else str(whole)
