"""What Piccolo's own command needs to know. Migrations are run by `selfcare migrate`, not by Piccolo."""

from __future__ import annotations

from piccolo.conf.apps import AppConfig

from selfcare.db.tables import all_tables
from selfcare.places import folder

APP_CONFIG = AppConfig(
    app_name="selfcare", migrations_folder_path=str(folder("migrations")), table_classes=all_tables()
)
