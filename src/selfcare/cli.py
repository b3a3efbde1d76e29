"""The console script `selfcare`. Calls only: what a command does stands in the module it calls."""

import asyncio
from functools import partial
from pathlib import Path
from typing import Any, BinaryIO, TextIO

import click

from selfcare.settings import BadSettings, Settings


class InWords(click.Group):
    """Whatever is expected to go wrong is told in words, without a traceback."""

    def invoke(self, ctx: click.Context) -> Any:
        from selfcare.db.migrate import MigrationFailed
        from selfcare.imports.problems import Refused
        from selfcare.kernel.errors import SelfcareError
        from selfcare.server import CannotStart

        try:
            return super().invoke(ctx)
        except (BadSettings, CannotStart, MigrationFailed, Refused, SelfcareError) as error:
            raise click.ClickException("\n  ".join(("", *str(error).splitlines()))) from error
        except KeyboardInterrupt:
            click.echo("\nStopped.")
            return None


@click.group(cls=InWords, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="selfcare")
def main() -> None:
    """The self-care portal of a mobile or internet operator.

    Settings come from environment variables; docs/settings.md lists them.
    """


@main.command()
@click.option("--host", default="127.0.0.1", show_default=True, help="0.0.0.0 lets a phone on the same network in.")
@click.option("--port", default=8000, show_default=True, type=click.IntRange(0, 65535))
@click.option("--data", default="var/demo", show_default=True, type=click.Path(path_type=Path), help="Its folder.")
@click.option("--fresh", is_flag=True, help="Forget what was done before and begin anew.")
@click.option("--customers", default=0, type=click.IntRange(0, 1_000_000), help="So many generated customers more.")
@click.option("--now", "at", help="Start the clock there, like 2026-12-01T09:00.")
@click.option("--public-url", help="The address people type; follows host and port by default.")
def demo(**options: Any) -> None:
    """Try everything: an operator with customers, bills and a pretended bank."""
    from selfcare.demonstrate import Wishes, demonstrate

    demonstrate(Wishes(**options))


@main.command()
@click.option("--host", default="127.0.0.1", show_default=True)
@click.option("--port", default=8000, show_default=True, type=click.IntRange(0, 65535))
@click.option("--workers", default=1, show_default=True, type=click.IntRange(1, 64), help="Web processes; SQLite: 3.")
@click.option("--jobs/--no-jobs", default=True, show_default=True, help="Also run background jobs here.")
def serve(host: str, port: int, workers: int, jobs: bool) -> None:
    """Serve the portal."""
    from selfcare import server

    server.serve(Settings.from_env(), host=host, port=port, workers=workers, jobs=jobs)


@main.command()
def worker() -> None:
    """Run background jobs only."""
    from selfcare import server

    server.work(Settings.from_env())


@main.command()
@click.option("--to", help="Stop at this migration, or go back to it: 0003. 0000 takes back everything.")
def migrate(to: str | None) -> None:
    """Bring the database to the schema of this version."""
    from selfcare import upkeep

    for line in asyncio.run(upkeep.migrate(Settings.from_env(), to=to)):
        click.echo(line)


@main.command("import")
@click.argument("folder", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option("--check", is_flag=True, help="Only check the files; nothing is imported.")
@click.option("--invite/--no-invite", default=True, show_default=True, help="Invite new people by mail.")
def import_(folder: Path, check: bool, invite: bool) -> None:
    """Bring in your own customers, services, usage and bills from CSV files; docs/import.md describes them."""
    from selfcare import upkeep

    click.echo(asyncio.run(upkeep.import_files(Settings.from_env(), folder, check=check, invite=invite)))


@main.command("staff-add")
@click.argument("email")
@click.option("--name", prompt=True)
@click.option("--right", "rights", multiple=True, help="support, impersonate or admin; may be repeated.")
@click.password_option()
def staff_add(email: str, name: str, rights: tuple[str, ...], password: str) -> None:
    """Add somebody to the staff."""
    from selfcare import upkeep

    click.echo(asyncio.run(upkeep.add_staff(Settings.from_env(), email, name, rights=rights, password=password)))


@main.command()
def doctor() -> None:
    """Check settings, database, mail, disk and clock, and say how to mend what is wrong."""
    from selfcare import upkeep

    if not asyncio.run(upkeep.examine(click.echo)):
        raise SystemExit(1)


@main.command()
@click.argument("url")
def where(url: str) -> None:
    """Show which code answers a URL: handler, file, line, templates."""
    from selfcare import upkeep

    for line in upkeep.where(Settings.from_env(), url):
        click.echo(line)


@main.group()
def vouchers() -> None:
    """Codes that are worth credit or a top-up, once."""


def _worth(command: Any) -> Any:
    """The options that say what a voucher is worth."""
    for option in (
        click.option("--until", metavar="DATE", help="The last day they work, like 2027-12-31; without it for ever."),
        click.option("--product", metavar="SLUG", help="Each is worth this top-up of the catalogue."),
        click.option("--credit", metavar="AMOUNT", help="Each is worth this much credit, like 10.00."),
        click.option("--name", default="vouchers", show_default=True, help="What this batch is called, for yourself."),
    ):
        command = option(command)
    return command


@vouchers.command("make")
@click.option("--count", required=True, type=click.IntRange(1, 100_000))
@_worth
def make_vouchers(count: int, **worth: Any) -> None:
    """Print new codes, one a line. They are shown this once: nobody can read them out of the database."""
    from selfcare import upkeep

    for code in asyncio.run(upkeep.make_vouchers(Settings.from_env(), count, **worth)):
        click.echo(code)


@vouchers.command("import")
@click.argument("file", type=click.File())
@_worth
def import_vouchers(file: TextIO, **worth: Any) -> None:
    """Take in the codes in FILE, one a line, that were printed elsewhere; - reads what is piped in."""
    from selfcare import upkeep

    click.echo(f"Took in {asyncio.run(upkeep.import_vouchers(Settings.from_env(), file, **worth)):,} vouchers.")


@main.group()
def audit() -> None:
    """The log of who did what."""


@audit.command()
@click.option("--anchors", type=click.File(), help="A log of the worker: what it noted must still be there.")
def verify(anchors: TextIO | None) -> None:
    """Check that nobody changed or removed an entry."""
    from selfcare import upkeep

    if not asyncio.run(upkeep.verify(Settings.from_env(), click.echo, anchors or ())):
        raise SystemExit(1)


@main.command()
@click.argument("file", type=click.File("rb"))
def feed(file: BinaryIO) -> None:
    """Count the use in FILE, one JSON record on each line; - reads what is piped in. May be repeated."""
    from selfcare import upkeep

    taken = asyncio.run(upkeep.feed(Settings.from_env(), file, say=partial(click.echo, err=True)))
    click.echo(f"Counted {taken.counted:,}, known before {taken.repeated:,}, refused {taken.refused:,}.")
    if taken.refused:
        raise SystemExit(1)
