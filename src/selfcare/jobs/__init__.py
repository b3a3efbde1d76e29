"""Which work there is, what of it recurs, and the rows it waits in."""
