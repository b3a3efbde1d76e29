"""What the customer has bought.

URLs: /services, /services/{id}. Audit prefix: services.
"""
