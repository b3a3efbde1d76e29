"""What the named people have asked, and how far it is."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from selfcare.db.prepared import Prepared, fetch, insert_many
from selfcare.demo import people
from selfcare.demo.people import BLOOM, Someone, fixed
from selfcare.demo.timeline import Timeline
from selfcare.portal.account.tables import CustomerRequest, Reply
from selfcare.portal.billing.questions import PAUSE
from selfcare.portal.billing.tables import Question

_PAID_LINE = Prepared.sql(
    """
    SELECT t.id AS id, t.description AS description, i.id AS invoice_id, i.number AS number
      FROM billing_transaction t JOIN invoice i ON i.id = t.invoice_id
     WHERE t.customer_id = :customer_id AND t.kind = 'charge' AND i.state = 'settled'
     ORDER BY i.date DESC, i.number DESC, t.amount_minor DESC, t.id LIMIT 1
    """
)


class _Desk:
    def __init__(self) -> None:
        self.requests: list[dict[str, Any]] = []
        self.replies: list[dict[str, Any]] = []

    def ask(
        self, key: str, who: Someone, at: datetime, kind: str, text: str, state: str = "open", **more: Any
    ) -> dict[str, Any]:
        assert who.home is not None
        id = fixed(f"request/{key}")
        row = {
            "id": id,
            "customer_id": who.home.id,
            "user_id": who.id,
            "reference": f"REQ-{id.hex[:8].upper()}",
            "kind": kind,
            "state": state,
            "text": text,
            "about_words": "",
            "request_key": f"demo-{id.hex}",
            "created_at": at,
            "changed_at": at,
        } | more
        self.requests.append(row)
        return row

    def say(self, request: dict[str, Any], who: Someone, at: datetime, text: str) -> None:
        self.replies.append(
            {
                "id": fixed(f"reply/{request['id']}/{len(self.replies)}"),
                "customer_id": request["customer_id"],
                "request_id": request["id"],
                "user_id": who.id,
                "by_staff": who.home is None,
                "text": text,
                "created_at": at,
            }
        )
        request["changed_at"] = at


async def add_requests(when: Timeline) -> None:
    """Inside `transaction()`, after the bills."""
    desk = _Desk()
    _of_asha(desk, when)
    line = (await fetch(_PAID_LINE.bind(customer_id=BLOOM.id)))[0]
    questioned = _of_bloom(desk, when, line)
    await insert_many(CustomerRequest, desk.requests)
    await insert_many(Reply, desk.replies)
    await insert_many(Question, [questioned])


def _of_asha(desk: _Desk, when: Timeline) -> None:
    moved = desk.ask(
        "asha/site",
        people.ASHA,
        when.at(-40, 18),
        "site_change",
        "The house number is 14, not 41. The engineer rang at the wrong door.",
        "done",
        about=fixed("site/asha"),
        about_words="Home, 14 Larch Road",
    )
    desk.say(moved, people.DINA, when.at(-39, 10), "Thank you, it is right now. The engineer has the new address too.")
    desk.ask(
        "asha/type",
        people.ASHA,
        when.at(-20, 9),
        "customer_type",
        "I work for myself now. Shall I become a business customer?",
        "withdrawn",
        changed_at=when.at(-19, 9),
    )
    missing = desk.ask(
        "asha/merge",
        people.ASHA,
        when.at(-2, 11),
        "merge",
        "My mother's number should be on my account, but I cannot see it.",
        "waiting_customer",
    )
    desk.say(
        missing, people.ELI, when.at(-1, 15), "We would like to help. Which number is it, and whose name is on it?"
    )


def _of_bloom(desk: _Desk, when: Timeline, line: dict[str, Any]) -> dict[str, Any]:
    disputed = desk.ask(
        "bloom/dispute",
        people.GWEN,
        when.at(-1, 10),
        "dispute",
        "We returned this line in September. It should not be on the bill.",
        about=line["id"],
        about_words=f"Bill {line['number']}: {line['description']}"[:200],
    )
    transfer = desk.ask(
        "bloom/transfer",
        people.HANA,
        when.at(-12, 14),
        "transfer",
        "Please hand one of our lines to Femi Adeyemi, who leaves us.",
        "declined",
    )
    desk.say(
        transfer,
        people.DINA,
        when.at(-11, 9),
        "The new owner has not agreed yet. Ask again once he has signed up with us.",
    )
    desk.ask(
        "bloom/contact",
        people.HANA,
        when.at(-3, 9),
        "contact_change",
        "Reception has a new number from Monday: 0113 496 0199.",
        about=fixed("contact/bloom-desk"),
        about_words="Reception",
    )
    return {
        "id": fixed("question/bloom"),
        "customer_id": BLOOM.id,
        "invoice_id": line["invoice_id"],
        "line_id": line["id"],
        "request_id": disputed["id"],
        "asked_at": disputed["created_at"],
        "paused_until": disputed["created_at"] + PAUSE,
    }
