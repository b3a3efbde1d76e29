"""Ways back without help. URLs: /sign-in/forgot, reset, not-me. Audit: sign_in.reset_asked, reset_done, disowned."""
