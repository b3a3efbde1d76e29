"""Where a person is signed in, and ending it. URLs: /account/sign-ins. Audit: account.session_ended, sessions_ended."""
