"""What operators do by hand: migrate, add staff, look for trouble, find the code behind a URL."""

from collections.abc import AsyncIterator, Callable, Iterable, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any, BinaryIO
from uuid import UUID

from selfcare import doctor
from selfcare import where as finder
from selfcare.adapters.jobs_embedded import EmbeddedJobs
from selfcare.api.feeds import usage
from selfcare.app import build_ports, configure, create_app
from selfcare.audit import anchors
from selfcare.audit import log as audit
from selfcare.audit.events import Event
from selfcare.db import migrate as migrations
from selfcare.db.engine import Database, Duplicate, transaction
from selfcare.identity.passwords import Passwords
from selfcare.identity.policy import Policy
from selfcare.identity.rights import StaffRight
from selfcare.identity.tables import User
from selfcare.imports.importing import import_folder
from selfcare.kernel import clock, ids
from selfcare.kernel.errors import Conflict, Rejected
from selfcare.kernel.money import parse_amount
from selfcare.portal.topup.vouchers import batches, codes
from selfcare.progress import Progress
from selfcare.server import opened
from selfcare.settings import Settings
from selfcare.staff.audit_log import alarm

SHORTEST_STAFF_PASSWORD = 12


async def migrate(settings: Settings, *, to: str | None = None) -> list[str]:
    """What was done, a line each."""
    async with _database(settings):
        report = await migrations.migrate(to=to)
    lines = [f"The database was copied to {report.backup} first."] if report.backup else []
    lines += [f"Took back {each.id}: {each.description}." for each in report.undone]
    lines += [f"Applied {each.id}: {each.description}." for each in report.applied]
    return lines or ["There is nothing to do: the database has the schema of this version."]


async def import_files(settings: Settings, folder: Path, *, check: bool = False, invite: bool = True) -> str:
    """What was imported, in words. Raises Refused with what is wrong with the files."""
    configure(settings)
    progress = Progress()
    async with _migrated(settings):
        try:
            report = await import_folder(
                folder,
                EmbeddedJobs(),
                currency=settings.currency,
                zone=settings.zone,
                progress=progress,
                keys=settings.sim_keys,
                invite=invite,
                keep=not check,
            )
        finally:
            progress.end()
    return f"{report}\nNothing was imported: this was only a check." if check else str(report)


async def add_staff(settings: Settings, email: str, name: str, *, rights: tuple[str, ...], password: str) -> str:
    """A person who may sign in to the staff console. Raises Rejected or Conflict in words."""
    email, name = email.strip(), name.strip()
    _check_person(email, name)
    _check_password(password, Policy.of(settings), email=email, name=name)
    granted = _known(rights or (StaffRight.VIEW_CUSTOMER.value,))
    configure(settings)
    passwords = Passwords(memory_kib=settings.argon2_memory_kib, passes=settings.argon2_passes, threads=2)
    try:
        hashed = await passwords.hash(password)
    finally:
        passwords.close()
    async with _migrated(settings):
        try:
            async with transaction():
                user_id = await _insert(email, name, granted, hashed)
                await audit.record(audit.SYSTEM, Event.STAFF_ADDED, about=user_id, rights=granted)
        except Duplicate as error:
            raise Conflict(f"Somebody with the address {email} is here already.") from error
    return f"{name} may now sign in as {email} with the rights: {', '.join(granted)}."


async def examine(say: Callable[[str], object]) -> bool:
    """Tells every finding as it is made; True when nothing stops Selfcare."""
    well = True
    async for finding in doctor.examine():
        well = well and not finding.bad
        say(f"{'✗' if finding.bad else '!' if finding.mend else '✓'} {finding.what}")
        if finding.mend:
            say(f"    {finding.mend}")
    say("All is well." if well else "Not all is well: the lines with ✗ say what to do.")
    return well


async def verify(settings: Settings, say: Callable[[str], object], log_lines: Iterable[str] = ()) -> bool:
    """Tells every place where the audit log was changed; True when there is none."""
    configure(settings)
    async with _migrated(settings):
        kept = [*anchors.found_in(log_lines), *await anchors.read(settings.audit_anchors)]
        breaks = await alarm.look(settings, build_ports(settings).messages, kept)
    for broken in breaks:
        say(f"✗ {broken}")
    say("The audit log was changed." if breaks else "Nobody changed the audit log.")
    return not breaks


