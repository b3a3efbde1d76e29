"""What people ask and what we answer: found by words, and whether it helped."""

from __future__ import annotations

from selfcare.db.engine import transaction
from selfcare.db.prepared import Prepared, execute, fetch, fetch_one
from selfcare.identity.identity import Identity
from selfcare.kernel import clock
from selfcare.kernel.errors import NotFound
from selfcare.portal.help import texts
from selfcare.portal.help.article import Article, search

_SAY = Prepared.sql(
    """
    INSERT INTO article_answer (user_id, article, helped, at) VALUES (:user_id, :article, :helped, :now)
    ON CONFLICT (user_id, article) DO UPDATE SET helped = excluded.helped, at = excluded.at
    """
)
_SAID = Prepared.sql("SELECT helped FROM article_answer WHERE user_id = :user_id AND article = :article")
_HELPED = Prepared.sql("SELECT article, count(*) AS n FROM article_answer WHERE helped GROUP BY article")


async def find(text: str) -> list[Article]:
    """What fits the words, the best first; without words everything, what helped most people first."""
    everything = texts.everything()
    if text:
        return search(text, everything)
    helped = {row["article"]: row["n"] for row in await fetch(_HELPED.bind())}
    return sorted(everything, key=lambda article: -helped.get(article.slug, 0))


def get(slug: str) -> Article:
    for article in texts.everything():
        if article.slug == slug:
            return article
    raise NotFound


async def say_whether_it_helped(identity: Identity, slug: str, *, helped: bool) -> None:
    """One answer a person, the latest. Raises NotFound."""
    article = get(slug)
    async with transaction():
        await execute(_SAY.bind(user_id=identity.actor_id, article=article.slug, helped=helped, now=clock.now()))


async def said(identity: Identity, slug: str) -> bool | None:
    row = await fetch_one(_SAID.bind(user_id=identity.actor_id, article=slug))
    return None if row is None else bool(row["helped"])
