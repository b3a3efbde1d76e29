"""What is sold, and what each customer has bought."""

from __future__ import annotations

from piccolo.columns import JSONB, UUID, BigInt, Boolean, Date, Text, Timestamptz, Varchar
from piccolo.table import Table


class Product(Table, tablename="product"):
    """A plan, top-up, add-on or bundle.

    Prices are what the customer pays, tax included; `tax_permille` is the rate in them (200 = 20 %).
    `customer_types`, `requires`, `excludes` (slugs) and `features` are JSON lists; an empty `customer_types` means
    everybody. `editable` lists the parameters a customer may change, `changes_to` the slugs of the plans a service with
    this plan may move to. `grants` is a JSON list of objects: kind, label,
    amount (null = unlimited), scope, consume_order, mode (add, reset), lifetime_days (null = for ever; of a plan: until
    its period ends), counts_mms, blocker. Custom amounts are allowed between `custom_min_minor` and `custom_max_minor`
    when those are set.
    `parts` of a bundle: a JSON list of objects with product (slug) and price, its share; null: by what it costs.
    With `refunds_all` it is all or nothing.
    `lasts_days` is how long a one-off add-on runs, `activation` when it begins, in words.
    What `starts` with its first_use or first_use_abroad does so in `start_within_days`, or ends unused.
    `provisioning_…` and `wholesale_…` never leave the house.
    """

    id = UUID(primary_key=True, default=None)
    slug = Varchar(80, unique=True)
    name = Varchar(100)
    description = Text()
    category = Varchar(16)
    service_type = Varchar(16)
    customer_types = JSONB(default="[]")
    requires = JSONB(default="[]")
    excludes = JSONB(default="[]")
    enabled = Boolean(default=True)
    on_sale_from = Timestamptz(null=True, default=None)
    on_sale_until = Timestamptz(null=True, default=None)
    sort = BigInt(default=0)
    icon = Varchar(32)
    features = JSONB(default="[]")
    terms_url = Varchar(500, null=True, default=None)
    price_minor = BigInt(default=0)
    setup_price_minor = BigInt(default=0)
    currency = Varchar(3)
    period = Varchar(8, default="none")
    custom_min_minor = BigInt(null=True, default=None)
    custom_max_minor = BigInt(null=True, default=None)
    tax_code = Varchar(16)
    tax_permille = BigInt(default=0)
    grants = JSONB(default="[]")
    parts = JSONB(default="[]")
    refunds_all = Boolean(default=False)
    lasts_days = BigInt(null=True, default=None)
    activation = Varchar(200, null=True, default=None)
    starts = Varchar(16, default="now")
    start_within_days = BigInt(null=True, default=None)
    repeatable = Boolean(default=False)
    editable = JSONB(default="[]")
    changes_to = JSONB(default="[]")
    min_term = BigInt(default=0)
    version = BigInt(default=1)
    provisioning_play = Varchar(100, null=True, default=None, secret=True)
    provisioning_vars = JSONB(default="{}", secret=True)
    wholesale_cost_minor = BigInt(null=True, default=None, secret=True)
    wholesale_setup_cost_minor = BigInt(null=True, default=None, secret=True)
    created_at = Timestamptz(default=None)
    external_id = Varchar(80, null=True, default=None, unique=True)


class Service(Table, tablename="service"):
    """One bought thing. `monthly_minor` includes tax, as the customer reads it. `configuration` is a JSON object of
    label → value that the customer may read (hardware, APN, speed); nothing internal belongs there.

    One that went to another customer has ended at `handed_over_at`; the one it goes on as was `taken_over_from` it.
    """

    id = UUID(primary_key=True, default=None)
    customer_id = UUID(default=None)
    product_id = UUID(default=None)
    site_id = UUID(null=True, default=None)
    name = Varchar(160)
    nickname = Varchar(60, null=True, default=None)
    type = Varchar(16)
    state = Varchar(16)
    suspend_reason = Varchar(16, null=True, default=None)
    end_reason = Varchar(16, null=True, default=None)
    activated_at = Timestamptz(null=True, default=None)
    suspended_at = Timestamptz(null=True, default=None)
    ended_at = Timestamptz(null=True, default=None)
    ends_at = Timestamptz(null=True, default=None)
    renews = Boolean(default=False)
    monthly_minor = BigInt(default=0)
    currency = Varchar(3)
    msisdn = Varchar(16, null=True, default=None)
    iccid = Varchar(22, null=True, default=None)
    ocs_account = Varchar(80, null=True, default=None)
    contract_ends_on = Date(null=True, default=None)
    lock_sim = Boolean(default=False)
    lock_port = Boolean(default=False)
    next_product_id = UUID(null=True, default=None)
    cancel_at = Timestamptz(null=True, default=None)
    configuration = JSONB(default="{}")
    created_at = Timestamptz(default=None)
    external_id = Varchar(80, null=True, default=None, unique=True)
    handed_over_at = Timestamptz(null=True, default=None)
    taken_over_from = UUID(null=True, default=None)
    taken_over_at = Timestamptz(null=True, default=None)


