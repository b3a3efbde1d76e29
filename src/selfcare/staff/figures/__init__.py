"""How the portal is doing, and lists worth a call. URLs: /staff/figures, /staff/lists."""
