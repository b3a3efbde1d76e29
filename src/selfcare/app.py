"""Builds the application: routers in the order people meet them, wrappers, error pages, start and stop. The only file that knows all."""

from __future__ import annotations

from asyncio import Event, create_task
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager

from litestar import Litestar, Router
from litestar.di import NamedDependency, Provide
from litestar.exceptions import HTTPException
from litestar.types import ASGIApp

from selfcare import places
from selfcare.audit import log as audit
from selfcare.db.engine import close_database, open_database
from selfcare.identity.identity import Identity
from selfcare.identity.passwords import Passwords
from selfcare.jobs.registry import Registry
from selfcare.jobs.schedule import Schedule
from selfcare.kernel.errors import SelfcareError
from selfcare.ports.ports import Ports
from selfcare.settings import Settings
from selfcare.theme import Theme
from selfcare.web import errors, health
from selfcare.web.assets import Assets
from selfcare.web.context import Site, context_of
from selfcare.web.cookies import Cookies
from selfcare.web.guards import gatekeeper
from selfcare.web.templating import Templates
from selfcare.web.urls import Urls
from selfcare.web.wrappers import Outside
