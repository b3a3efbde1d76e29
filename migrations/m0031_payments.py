"""Payments on their way, what they pay, refunds, what gateways told us, and the names they have for customers.

At most one open payment for a bill or an order: `payment_part_open`. A payment in review counts as open, because its
money may have been taken.
"""

ID = "0031"
DESCRIPTION = "payments, refunds and webhook events"

STATES = """
    'created', 'submitting', 'requires_action', 'processing', 'unknown', 'succeeded', 'refund_due', 'refunded',
    'failed', 'canceled', 'manual_review'
"""
WHYS = """
    'no_funds', 'expired_card', 'wrong_code', 'bank_refused', 'needs_approval', 'limit', 'not_supported', 'lost_card',
    'provider_trouble', 'other'
"""

FORWARDS = (
    """
    CREATE TABLE gateway_customer (
        id UUID PRIMARY KEY,
        customer_id UUID NOT NULL REFERENCES customer (id),
        gateway VARCHAR(16) NOT NULL CHECK (length(gateway) BETWEEN 1 AND 16),
        customer_ref VARCHAR(255) NOT NULL CHECK (length(customer_ref) BETWEEN 1 AND 255),
        created_at TIMESTAMPTZ NOT NULL,
        UNIQUE (customer_id, gateway),
        UNIQUE (gateway, customer_ref)
    )
    """,
    f"""
    CREATE TABLE payment (
        id UUID PRIMARY KEY,
        customer_id UUID NOT NULL REFERENCES customer (id),
        purpose VARCHAR(8) NOT NULL CHECK (purpose IN ('invoice', 'topup', 'addon', 'plan', 'credit')),
        reference VARCHAR(16) NOT NULL UNIQUE CHECK (length(reference) BETWEEN 1 AND 16),
        description VARCHAR(200) NOT NULL CHECK (length(description) BETWEEN 1 AND 200),
        request_key VARCHAR(64) NOT NULL UNIQUE CHECK (length(request_key) BETWEEN 16 AND 64),
        attempt BIGINT NOT NULL CHECK (attempt = CAST(attempt AS BIGINT) AND attempt >= 1),
        currency VARCHAR(3) NOT NULL CHECK (length(currency) = 3),
        amount_minor BIGINT NOT NULL CHECK (amount_minor = CAST(amount_minor AS BIGINT) AND amount_minor >= 0),
        credit_minor BIGINT NOT NULL CHECK (credit_minor = CAST(credit_minor AS BIGINT) AND credit_minor >= 0),
        held_minor BIGINT NOT NULL CHECK (held_minor = CAST(held_minor AS BIGINT) AND held_minor >= 0),
        refunded_minor BIGINT NOT NULL CHECK (refunded_minor = CAST(refunded_minor AS BIGINT)),
        state VARCHAR(16) NOT NULL CHECK (state IN ({STATES})),
        why VARCHAR(16) CHECK (why IN ({WHYS})),
        review VARCHAR(200) CHECK (length(review) BETWEEN 1 AND 200),
        gateway VARCHAR(16) NOT NULL CHECK (length(gateway) BETWEEN 1 AND 16),
        customer_ref VARCHAR(255) CHECK (length(customer_ref) <= 255),
        gateway_ref VARCHAR(255) CHECK (length(gateway_ref) <= 255),
        charge_ref VARCHAR(255) CHECK (length(charge_ref) <= 255),
        action_url VARCHAR(2000) CHECK (length(action_url) <= 2000),
        method_id UUID,
        card VARCHAR(40) CHECK (length(card) <= 40),
        save_card BOOLEAN NOT NULL,
        off_session BOOLEAN NOT NULL,
        started_by UUID REFERENCES app_user (id),
        guest_link_id UUID,
        created_at TIMESTAMPTZ NOT NULL,
        submitted_at TIMESTAMPTZ,
        asked_at TIMESTAMPTZ,
        settled_at TIMESTAMPTZ,
        closed_at TIMESTAMPTZ,
        disputed_at TIMESTAMPTZ,
        UNIQUE (customer_id, id),
        UNIQUE (gateway, gateway_ref),
        UNIQUE (gateway, charge_ref),
        FOREIGN KEY (customer_id, method_id) REFERENCES payment_method (customer_id, id),
        CHECK (amount_minor + credit_minor > 0),
        CHECK (held_minor IN (0, credit_minor)),
        CHECK (refunded_minor BETWEEN 0 AND amount_minor),
        CHECK ((settled_at IS NOT NULL) = (state IN ('succeeded', 'refund_due', 'refunded'))
            OR state = 'manual_review'),
        CHECK (method_id IS NULL OR NOT save_card),
        CHECK (state <> 'requires_action' OR (gateway_ref IS NOT NULL AND action_url IS NOT NULL))
    )
    """,
    "CREATE INDEX payment_by_customer ON payment (customer_id, created_at, id)",
    """
    CREATE INDEX payment_open ON payment (created_at)
        WHERE state IN ('created', 'submitting', 'requires_action', 'processing', 'unknown')
    """,
    "CREATE INDEX payment_in_review ON payment (created_at) WHERE state = 'manual_review'",
    """
    CREATE TABLE payment_part (
        id UUID PRIMARY KEY,
        payment_id UUID NOT NULL,
        customer_id UUID NOT NULL,
        position BIGINT NOT NULL CHECK (position = CAST(position AS BIGINT) AND position >= 1),
        target VARCHAR(8) NOT NULL CHECK (target IN ('invoice', 'order')),
        target_id UUID NOT NULL,
        amount_minor BIGINT NOT NULL CHECK (amount_minor = CAST(amount_minor AS BIGINT) AND amount_minor > 0),
        applied_minor BIGINT CHECK (applied_minor = CAST(applied_minor AS BIGINT) AND applied_minor >= 0),
        is_open BOOLEAN NOT NULL,
        UNIQUE (payment_id, target_id),
        FOREIGN KEY (customer_id, payment_id) REFERENCES payment (customer_id, id),
        CHECK (applied_minor <= amount_minor)
    )
    """,
    "CREATE UNIQUE INDEX payment_part_open ON payment_part (target_id) WHERE is_open",
    "CREATE INDEX payment_part_by_target ON payment_part (customer_id, target_id)",
    """
    CREATE TABLE refund (
        id UUID PRIMARY KEY,
        payment_id UUID NOT NULL,
        customer_id UUID NOT NULL,
        number BIGINT NOT NULL CHECK (number = CAST(number AS BIGINT) AND number >= 1),
        amount_minor BIGINT NOT NULL CHECK (amount_minor = CAST(amount_minor AS BIGINT) AND amount_minor > 0),
        currency VARCHAR(3) NOT NULL CHECK (length(currency) = 3),
        source VARCHAR(8) NOT NULL CHECK (source IN ('bill', 'order', 'credit', 'goodwill')),
        reason VARCHAR(200) NOT NULL CHECK (length(reason) BETWEEN 1 AND 200),
        state VARCHAR(8) NOT NULL CHECK (state IN ('due', 'sending', 'pending', 'done', 'failed')),
        gateway_ref VARCHAR(255) CHECK (length(gateway_ref) <= 255),
        asked_by UUID REFERENCES app_user (id),
        created_at TIMESTAMPTZ NOT NULL,
        sent_at TIMESTAMPTZ,
        done_at TIMESTAMPTZ,
        UNIQUE (payment_id, number),
        FOREIGN KEY (customer_id, payment_id) REFERENCES payment (customer_id, id)
    )
    """,
    "CREATE INDEX refund_open ON refund (created_at) WHERE state IN ('due', 'sending', 'pending')",
    "CREATE INDEX refund_by_customer ON refund (customer_id, created_at)",
    """
    CREATE TABLE webhook_event (
        id UUID PRIMARY KEY,
        gateway VARCHAR(16) NOT NULL CHECK (length(gateway) BETWEEN 1 AND 16),
        event_id VARCHAR(255) NOT NULL CHECK (length(event_id) BETWEEN 1 AND 255),
        kind VARCHAR(80) NOT NULL CHECK (length(kind) <= 80),
        about VARCHAR(8) NOT NULL CHECK (about IN ('payment', 'refund', 'card', 'dispute', 'other')),
        object_ref VARCHAR(255) CHECK (length(object_ref) <= 255),
        payment_id UUID,
        body TEXT NOT NULL CHECK (length(body) <= 1000000),
        received_at TIMESTAMPTZ NOT NULL,
        handled_at TIMESTAMPTZ,
        outcome VARCHAR(40) CHECK (length(outcome) <= 40),
        UNIQUE (gateway, event_id)
    )
    """,
    "CREATE INDEX webhook_event_by_time ON webhook_event (received_at)",
)

BACKWARDS = (
    "DROP TABLE webhook_event",
    "DROP TABLE refund",
    "DROP TABLE payment_part",
    "DROP TABLE payment",
    "DROP TABLE gateway_customer",
)
