"""The statement of account: what was asked for, what was paid, and what was owed in between."""
