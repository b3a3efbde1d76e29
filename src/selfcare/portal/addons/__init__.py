"""What extra runs on a service. URLs: /addons, /addons/{service_id}. Audit prefix: addons."""
