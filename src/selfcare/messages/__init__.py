"""What the portal says to people by mail. Events: the list in events.py; words: templates/messages/<event>/."""