@dataclass(frozen=True, slots=True)
class Fed:
    counted: int = 0
    repeated: int = 0
    refused: int = 0


async def feed(settings: Settings, file: BinaryIO, *, say: Callable[[str], object]) -> Fed:
    """Counts the use in a file of any length; tells why a line was refused."""
    fed, before = Fed(), 0
    async with _migrated(settings):
        charging = build_ports(settings).charging
        for lines in usage.lines_of(file):
            taken = await usage.feed(charging, [line for line in lines if line.strip()])
            numbers = [number for number, line in enumerate(lines, before + 1) if line.strip()]
            for each in taken.refused:
                say(f"Line {numbers[each.at]}{f' ({each.id})' if each.id else ''}: {each.why}")
            fed = Fed(fed.counted + taken.counted, fed.repeated + taken.repeated, fed.refused + len(taken.refused))
            before += len(lines)
    return fed


async def make_vouchers(settings: Settings, count: int, **worth: str | None) -> list[str]:
    """Their codes, as they are printed. Raises Rejected."""
    async with _migrated(settings):
        made = await batches.make(count=count, **_batch(settings, **worth))
    return [codes.show(code) for code in made]


async def import_vouchers(settings: Settings, lines: Iterable[str], **worth: str | None) -> int:
    """How many. Raises Rejected."""
    async with _migrated(settings):
        return await batches.bring(lines=lines, **_batch(settings, **worth))


def _batch(
    settings: Settings, *, name: str | None, credit: str | None, product: str | None, until: str | None
) -> dict[str, Any]:
    if (credit is None) == (product is None):
        raise Rejected("Say what a voucher is worth: either --credit or --product.")
    try:
        last = date.fromisoformat(until) if until else None
    except ValueError:
        raise Rejected("--until takes a date like 2027-12-31.") from None
    money = parse_amount(credit, settings.currency) if credit else None
    return {
        "name": name or "vouchers",
        "worth": batches.Worth(money, product),
        "until": clock.midnight(last, settings.zone, days=1) if last else None,
        "currency": settings.currency,
        "key": settings.keys.link,
    }


def where(settings: Settings, url: str) -> Iterator[str]:
    found = finder.find(create_app(settings).inside, url)
    if not found:
        yield f"Nothing answers {url}."
    for place in found:
        yield f"{place.methods} {place.path}  ({place.name})"
        yield f"    {_here(place.file)}:{place.line}  {place.function}"
        yield from (f"    {_here(template)}" for template in place.templates)


@asynccontextmanager
async def _database(settings: Settings) -> AsyncIterator[Database]:
    database = await opened(settings.database_url)
    try:
        yield database
    finally:
        await database.close()


@asynccontextmanager
async def _migrated(settings: Settings) -> AsyncIterator[None]:
    async with _database(settings):
        if missing := await migrations.pending():
            raise Rejected(f"The database lacks {len(missing)} migrations. Run: selfcare migrate")
        yield


async def _insert(email: str, name: str, rights: list[str], password_hash: str) -> UUID:
    now, user_id = clock.now(), ids.new_id()
    await User.insert(
        User(
            id=user_id,
            email=email,
            email_verified_at=now,
            display_name=name,
            password_hash=password_hash,
            password_changed_at=now,
            language="en",
            theme="system",
            staff_rights=rights,
            created_at=now,
        )
    )
    return user_id


def _check_person(email: str, name: str) -> None:
    local, _, domain = email.partition("@")
    if not local or "." not in domain or " " in email or len(email) > 254:
        raise Rejected(f"{email!r} is no e-mail address.")
    if not 1 <= len(name) <= 100:
        raise Rejected("A name has from 1 to 100 letters.")


def _check_password(password: str, policy: Policy, *, email: str, name: str) -> None:
    """The rule for everybody, and a little longer."""
    if len(password) < SHORTEST_STAFF_PASSWORD:
        raise Rejected(f"A staff password has at least {SHORTEST_STAFF_PASSWORD} characters.")
    policy.check(password, email=email, name=name)


def _known(rights: tuple[str, ...]) -> list[str]:
    known = [right.value for right in StaffRight]
    for right in rights:
        if right not in known:
            raise Rejected(f"{right!r} is no right of staff. There are: {', '.join(known)}.")
    return list(dict.fromkeys(rights))


def _here(file: Path) -> str:
    return str(file.relative_to(Path.cwd())) if file.is_relative_to(Path.cwd()) else str(file)
