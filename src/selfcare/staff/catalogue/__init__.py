"""What is sold, edited by staff. URLs: /staff/catalogue…. Audit: staff.catalogue_changed."""
