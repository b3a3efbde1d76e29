"""Handlers of /staff/catalogue."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from litestar import Request, Response, Router, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath

from selfcare.identity.identity import Identity
from selfcare.kernel import clock
from selfcare.kernel.errors import Rejected
from selfcare.kernel.money import Money
from selfcare.kernel.numbers import whole
from selfcare.kernel.words import _
from selfcare.ports.charging import KINDS, SCOPES
from selfcare.ports.ports import Ports
from selfcare.settings import Settings
from selfcare.staff.catalogue import drafts, options, products
from selfcare.staff.catalogue.drafts import CATEGORIES, CUSTOMER_TYPES, MOST_GRANTS, PERIODS, STARTS, TYPES, Draft
from selfcare.staff.catalogue.products import Product, Stale
from selfcare.web.forms import Form
from selfcare.web.pages import go, page

FIELDS = (
    *("name", "description", "enabled", "on_sale_from", "on_sale_until", "sort", "icon", "features", "terms_url"),
    *("price", "setup_price", "period", "custom_min", "custom_max", "tax_code", "repeatable", "min_term"),
    *("starts", "start_within_days"),
    *("requires", "excludes", "provisioning_play", "parts", "refunds_all", "changes_to", "made_of", "seen", "do"),
)
OF_NEW = ("slug", "category", "service_type")
GRANT = ("kind", "amount", "label", "scope", "order", "mode", "days", "extra")
SEVERAL = ("customer_types", *(f"grant_{name}" for name in GRANT), *(f"setting_{name}" for name in options.COLUMNS))


@get("/staff/catalogue", name="staff.catalogue")
async def show_all(request: Request[Any, Any, Any]) -> Response[bytes]:
    return page(request, "staff/catalogue/index", products=await products.list_all(), now=clock.now())


@get("/staff/catalogue/new", name="staff.catalogue.new")
async def show_new(request: Request[Any, Any, Any], settings: NamedDependency[Settings]) -> Response[bytes]:
    usual = {"category": "topup", "service_type": "mobile", "period": "none", "starts": "now", "icon": "plan"}
    form = Form.empty(*FIELDS, *OF_NEW, **usual, sort="100", seen="0")
    form.several = {name: [] for name in SEVERAL}
    return _form_page(request, None, form, settings)


@post("/staff/catalogue/new", name="staff.catalogue.create", status_code=200)
async def create(
    request: Request[Any, Any, Any],
    identity: NamedDependency[Identity],
    settings: NamedDependency[Settings],
    ports: NamedDependency[Ports],
) -> Response[bytes]:
    form = await Form.read(request, *FIELDS, *OF_NEW, several=SEVERAL)
    draft = await _checked(form, None, settings, ports)
    if draft is None or form["do"] == "preview":
        return _form_page(request, None, form, settings, draft)
    try:
        product_id = await products.create(identity, draft)
    except Rejected as problem:
        form.reject(problem.field, problem)
        return _form_page(request, None, form, settings)
    return go(request, "staff.catalogue.show", product_id=product_id, done="1")


@get("/staff/catalogue/{product_id:uuid}", name="staff.catalogue.show")
async def show(request: Request[Any, Any, Any], product_id: FromPath[UUID]) -> Response[bytes]:
    product = await products.load(product_id)
    return page(
        request,
        "staff/catalogue/show",
        product=product,
        draft=product.draft,
        on_sale=product.is_on_sale(clock.now()),
        versions=await products.versions(product),
        done=request.query_params.get("done", ""),
    )


@get("/staff/catalogue/{product_id:uuid}/versions/{number:str}", name="staff.catalogue.version")
async def show_version(
    request: Request[Any, Any, Any], product_id: FromPath[UUID], number: FromPath[str]
) -> Response[bytes]:
    product = await products.load(product_id)
    version = await products.version_of(product, whole(number, most=1_000_000) or 0)
    return page(request, "staff/catalogue/version", product=product, version=version, draft=version.draft)


@get("/staff/catalogue/{product_id:uuid}/edit", name="staff.catalogue.edit")
async def show_edit(
    request: Request[Any, Any, Any], product_id: FromPath[UUID], settings: NamedDependency[Settings]
) -> Response[bytes]:
    product = await products.load(product_id)
    return _form_page(request, product, _filled(product, settings), settings)


@post("/staff/catalogue/{product_id:uuid}/edit", name="staff.catalogue.publish", status_code=200)
async def publish(
    request: Request[Any, Any, Any],
    product_id: FromPath[UUID],
    identity: NamedDependency[Identity],
    settings: NamedDependency[Settings],
    ports: NamedDependency[Ports],
) -> Response[bytes]:
    product = await products.load(product_id)
    form = await Form.read(request, *FIELDS, several=SEVERAL)
    seen = form.whole("seen", least=1, most=10**9)
    draft = await _checked(form, product, settings, ports)
    if draft is None or seen is None or form["do"] == "preview":
        return _form_page(request, product, form, settings, draft)
    try:
        version = await products.publish(identity, product_id, draft, seen=seen)
    except Stale as problem:
        form.reject(None, problem)
        form.values["seen"] = str(problem.version)
        return _form_page(request, product, form, settings)
    return go(request, "staff.catalogue.show", product_id=product_id, done=version)


def _form_page(
    request: Request[Any, Any, Any],
    product: Product | None,
    form: Form,
    settings: Settings,
    draft: Draft | None = None,
) -> Response[bytes]:
    rows = list(zip(*(form.several[f"grant_{name}"] for name in GRANT), strict=True))
    blank = ("", "", "", "any", "2", "add", "", "")
    settings_shown = _setting_rows(form)
    return page(
        request,
        "staff/catalogue/edit",
        status=422 if form.errors else 200,
        product=product,
        form=form,
        draft=draft,
        grants=[*rows, *[blank] * max(1, min(3, MOST_GRANTS) - len(rows))][:MOST_GRANTS],
        settings_shown=[*settings_shown, *[options.BLANK] * (len(settings_shown) < options.MOST)],
        setting_types=_pairs(options.TYPES),
        kinds=_pairs(KINDS),
        scopes=_pairs(SCOPES),
        categories=_pairs(CATEGORIES),
        types=_pairs(TYPES),
        customer_types=CUSTOMER_TYPES,
        tax_codes=drafts.tax_codes(settings),
        currency=product.draft.currency if product else settings.currency,
    )


def _pairs(values: tuple[str, ...]) -> list[tuple[str, str]]:
    """Words that are the same in the house as in the catalogue."""
    return [(value, value) for value in values]


def _filled(product: Product, settings: Settings) -> Form:
    """The form with what is in force."""
    draft, money = product.draft, product.draft.currency
    form = Form.empty(
        name=draft.name,
        description=draft.description,
        enabled="on" if draft.enabled else "",
        on_sale_from=_local(draft.on_sale_from, settings),
        on_sale_until=_local(draft.on_sale_until, settings),
        sort=str(draft.sort),
        icon=draft.icon,
        features="\n".join(draft.features),
        terms_url=draft.terms_url or "",
        price=drafts.typed(draft.price_minor, money),
        setup_price=drafts.typed(draft.setup_price_minor, money) if draft.setup_price_minor else "",
        period=draft.period,
        custom_min=drafts.typed(draft.custom_min_minor, money),
        custom_max=drafts.typed(draft.custom_max_minor, money),
        tax_code=draft.tax_code,
        repeatable="on" if draft.repeatable else "",
        min_term=str(draft.min_term or ""),
        starts=draft.starts,
        start_within_days=str(draft.start_within_days or ""),
        requires=", ".join(draft.requires),
        excludes=", ".join(draft.excludes),
        parts=drafts.parts_text(draft),
        refunds_all="on" if draft.refunds_all else "",
        changes_to=", ".join(draft.changes_to),
        provisioning_play=draft.provisioning_play or "",
        seen=str(product.version),
    )
    columns = {name: [] for name in SEVERAL}  # type: dict[str, list[str]]
    columns["customer_types"] = list(draft.customer_types)
    for grant in draft.grants:
        extra = "counts_mms" if grant["counts_mms"] else "blocker" if grant["blocker"] else ""
        amount = drafts.amount_text(grant["kind"], grant["amount"], currency=money, base=settings.data_base)
        days = "" if grant["lifetime_days"] is None else str(grant["lifetime_days"])
        row = (grant["kind"], amount, grant["label"], grant["scope"], str(grant["consume_order"]), grant["mode"], days)
        for name, value in zip(GRANT, (*row, extra), strict=True):
            columns[f"grant_{name}"].append(value)
    for cells in options.rows_of(draft.editable, money):
        for name, value in zip(options.COLUMNS, cells, strict=True):
            columns[f"setting_{name}"].append(value)
    form.several = columns
    return form


async def _checked(form: Form, product: Product | None, settings: Settings, ports: Ports) -> Draft | None:
    """What was typed, where nothing is wrong with it. What is switched off may lack what it needs."""
    draft = _read(form, product, settings)
    if draft is None:
        return None
    problems = [*drafts.mistakes(draft)]
    if draft.enabled:
        slugs = await products.slugs()
        problems += drafts.missing(draft, charging=ports.charging, settings=settings, slugs=slugs)
        sold = await products.named([*draft.changes_to, *(part["product"] for part in draft.parts)])
        problems += drafts.unfit(draft, sold)
    for field, words in problems:
        form.reject(field, words)
    return draft if form else None


def _read(form: Form, product: Product | None, settings: Settings) -> Draft | None:
    currency = product.draft.currency if product else settings.currency
    slug, category, service_type = _fixed(form, product)
    name = form.text("name", most=100)
    description = form.text("description", least=0, most=2000, lines=True)
    features = form.text("features", least=0, most=2000, lines=True)
    terms = form.text("terms_url", least=0, most=500)
    if terms and not terms.startswith("https://"):
        form.reject("terms_url", _("Start with https://."))
    price = form.amount("price", currency)
    setup, least, most = (_optional(form, one, currency) for one in ("setup_price", "custom_min", "custom_max"))
    sort, term = form.whole("sort", least=0, most=1_000_000), _number(form, "min_term", 120)
    icon, play = form.text("icon", least=0, most=32), form.text("provisioning_play", least=0, most=100)
    period = form.choice("period", PERIODS)
    starts = form.choice("starts", STARTS)
    within = form.whole("start_within_days", least=1, most=366) if form["start_within_days"].strip() else None
    tax_code = form.text("tax_code", most=16)
    since, until = _moment(form, "on_sale_from", settings), _moment(form, "on_sale_until", settings)
    kinds = [one for one in CUSTOMER_TYPES if one in form.several["customer_types"]]
    grants = _grants(form, currency, settings)
    before = product.draft if product else None
    parts, refunds_all, changes_to = _made_of(form, before, currency)
    editable = _editable(form, before, currency)
    needed = (name, price, sort, period, tax_code, slug, category, service_type)
    if not form or any(one is None for one in needed) or price is None:
        return None
    return Draft(
        slug=slug or "",
        name=name or "",
        description=description or "",
        category=category or "",
        service_type=service_type or "",
        # Everybody is the same as nobody in particular.
        customer_types=kinds if len(kinds) < len(CUSTOMER_TYPES) else [],
        requires=_slugs(form, "requires"),
        excludes=_slugs(form, "excludes"),
        enabled=form.flag("enabled"),
        on_sale_from=since,
        on_sale_until=until,
        sort=sort or 0,
        icon=icon or "plan",
        features=[line.strip() for line in (features or "").splitlines() if line.strip()],
        terms_url=terms or None,
        price_minor=price.minor,
        setup_price_minor=setup.minor if setup else 0,
        currency=currency,
        period=period or "none",
        custom_min_minor=least.minor if least else None,
        custom_max_minor=most.minor if most else None,
        tax_code=tax_code or "",
        tax_permille=product.draft.tax_permille if product else 0,
        grants=grants,
        parts=parts,
        refunds_all=refunds_all,
        changes_to=changes_to,
        editable=editable,
        repeatable=form.flag("repeatable"),
        min_term=term or 0,
        provisioning_play=play or None,
        starts=starts or "now",
        start_within_days=within,
    ).with_tax(settings)


def _fixed(form: Form, product: Product | None) -> tuple[str | None, str | None, str | None]:
    """What stays as it was when the product was made."""
    if product is not None:
        return product.draft.slug, product.draft.category, product.draft.service_type
    slug = form.text("slug", most=80)
    if slug and not all(sign.isascii() and (sign.islower() or sign.isdigit() or sign == "-") for sign in slug):
        form.reject("slug", _("Use small letters, digits and hyphens, like data-5-gb."))
    return slug, form.choice("category", CATEGORIES), form.choice("service_type", TYPES)


def _made_of(form: Form, before: Draft | None, currency: str) -> tuple[list[dict[str, Any]], bool, list[str]]:
    """What a form does not ask for stays as it was."""
    if not form["made_of"]:
        return (before.parts, before.refunds_all, before.changes_to) if before else ([], False, [])
    try:
        parts = drafts.parts_of(form["parts"], currency)
    except Rejected as problem:
        form.reject("parts", problem)
        parts = []
    return parts, form.flag("refunds_all"), _slugs(form, "changes_to")


def _setting_rows(form: Form) -> list[tuple[str, ...]]:
    return list(zip(*(form.several[f"setting_{name}"] for name in options.COLUMNS), strict=False))[: options.MOST]


def _editable(form: Form, before: Draft | None, currency: str) -> list[Any]:
    """A form that does not ask for settings leaves them."""
    kept = before.editable if before else []
    if not (rows := _setting_rows(form)):
        return kept
    found, problems = options.read(rows, kept, currency)
    for place, words in problems:
        form.reject(f"setting_{place}", words)
    return found


def _grants(form: Form, currency: str, settings: Settings) -> list[dict[str, Any]]:
    """The rows that name a kind; a bad one is refused beside it."""
    found: list[dict[str, Any]] = []
    rows = zip(*(form.several[f"grant_{name}"] for name in GRANT), strict=False)
    for place, (kind, amount, label, scope, order, mode, days, extra) in enumerate(rows):
        if not kind and not amount.strip() and not label.strip():
            continue
        try:
            found.append(
                {
                    "kind": _one_of(kind, KINDS),
                    "amount": drafts.amount_of(kind, amount, currency=currency, base=settings.data_base),
                    "label": _short(label),
                    "scope": _one_of(scope, SCOPES),
                    "consume_order": _whole(order, 1, 9),
                    "mode": _one_of(mode, ("add", "reset")),
                    "lifetime_days": _whole(days, 1, 3660) if days.strip() else None,
                    "counts_mms": extra == "counts_mms",
                    "blocker": extra == "blocker",
                }
            )
        except Rejected as problem:
            form.reject(f"grant_{place}", problem)
    return found


def _one_of(value: str, known: tuple[str, ...]) -> str:
    if value not in known:
        raise Rejected(_("Choose one of the options."))
    return value


def _short(text: str) -> str:
    if not 0 < len(text.strip()) <= 100 or not text.isprintable():
        raise Rejected(_("Say in 1 to 100 letters what it is called."))
    return text.strip()


def _whole(text: str, least: int, most: int) -> int:
    if (number := whole(text.strip(), least=least, most=most)) is None:
        raise Rejected(_("Enter a whole number from %(least)d to %(most)d.") % {"least": least, "most": most})
    return number


def _optional(form: Form, name: str, currency: str) -> Money | None:
    return form.amount(name, currency) if form[name].strip() else None


def _number(form: Form, name: str, most: int) -> int | None:
    return form.whole(name, least=0, most=most) if form[name].strip() else None


def _slugs(form: Form, name: str) -> list[str]:
    return list(dict.fromkeys(part for part in form[name].replace(",", " ").split() if len(part) <= 80))[:20]


def _moment(form: Form, name: str, settings: Settings) -> datetime | None:
    """On the operator's clock."""
    if not form[name].strip():
        return None
    try:
        return datetime.fromisoformat(form[name].strip()).replace(tzinfo=ZoneInfo(settings.zone)).astimezone(UTC)
    except ValueError:
        form.reject(name, _("Enter a date and time like 2026-12-01T09:00."))
        return None


def _local(at: datetime | None, settings: Settings) -> str:
    return at.astimezone(ZoneInfo(settings.zone)).strftime("%Y-%m-%dT%H:%M") if at else ""


router = Router("/", route_handlers=[show_all, show_new, create, show, show_version, show_edit, publish])
