"""How to reach us, for everybody, signed in or not. URL: /help."""
