"""Bills that are paid by themselves, at /pay/autopay."""
