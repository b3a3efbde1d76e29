"""How a person proves who they are: password, second step, backup codes, passkeys.

URLs: /account/security, /account/security/app, /account/security/codes, /account/security/passkeys, /account/password.
Audit: account.second_factor_added, account.second_factor_removed, account.backup_codes_made, account.password_changed.
"""
