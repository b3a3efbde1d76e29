"""What Piccolo asks for its engine and its apps: the open database, else the one the environment names."""

from __future__ import annotations

import os
from typing import Any

from piccolo.conf.apps import AppRegistry

from selfcare.db import engine

APP_REGISTRY = AppRegistry(apps=["selfcare.db.piccolo_app"])


def __getattr__(name: str) -> Any:
    if name != "DB":
        raise AttributeError(name)
    if engine.is_open():
        return engine.database().engine
    return engine.make_engine(os.environ.get("SELFCARE_DATABASE_URL", "sqlite:///var/selfcare.db"))
