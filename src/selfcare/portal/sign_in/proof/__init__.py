"""Confirming who it is. URL: /sign-in/prove. Audit: sign_in.proved, sign_in.proof_failed."""
