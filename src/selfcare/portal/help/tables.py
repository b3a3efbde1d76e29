"""What people said about articles and tips."""

from __future__ import annotations

from piccolo.columns import UUID, Boolean, Timestamptz, Varchar
from piccolo.table import Table


class ArticleAnswer(Table, tablename="article_answer"):
    """One answer per person and article, the latest."""

    user_id = UUID(primary_key=True, default=None)
    article = Varchar(60, primary_key=True)
    helped = Boolean(default=None)
    at = Timestamptz(default=None)


class DismissedTip(Table, tablename="dismissed_tip"):
    user_id = UUID(primary_key=True, default=None)
    tip = Varchar(40, primary_key=True)
    at = Timestamptz(default=None)
