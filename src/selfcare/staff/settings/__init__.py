"""What staff change while the portal runs. URLs: /staff/settings…. Audit: settings.changed."""
