"""People, customers, sign-ins and one-time links."""

from __future__ import annotations

from piccolo.columns import JSONB, UUID, BigInt, Boolean, Date, Text, Timestamptz, Varchar
from piccolo.table import Table


class Customer(Table, tablename="customer"):
    id = UUID(primary_key=True, default=None)
    number = Varchar(32, unique=True)
    name = Varchar(160)
    type = Varchar(16)
    status = Varchar(16)
    pays = Varchar(16)
    enabled = Boolean()
    tax_id = Varchar(40, null=True, default=None)
    currency = Varchar(3)
    zone = Varchar(64)
    language = Varchar(16)
    contract_start = Date(null=True, default=None)
    contract_end = Date(null=True, default=None)
    billing_address = Text()
    primary_contact_id = UUID(null=True, default=None)
    created_at = Timestamptz(default=None)
    external_id = Varchar(80, null=True, default=None, unique=True)


class User(Table, tablename="app_user"):
    id = UUID(primary_key=True, default=None)
    email = Varchar(254)
    email_verified_at = Timestamptz(null=True, default=None)
    pending_email = Varchar(254, null=True, default=None)
    phone = Varchar(20, null=True, default=None)
    display_name = Varchar(100)
    password_hash = Varchar(255, null=True, default=None)
    password_changed_at = Timestamptz(null=True, default=None)
    totp_secret = Text(null=True, default=None)
    totp_last_step = BigInt(null=True, default=None)
    totp_since = Timestamptz(null=True, default=None)
    second_step_asked_at = Timestamptz(null=True, default=None)
    language = Varchar(16)
    theme = Varchar(16)
    zone = Varchar(64, null=True, default=None)
    staff_rights = JSONB(null=True, default=None)
    disabled_at = Timestamptz(null=True, default=None)
    created_at = Timestamptz(default=None)
    external_id = Varchar(80, null=True, default=None, unique=True)


class Membership(Table, tablename="membership"):
    id = UUID(primary_key=True, default=None)
    user_id = UUID(default=None)
    customer_id = UUID(default=None)
    role = Varchar(16)
    service_ids = JSONB(null=True, default=None)
    invited_at = Timestamptz(null=True, default=None)
    accepted_at = Timestamptz(null=True, default=None)
    removed_at = Timestamptz(null=True, default=None)


class Session(Table, tablename="session"):
    """A sign-in. `id_hash` is the SHA-256 of the cookie's token; the token itself is stored nowhere."""

    id_hash = Varchar(64, primary_key=True, default=None)
    public_id = UUID(default=None, unique=True)
    user_id = UUID(default=None)
    customer_id = UUID(null=True, default=None)
    created_at = Timestamptz(default=None)
    last_seen_at = Timestamptz(default=None)
    proved_at = Timestamptz(null=True, default=None)
    idle_seconds = BigInt(default=None)
    ends_at = Timestamptz(default=None)
    shared_device = Boolean(default=False)
    address = Varchar(64)
    device = Varchar(200)
    revoked_at = Timestamptz(null=True, default=None)


class Readiness(Table, tablename="readiness"):
    """One row that `/readyz` writes, because a database that only reads is not ready."""

    id = BigInt(primary_key=True, default=None)
    at = Timestamptz(default=None)


class KeptForm(Table, tablename="kept_form"):
    """What somebody had typed when the sign-in ran out, kept for the same person for half an hour."""

    id = UUID(primary_key=True, default=None)
    user_id = UUID(default=None)
    path = Varchar(500)
    fields = JSONB(default=None)
    expires_at = Timestamptz(default=None)


class Attempt(Table, tablename="attempt"):
    """How often something was tried in the current window. `key` is a keyed hash: no address stands here."""

    key = Varchar(64, primary_key=True, default=None)
    used = BigInt(default=0)
    window_ends_at = Timestamptz(default=None)


class SignInLock(Table, tablename="sign_in_lock"):
    """Tries at one identifier, whether or not anybody has it. `claimed` counts before the hash, `failed` after."""

    key = Varchar(64, primary_key=True, default=None)
    claimed = BigInt(default=0)
    failed = BigInt(default=0)
    window_ends_at = Timestamptz(default=None)
    locked_until = Timestamptz(null=True, default=None)
    locks_on = Date(null=True, default=None)
    locks = BigInt(default=0)


