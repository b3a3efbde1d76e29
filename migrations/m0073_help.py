"""What people said about help articles, and which tips they do not want to see again."""

ID = "0073"
DESCRIPTION = "answers to help articles and dismissed tips"

FORWARDS = (
    """
    CREATE TABLE article_answer (
        user_id UUID NOT NULL REFERENCES app_user (id),
        article VARCHAR(60) NOT NULL CHECK (length(article) BETWEEN 1 AND 60),
        helped BOOLEAN NOT NULL,
        at TIMESTAMPTZ NOT NULL,
        PRIMARY KEY (user_id, article)
    )
    """,
    "CREATE INDEX article_answer_by_article ON article_answer (article, helped)",
    """
    CREATE TABLE dismissed_tip (
        user_id UUID NOT NULL REFERENCES app_user (id),
        tip VARCHAR(40) NOT NULL CHECK (length(tip) BETWEEN 1 AND 40),
        at TIMESTAMPTZ NOT NULL,
        PRIMARY KEY (user_id, tip)
    )
    """,
)

BACKWARDS = (
    "DROP TABLE dismissed_tip",
    "DROP INDEX article_answer_by_article",
    "DROP TABLE article_answer",
)
