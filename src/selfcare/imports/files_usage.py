"""What hangs on a line: its SIM, its allowances and what was used."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

from selfcare.imports.columns import (
    Column,
    Wrong,
    activation_code,
    choice,
    country,
    currency,
    digits,
    moment,
    money,
    secret_digits,
    text,
    whole,
    yes_no,
)
from selfcare.imports.file import CURRENCY, File, Values, amount, col, of, own_id
from selfcare.kernel import clock
from selfcare.portal.services.sim import sims
from selfcare.ports.charging import KINDS, SCOPES

# How much faster than ours the clock of a meter may be.
FAST_CLOCK = timedelta(minutes=10)

_units = whole()


def _sim_rule(row: Values) -> Iterator[tuple[str, str]]:
    if row["kind"] != "esim":
        for name in ("eid", "activation_code"):
            if row[name] is not None:
                yield name, "only an eSIM has this; expected nothing here"
    elif row["state"] == "released" and row["activation_code"] is None and row["replaced_at"] is None:
        yield "activation_code", "an eSIM that waits to be installed needs its code"


SIMS = File(
    name="sims",
    table="sim",
    owner="service",
    rule=_sim_rule,
    seal=sims.seal,
    columns=(
        own_id("SIM"),
        of("services", "The line it serves."),
        col("kind", choice("physical", "esim"), "physical or esim.", needed=True),
        col("iccid", digits(18, 20), "Its number, 18 to 20 digits, whole.", needed=True, unique=True),
        col("eid", digits(32, 32), "Of the chip an eSIM is on, 32 digits. Empty: not known."),
        col(
            "state",
            choice("released", "downloaded", "installed", "enabled", "disabled", "deleted", "blocked"),
            "released, downloaded, installed, enabled, disabled, deleted, blocked.",
            usual="enabled",
        ),
        col("state_at", moment, "Time since which it is so.", needed=True),
        col("pin1", secret_digits(4, 8), "Kept sealed. 4 to 8 digits, as delivered.", secret=True),
        col("puk1", secret_digits(8, 8), "Kept sealed. 8 digits.", secret=True),
        col("pin2", secret_digits(4, 8), "Kept sealed. 4 to 8 digits.", secret=True),
        col("puk2", secret_digits(8, 8), "Kept sealed. 8 digits.", secret=True),
        col(
            "activation_code",
            activation_code,
            "Kept sealed. Of an eSIM, like LPA:1$rsp.example.com$04386-AGYFT-A74Y8-3F815.",
            secret=True,
        ),
        col("confirmation_code_required", yes_no, "Does installing ask for a code of yours?", usual=False),
        col("replaced_at", moment, "Time; empty while it is in use."),
    ),
)


def _bucket_rule(row: Values) -> Iterator[tuple[str, str]]:
    """Also turns the amounts, whose unit hangs on the kind, into numbers."""
    is_money = row["kind"] == "money"
    for name in ("remaining", "granted"):
        if row[name] is None:
            continue
        try:
            row[name] = money(row[name], row["currency"], signed=name == "remaining") if is_money else _units(row[name])
        except Wrong as wrong:
            yield name, str(wrong)
    if not is_money:
        row["currency"] = None
    if row["starts_at"] and row["expires_at"] and row["expires_at"] <= row["starts_at"]:
        yield "expires_at", "it ends before it starts"
    if row["granted"] is not None and row["period_start"] is None:
        yield "period_start", "what was granted needs the period it was granted for"
    if row["period_start"] and row["period_end"] and row["period_end"] <= row["period_start"]:
        yield "period_end", "the period ends before it starts"
    if row["unlimited"] and row["granted"] is not None:
        yield "granted", "an unlimited bucket has no granted amount; expected nothing here"


BUCKETS = File(
    name="buckets",
    table="bucket",
    owner="service",
    rule=_bucket_rule,
    fixed={"reserved": 0},
    stamped=("created_at", "as_of"),
    columns=(
        own_id("bucket"),
        of("services", "The line it belongs to."),
        col("kind", choice(*KINDS), f"{', '.join(KINDS)}.", needed=True, together="kind"),
        col("label", text(100), "What customers read.", needed=True),
        col(
            "origin",
            choice("bonus", "topup", "plan", "rollover", "gift"),
            "bonus, topup, plan, rollover, gift.",
            needed=True,
        ),
        col("currency", currency, "For money only. Empty: the currency of the settings.", together="kind"),
        Column(
            name="remaining",
            read=str,
            about="Left now: bytes, seconds or messages; of money an amount like 12.50, below zero when owed.",
            needed=True,
            to="remaining",
            together="kind",
        ),
        col("unlimited", yes_no, "yes or no.", usual=False, to="is_unlimited"),
        col("consume_order", whole(1, 1000), "1 is used first.", needed=True),
        col("scope", choice(*SCOPES), f"{', '.join(SCOPES)}.", usual="any"),
        col("starts_at", moment, "Time; empty: at once."),
        col("expires_at", moment, "Time; empty: never."),
        col("blocker", yes_no, "Stops usage when empty, although others hold something.", usual=False),
        col("disabled", yes_no, "yes or no.", usual=False),
        col("counts_mms", yes_no, "Picture messages count as texts.", usual=False),
        Column(name="granted", read=str, about="Put into it this period, in the same unit. Empty: not known."),
        Column(name="grant_mode", read=choice("add", "reset"), about="add or reset.", usual="add"),
        Column(
            name="grant_reason",
            read=choice("activation", "renewal", "purchase", "bonus", "correction"),
            about="activation, renewal, purchase, bonus, correction.",
            usual="activation",
        ),
        Column(name="period_start", read=moment, about="Time; needed with granted."),
        Column(name="period_end", read=moment, about="Time; empty: until used."),
    ),
)


def _usage_rule(row: Values) -> Iterator[tuple[str, str]]:
    needed = {"call": "seconds", "data": "bytes", "sms": "count", "mms": "count"}[row["kind"]]
    if row["kind"] in ("sms", "mms") and row[needed] == 0:
        yield needed, f"a record of kind {row['kind']} needs a count of 1 or more"
    if row["started_at"] > clock.now() + FAST_CLOCK:
        yield "started_at", "it is in the future; expected a time that was"


USAGE_RECORDS = File(
    name="usage_records",
    table="usage_record",
    owner="service",
    rule=_usage_rule,
    columns=(
        own_id("record"),
        of("services", "The line that was used."),
        col("kind", choice("call", "data", "sms", "mms"), "call, data, sms, mms.", needed=True),
        col("direction", choice("out", "in"), "out or in.", usual="out"),
        col(
            "class",
            choice("on_net", "off_net", "international", "premium", "roaming"),
            "on_net, off_net, international, premium, roaming.",
            needed=True,
        ),
        col("started_at", moment, "Time, not in the future.", needed=True),
        col("seconds", whole(0, 10**9), "Length.", usual=0),
        col("bytes", whole(), "Volume.", usual=0),
        col("count", whole(0, 10**9), "Messages.", usual=0),
        col("other_party", text(40), "The other number, in full; it is masked for who may not see it."),
        col("country", country, "Two letters, when abroad."),
        amount("cost", "What it cost beyond allowances.", usual=0),
        CURRENCY,
        of("buckets", "What paid for it.", needed=False),
    ),
)
