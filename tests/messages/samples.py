"""Values for every message: as people are, and as ugly as they may get."""

from __future__ import annotations

from datetime import UTC, date, datetime
from pathlib import Path

from selfcare.kernel.money import Money
from selfcare.messages.events import Message
from selfcare.messages.rendering import Words
from selfcare.places import folder
from selfcare.theme import load

AT = datetime(2026, 11, 22, 19, 4, tzinfo=UTC)
PLAIN: dict[str, object] = {
    "why": "failures",
    "most": Money(4000, "GBP"),
    "customer": "Bloom Ltd",
    "inviter": "Asha Rao",
    "role": "payer",
    "until": datetime(2026, 11, 22, 20, 4, tzinfo=UTC),
    "at": AT,
    "path": "/sign-in/reset?token=SECRET-TOKEN",
    "stop": "/billing/recipients/stop?token=SECRET-TOKEN",
    "new_address": "asha.new@example.test",
    "device": "Firefox on Android",
    "phone": "+44 ••• 123",
    "country": "GB",
    "failures": 5,
    "left": 7,
    "person": "Ben Rao",
    "kind": "Change of address",
    "state": "done",
    "amount": Money(2400, "GBP"),
    "surplus": Money(150, "GBP"),
    "by_card": Money(700, "GBP"),
    "as_credit": Money(300, "GBP"),
    "ready": "World Roaming, 7 days, Speed Boost, 3 days",
    "missing": "5 GB extra data",
    "lost": "World Roaming, 7 days",
    "back": Money(500, "GBP"),
    "reference": "PAY-7K3M9Q2X",
    "payer": "Asha's aunt",
    "note": "CN-2026-000012",
    "tax": Money(400, "GBP"),
    "what": "Bill INV-2026-001234",
    "bill": "INV-2026-001234",
    "on": date(2026, 12, 6),
    "card": "Visa 4242",
    "approval": False,
    "simulated": True,
    "staff": "Dina",
    "service": "Mobile - +44 7700 900123",
    "plan": "Lark 5",
    "plan_stays": True,
    "stays": "On",
    "over": False,
    "kept_until": datetime(2026, 12, 22, 19, 4, tzinfo=UTC),
    "reason": "Could not find the last bill",
    "n": 3,
    "charged": True,
    "first": "system 7: This entry is gone.",
}
CHANGES = {
    Message.ACCOUNT_SECOND_FACTOR_CHANGED: (
        *("totp_added", "totp_removed", "passkey_added", "passkey_removed", "codes_made", "reset_by_support"),
    ),
    Message.ACCOUNT_PEOPLE_CHANGED: ("invited", "joined", "changed", "removed"),
}
STATES = ("open", "waiting_customer", "done", "declined")
UGLY = (
    "Müßig & Søn <script>alert('x')</script>\r\nBcc: everybody@example.test\r\n\r\n"
    "https://evil.example/pay \u202egnp.exe %(name)s {{ 7*7 }} " + "W" * 400
)


def words(public_url: str = "https://my.lark.example") -> Words:
    return Words(folder("templates"), operator=load(None), public_url=public_url, zone="Europe/London")


def values_of(message: Message) -> dict[str, object]:
    values = {name: PLAIN[name] for name in message.allowed - {"change"}}
    if message in CHANGES:
        values["change"] = CHANGES[message][0]
    return values


def ugly_values_of(message: Message) -> dict[str, object]:
    closed = {"path", "stop", "change", "state"}
    return {
        name: UGLY if isinstance(value, str) and name not in closed else value
        for name, value in values_of(message).items()
    }


def templates_of(message: Message) -> list[Path]:
    return [
        folder("templates") / "messages" / message.value / part for part in ("subject.txt", "body.txt", "body.html")
    ]
