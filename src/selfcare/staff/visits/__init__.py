"""Opening a customer's portal as support. URLs: /staff/visits…, "Login as User" below /staff/customers. Audit: as.…"""
