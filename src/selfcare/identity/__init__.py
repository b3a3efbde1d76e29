"""Who is asking, and what may they do: people, sign-ins, rights and the permission table."""
