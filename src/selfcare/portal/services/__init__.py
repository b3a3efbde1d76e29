"""What the customer has bought, and the little that may be changed on it.

URLs: /services, /services/{id} with name, renewal and cancel. Audit prefix: services.
"""
