"""Who did what to whom, when: written in the transaction of the act, chained, and never changed."""
