"""Work in the background that was given up. URL: /staff/jobs. Audit: job.retried."""
