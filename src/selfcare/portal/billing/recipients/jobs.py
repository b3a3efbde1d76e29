"""What the worker does about copies of bills."""

from __future__ import annotations

from datetime import time, timedelta

from selfcare.jobs.registry import Registry
from selfcare.jobs.schedule import Schedule
from selfcare.portal.billing.recipients import copies, recipients
from selfcare.ports.messages import Messages

SEND = "billing.send_copies"


def add(known: Registry, messages: Messages, key: bytes, zone: str) -> None:
    known.add(SEND, copies.Sender(messages, key, zone).send_new)
    known.add("billing.forget_recipients", recipients.forget_old)
    known.add("billing.forget_copies", copies.forget_old)


def repeat(again: Schedule, zone: str) -> None:
    again.every(SEND, timedelta(minutes=5))
    again.daily("billing.forget_recipients", at=time(3, 20), zone=zone)
    again.daily("billing.forget_copies", at=time(3, 20), zone=zone)
