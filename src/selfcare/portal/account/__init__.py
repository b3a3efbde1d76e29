"""Who the customer is: contacts, sites and details, at /account."""
