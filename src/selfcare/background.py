"""What the worker can do, and what it does again and again. Every table that grows has its clean-up here."""

import asyncio
import logging
from datetime import time, timedelta
from functools import partial

from selfcare import flags
from selfcare.adapters import (
    charging_forgetting,
    mail_outbox,
    payments_embedded_forgetting,
    provisioning_embedded,
    provisioning_http,
)
from selfcare.adapters import payments_embedded_bank as bank
from selfcare.adapters.mail_outbox import NowhereSender, OutboxSender
from selfcare.adapters.mail_smtp import Relay, SmtpSender
from selfcare.adapters.payments_embedded import SimulatedGateway
from selfcare.adapters.texts_outbox import NowhereTexts, OutboxTexts
from selfcare.audit import anchors
from selfcare.db.engine import transaction
from selfcare.demo.renewals import Renewals
from selfcare.identity import grants, limits, sessions, tokens
from selfcare.imports.jobs import INVITE, Invitations
from selfcare.jobs import cleaning
from selfcare.jobs.registry import Job, Registry
from selfcare.jobs.schedule import Schedule
from selfcare.live.standing import Standing
from selfcare.messages import outbox
from selfcare.messages.outbox import Post
from selfcare.messages.rendering import Words
from selfcare.places import folder
from selfcare.portal.account.erasure import erasures
from selfcare.portal.account.export import exports
from selfcare.portal.addons import ending
from selfcare.portal.billing import bundles
from selfcare.portal.billing.papers import Printer
from selfcare.portal.billing.promise import jobs as payment_promises
from selfcare.portal.billing.recipients import jobs as recipients
from selfcare.portal.cards import jobs as cards
from selfcare.portal.orders import jobs as orders
from selfcare.portal.orders.shop import Shop
from selfcare.portal.pay import jobs as money
from selfcare.portal.pay.autopay import jobs as autopay
from selfcare.portal.pay.till import Till
from selfcare.portal.quick_topup import visits as quick_visits
from selfcare.portal.services import jobs as services
from selfcare.portal.services.plan import jobs as plan_changes
from selfcare.portal.sign_in.recovery import recoveries
from selfcare.portal.sign_up import sign_ups
from selfcare.portal.topup.auto import jobs as auto_topup
from selfcare.portal.topup.auto import topping
from selfcare.portal.topup.vouchers import vouchers
from selfcare.portal.usage import low
from selfcare.ports.charging import MAY_BE_LOW
from selfcare.ports.messages import MailSender, TextSender
from selfcare.ports.ports import Ports
from selfcare.settings import Settings
from selfcare.staff.audit_log import alarm

log = logging.getLogger(__name__)


async def work(standing: Standing, ports: Ports, stop: asyncio.Event) -> None:
    """Until `stop` is set, by the settings that are in force at each moment."""
    known, again = registry(standing.settings, ports), schedule(standing.settings)

    async def follow(settings: Settings) -> None:
        known.become(registry(settings, ports))
        again.become(schedule(settings))

    standing.follow(follow)
    await ports.jobs.run(known, again, stop)


def registry(settings: Settings, ports: Ports) -> Registry:
    known = Registry()
    recovery = recoveries.Posts(ports.messages)
    known.add("sign_in.send_reset", recovery.send_reset)
    known.add("sign_in.tell_locked", recovery.tell_locked)
    codes = sign_ups.Posts(texts(settings), settings.keys.link, sender=settings.operator.name)
    known.add(sign_ups.SEND, codes.send_code)
    known.add(outbox.SEND, post(settings).send_now, tries=outbox.TRIES)
    known.add("messages.forget_old", outbox.forget_old)
    known.add("outbox.forget_old", mail_outbox.forget_old)
    known.add("jobs.forget_old", cleaning.forget_old_jobs)
    known.add("database.optimize", cleaning.optimize_database)
    watch = _Log(settings, ports)
    known.add("audit.anchor", watch.anchor)
    known.add("audit.verify", watch.verify, tries=1, time_limit_seconds=3600)
    known.add("as.stop_overdue", _stop_visits)
    others: list[low.Looker] = []
    if "auto_topup" in flags.enabled(settings):
        auto_topup.add(known, Shop.of(ports, settings), settings.zone)
        others.append(partial(topping.look_soon, ports.jobs))
    known.add(MAY_BE_LOW, low.Watch(ports.charging, ports.jobs, others).look)
    known.add(low.TELL, low.tell([]))
    doors = quick_visits.Posts(texts(settings), settings.keys.link, sender=settings.operator.name)
    known.add(quick_visits.SEND, doors.send_code)
    known.add("quick_topup.forget_old", quick_visits.forget_old)
    known.add("topup.forget_vouchers", vouchers.forget_old)
    known.add("provisioning.forget_old", provisioning_embedded.forget_old)
    known.add("provisioning.forget_calls", provisioning_http.forget_old)
    known.add("usage.forget_old", charging_forgetting.forget_old)
    known.add("limits.forget_old", _forget_limits)
    known.add("sign_in.forget_old", _forget_sign_ins)
    known.add("services.end_due", services.end_due)
    services.add(
        known, ports.provisioning, ports.messages, settings.zone, by_request="requests" in flags.enabled(settings)
    )
    known.add(
        exports.MAKE,
        exports.Maker(ports.messages, _printer(settings)).make,
        tries=exports.TRIES,
        time_limit_seconds=3600,
    )
    known.add(erasures.ERASE, erasures.Eraser(ports.jobs, ports.messages).erase_due, time_limit_seconds=3600)
    known.add("account.forget_exports", exports.forget_old)
    known.add(INVITE, Invitations(ports.messages).invite)
    makes_bundles = bundles.Maker(_printer(settings), ports.messages).make
    known.add(bundles.MAKE, makes_bundles, tries=bundles.TRIES, time_limit_seconds=900)
    known.add("billing.forget_bundles", bundles.forget_old)
    payment_promises.add(known, ports.messages, settings.zone)
    recipients.add(known, ports.messages, settings.keys.link, settings.zone)
    money.add(known, Till.of(ports, settings))
    orders.add(known, Shop.of(ports, settings))
    ending.add(known, ports.provisioning)
    plan_changes.add(known, Shop.of(ports, settings))
    cards.add(known, Till.of(ports, settings), settings.zone)
    if "autopay" in flags.enabled(settings):
        autopay.add(known, Till.of(ports, settings), settings.zone)
    if settings.demo:
        known.add("demo.renew", Renewals(ports.charging).renew_due)
    if isinstance(ports.payments, SimulatedGateway):
        known.add(bank.DELIVER, ports.payments.hooks.deliver_now, tries=20)
        known.add(bank.DECIDE, ports.payments.decide_now)
        known.add("bank.forget_old", payments_embedded_forgetting.forget_old)
    return known