class OneTimeToken(Table, tablename="one_time_token"):
    """A link that works once. `hash` is the SHA-256 of the token in it."""

    hash = Varchar(64, primary_key=True, default=None)
    purpose = Varchar(32)
    user_id = UUID(null=True, default=None)
    data = JSONB(default="{}")
    created_at = Timestamptz(default=None)
    expires_at = Timestamptz(default=None)
    used_at = Timestamptz(null=True, default=None)


class BackupCode(Table, tablename="backup_code"):
    """One of ten. `slot` is the code's first character, so that checking costs one hash."""

    id = UUID(primary_key=True, default=None)
    user_id = UUID(default=None)
    slot = Varchar(1)
    hash = Varchar(255)
    used_at = Timestamptz(null=True, default=None)
    created_at = Timestamptz(default=None)


class KnownDevice(Table, tablename="known_device"):
    """A browser a person has signed in from; `hash` is over its cookie and the person. It grants nothing."""

    hash = Varchar(64, primary_key=True, default=None)
    user_id = UUID(default=None)
    first_seen_at = Timestamptz(default=None)


class RememberedSignIn(Table, tablename="remembered_sign_in"):
    """ "Keep me signed in": a series per phone whose token changes at each use; an old token betrays a thief."""

    series = Varchar(64, primary_key=True, default=None)
    user_id = UUID(default=None)
    token_hash = Varchar(64)
    previous_hash = Varchar(64, null=True, default=None)
    rotated_at = Timestamptz(default=None)
    expires_at = Timestamptz(default=None)
    device = Varchar(200)
    revoked_at = Timestamptz(null=True, default=None)


class Passkey(Table, tablename="passkey"):
    """A WebAuthn credential; ids and keys in base64url."""

    id = UUID(primary_key=True, default=None)
    user_id = UUID(default=None)
    credential_id = Varchar(1400, unique=True)
    public_key = Text()
    sign_count = BigInt(default=0)
    name = Varchar(60)
    transports = Varchar(100)
    created_at = Timestamptz(default=None)
    last_used_at = Timestamptz(null=True, default=None)
    removed_at = Timestamptz(null=True, default=None)


class Grant(Table, tablename="impersonation_grant"):
    """A limited right of one staff member to see one customer's portal. `session_id` is the `public_id` of the sign-in
    it was opened in; with that sign-in it ends. `allowed`: a JSON list of actions, empty means look only."""

    id = UUID(primary_key=True, default=None)
    staff_user_id = UUID(default=None)
    session_id = UUID(default=None)
    user_id = UUID(default=None)
    customer_id = UUID(default=None)
    reason = Varchar(500)
    ticket = Varchar(60, null=True, default=None)
    allowed = JSONB(default="[]")
    started_at = Timestamptz(default=None)
    ends_at = Timestamptz(default=None)
    last_seen_at = Timestamptz(default=None)
    stopped_at = Timestamptz(null=True, default=None)
    stopped_by = Varchar(8, null=True, default=None)


class SupportWish(Table, tablename="support_wish"):
    """Whether support may look without asking: `allow`, `ask` or `never`. No row means `allow`."""

    user_id = UUID(primary_key=True, default=None)
    wish = Varchar(8)
    changed_at = Timestamptz(default=None)


class SupportQuestion(Table, tablename="support_question"):
    """Support asks to look; `used_at` when the yes was made a visit."""

    id = UUID(primary_key=True, default=None)
    staff_user_id = UUID(default=None)
    user_id = UUID(default=None)
    customer_id = UUID(default=None)
    reason = Varchar(500)
    asked_at = Timestamptz(default=None)
    expires_at = Timestamptz(default=None)
    answered_at = Timestamptz(null=True, default=None)
    answer = Varchar(4, null=True, default=None)
    used_at = Timestamptz(null=True, default=None)


class SupportCode(Table, tablename="support_code"):
    """Six digits that prove to support who calls. `code_hash` is keyed: there are only a million codes."""

    id = UUID(primary_key=True, default=None)
    user_id = UUID(default=None)
    customer_id = UUID(default=None)
    code_hash = Varchar(64)
    created_at = Timestamptz(default=None)
    expires_at = Timestamptz(default=None)
    wrong = BigInt(default=0)
    used_at = Timestamptz(null=True, default=None)
    used_by = UUID(null=True, default=None)
