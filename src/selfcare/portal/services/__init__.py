"""What the customer has bought, at /services."""
