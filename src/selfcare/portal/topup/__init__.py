"""What can be added to a service. URLs: /topup, /topup/{service_id}. Audit prefix: topup."""
