"""What customers are found by, and what staff note about them."""

from __future__ import annotations

from piccolo.columns import UUID, Timestamptz, Varchar
from piccolo.table import Table


class SearchWord(Table, tablename="search_word"):
    """Kept by triggers. `key` is a name, or what is left of it after a space, or an address, in small letters; then a
    tab and `about`: the customer or the contact who is called so."""

    key = Varchar(300, primary_key=True, default=None)
    customer_id = UUID(default=None)
    about = UUID(default=None)


class CustomerNote(Table, tablename="customer_note"):
    """For staff only; nothing the customer sees ever reads it."""

    id = UUID(primary_key=True, default=None)
    customer_id = UUID(default=None)
    author_id = UUID(default=None)
    words = Varchar(2000)
    created_at = Timestamptz(default=None)