class Cancellation(Table, tablename="cancellation"):
    """`reason` is one of a closed list, `words` what the customer added; `undone_at` when they thought better of it."""

    id = UUID(primary_key=True, default=None)
    customer_id = UUID(default=None)
    service_id = UUID(default=None)
    asked_by = UUID(default=None)
    asked_at = Timestamptz(default=None)
    takes_effect_at = Timestamptz(default=None)
    reason = Varchar(20, null=True, default=None)
    words = Varchar(500, null=True, default=None)
    request_key = Varchar(64, unique=True)
    undone_at = Timestamptz(null=True, default=None)


class PlanChange(Table, tablename="plan_change"):
    """A change of plan: one that waits for the end of the period, or one that was carried out.

    waiting → ordered → done; waiting → dropped (taken back or overtaken) or refused (could not be kept). `promised` is
    JSON text: what the plan was when it was chosen.
    """

    id = UUID(primary_key=True, default=None)
    customer_id = UUID(default=None)
    service_id = UUID(default=None)
    order_id = UUID(null=True, default=None, unique=True)
    was_product_id = UUID(default=None)
    product_id = UUID(default=None)
    product_version = BigInt(default=1)
    name = Varchar(100)
    price_minor = BigInt(default=0)
    currency = Varchar(3)
    promised = Text()
    takes_effect_at = Timestamptz(default=None)
    state = Varchar(8)
    asked_by = UUID(null=True, default=None)
    asked_at = Timestamptz(default=None)
    ended_at = Timestamptz(null=True, default=None)
    request_key = Varchar(64, unique=True)


class LineSpeed(Table, tablename="line_speed"):
    """What the network last said. `full_speed_bytes` a period go at full speed; `slow_kbps` NULL: full speed now."""

    service_id = UUID(primary_key=True, default=None)
    customer_id = UUID(default=None)
    full_speed_bytes = BigInt(null=True, default=None)
    slow_kbps = BigInt(null=True, default=None)
    slow_until = Timestamptz(null=True, default=None)
    reported_at = Timestamptz(default=None)


class ServiceAddon(Table, tablename="service_addon"):
    """An add-on on a service. `price_minor` is what a month of it costs, tax included; 0 for a one-off.

    What recurs is paid until `paid_until` and cannot end before `term_ends_at`; `ends_at` NULL: it goes on.
    `grants` is JSON text: what each new month puts in. `taken_off_at`: the network has it no longer, after
    `take_off_tries` that failed for good, the next one not before `take_off_after`.
    """

    id = UUID(primary_key=True, default=None)
    customer_id = UUID(default=None)
    service_id = UUID(default=None)
    product_id = UUID(default=None)
    order_id = UUID(null=True, default=None, unique=True)
    name = Varchar(100)
    icon = Varchar(32)
    price_minor = BigInt(default=0)
    currency = Varchar(3)
    tax_permille = BigInt(default=0)
    recurring = Boolean(default=False)
    grants = Text()
    starts_at = Timestamptz(default=None)
    paid_until = Timestamptz(null=True, default=None)
    term_ends_at = Timestamptz(null=True, default=None)
    ends_at = Timestamptz(null=True, default=None)
    removal_asked_at = Timestamptz(null=True, default=None)
    taken_off_at = Timestamptz(null=True, default=None)
    take_off_tries = BigInt(default=0)
    take_off_after = Timestamptz(null=True, default=None)
    waits_for = Varchar(16, null=True, default=None)
    lasts_days = BigInt(null=True, default=None)
    created_at = Timestamptz(default=None)


class ServiceExtension(Table, tablename="service_extension"):
    """Days that an order put in, once."""

    order_id = UUID(primary_key=True, default=None)
    customer_id = UUID(default=None)
    service_id = UUID(default=None)
    days = BigInt(default=None)
    was = Timestamptz(default=None)
    until = Timestamptz(default=None)
    at = Timestamptz(default=None)


class NetworkAddress(Table, tablename="network_address"):
    """Which line has it now, as the network told."""

    address = Varchar(45, primary_key=True, default=None)
    customer_id = UUID(default=None)
    service_id = UUID(default=None)
    told_at = Timestamptz(default=None)