def schedule(settings: Settings) -> Schedule:
    """Nightly work is done at night where the operator is."""
    again = Schedule()
    again.every("audit.anchor", timedelta(hours=1))
    again.daily("audit.verify", at=time(3, 40), zone=settings.zone)
    again.every("as.stop_overdue", timedelta(minutes=1))
    again.every("services.end_due", timedelta(minutes=5))
    services.repeat(again)
    if settings.demo:
        again.every("demo.renew", timedelta(minutes=1))
    again.every("limits.forget_old", timedelta(hours=1))
    again.daily("sign_in.forget_old", at=time(3, 0), zone=settings.zone)
    again.every("messages.forget_old", timedelta(hours=1))
    again.every(erasures.ERASE, timedelta(hours=1))
    again.every("account.forget_exports", timedelta(hours=1))
    # For a line that was noted while the job of its seconds ran.
    again.every(MAY_BE_LOW, timedelta(minutes=5))
    again.daily("usage.forget_old", at=time(3, 20), zone=settings.zone)
    again.daily("provisioning.forget_old", at=time(3, 15), zone=settings.zone)
    again.daily("provisioning.forget_calls", at=time(3, 15), zone=settings.zone)
    again.daily("quick_topup.forget_old", at=time(3, 35), zone=settings.zone)
    again.daily("topup.forget_vouchers", at=time(3, 25), zone=settings.zone)
    again.daily("outbox.forget_old", at=time(3, 5), zone=settings.zone)
    again.daily("billing.forget_bundles", at=time(3, 20), zone=settings.zone)
    again.daily("jobs.forget_old", at=time(3, 10), zone=settings.zone)
    if settings.payments == "embedded":
        again.daily("bank.forget_old", at=time(3, 15), zone=settings.zone)
    payment_promises.repeat(again)
    recipients.repeat(again, settings.zone)
    money.repeat(again, settings.zone)
    orders.repeat(again)
    ending.repeat(again)
    plan_changes.repeat(again)
    if "auto_topup" in flags.enabled(settings):
        auto_topup.repeat(again, settings.zone)
    cards.repeat(again, settings.zone)
    if "autopay" in flags.enabled(settings):
        autopay.repeat(again)
    again.daily("database.optimize", at=time(3, 30), zone=settings.zone)
    return again


def post(settings: Settings) -> Post:
    """Sends mail the way the settings say; without a mail server it is kept in the outbox, in production nowhere."""
    theme = settings.operator
    sender: MailSender = NowhereSender() if settings.production else OutboxSender()
    if settings.mail_url:
        sender = SmtpSender(Relay.parse(settings.mail_url))
    return Post(
        sender,
        Words(folder("templates"), operator=theme, public_url=settings.public_url, zone=settings.zone),
        messages_keys(settings),
        from_name=theme.name,
        from_address=settings.mail_from or theme.support_mail,
    )


def texts(settings: Settings) -> TextSender:
    """No gateway for texts is built in yet: outside production they can be read in the outbox."""
    return NowhereTexts() if settings.production else OutboxTexts()


def _printer(settings: Settings) -> Printer:
    return Printer(settings.operator, settings.payments == "embedded", settings.zone)


def messages_keys(settings: Settings) -> tuple[bytes, ...]:
    return tuple(keys.messages for keys in settings.key_ring)


class _Log:
    """Anchors of the audit log outside the database, and the look at night whether it still fits them."""

    def __init__(self, settings: Settings, ports: Ports) -> None:
        self.settings, self.ports = settings, ports

    async def anchor(self, _job: Job) -> None:
        await anchors.write(self.settings.audit_anchors)

    async def verify(self, _job: Job) -> None:
        await alarm.look_at_night(self.settings, self.ports.messages)


async def _stop_visits(_job: Job) -> None:
    await grants.stop_overdue()


async def _forget_limits(_job: Job) -> None:
    await limits.forget_old()


async def _forget_sign_ins(_job: Job) -> None:
    async with transaction():
        await tokens.forget_old()
        await sessions.forget_old()
