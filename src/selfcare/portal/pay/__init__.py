"""A payment on its way: for bills, top-ups and add-ons alike.

URLs: /pay/… and the gateways' webhooks at /hooks/payments/{adapter}. Audit prefix: pay.
"""
