"""Who may do what, said a second time and by hand: opening a row of the permission table by mistake shows here."""

from __future__ import annotations

# Which right opens each route of the console; "" is any staff. A new route of the console is a line here.
STAFF = {
    "": ("staff", "staff.approvals", "staff.figures", "staff.visits.show", "staff.visits.stop"),
    "admin": ("staff.visits.override", "staff.settings.section", "staff.settings.save"),
    "can_impersonate": ("staff.visits.new", "staff.visits.open", "staff.visits.decide"),
    "edit_customer": (
        *("staff.customers.change", "staff.customers.set_type", "staff.customers.set_primary"),
        *("staff.transfers.show", "staff.transfers.transfer", "staff.transfers.decide"),
    ),
    "handle_requests": ("staff.requests", "staff.requests.show", "staff.requests.answer"),
    "manage_catalogue": (
        *("staff.catalogue", "staff.catalogue.new", "staff.catalogue.create", "staff.catalogue.show"),
        *("staff.catalogue.version", "staff.catalogue.edit", "staff.catalogue.publish"),
    ),
    "manage_flags": ("staff.settings", "staff.settings.switch", "staff.settings.history"),
    "manage_users": ("staff.customers.merge",),
    "refund_payment": (
        *("staff.requests.money", "staff.requests.give", "staff.payments.refund", "staff.payments.decide"),
        *(
            "staff.payments.charge",
            "staff.payments.review_refund",
            "staff.payments.nothing_taken",
            "staff.requests.decide",
        ),
        *("staff.payments.credit", "staff.orders.refund"),
    ),
    "retry_jobs": ("staff.jobs", "staff.jobs.retry"),
    "review_payment": (
        *("staff.payments", "staff.payments.look", "staff.orders", "staff.orders.show", "staff.orders.again"),
    ),
    "view_audit": ("staff.audit", "staff.audit_csv", "staff.audit_breaks", "staff.audit_breaks.see"),
    "view_billing": (
        *("staff.customers.billing", "staff.customers.orders", "staff.payments.cards", "staff.payments.show"),
        *("staff.payments.customer", "staff.lists"),
    ),
    "view_customer": (
        *("staff.customers", "staff.customers.show", "staff.customers.contacts", "staff.customers.services"),
        *("staff.customers.messages", "staff.customers.activity", "staff.customers.notes", "staff.customers.add_note"),
        *("staff.customers.resend", "staff.people.show", "staff.people.act"),
    ),
    "void_invoice": ("staff.payments.void",),
}

# What a support visit may do beyond looking where its grant names the action. Anything else that changes is refused.
ACTED = {
    "services.rename": "rename",
    "services.switch_renewal": "auto_renew",
    "topup.buy": "topup",
    "addons.buy": "addon",
    "services.plan.change": "plan",
    "bundles.buy": "addon",
    "acting.stop": "stop",
}

# Pages of a customer that a visit may not even look at.
NEVER_SHOWN = frozenset(
    {
        *("services.sim.puk", "services.sim.install", "usage.records_csv", "usage.records_json", "billing.pdf"),
        *("billing.bundles", "billing.bundle_state", "billing.bundle_file", "billing.transactions_csv"),
        *("billing.recipients", "billing.recipients.new"),
        *("billing.statement_csv", "billing.statement_pdf", "cards.new", "cards.visit", "cards.show", "cards.removal"),
        *("account.name", "account.phone", "account.email", "account.people.new", "account.people.show"),
        *("account.export", "account.export.show", "account.export.file", "account.erasure", "activity.not_me"),
        *("activity.csv", "pay.receipt", "orders.credit_note", "pay.return", "pay.links", "account.preferences"),
        *(
            "account.security",
            "account.security.app",
            "account.security.off",
            "account.security.required",
            "account.password",
        ),
        *("account.security.passkeys.new", "account.security.passkeys.show", "account.sign_ins", "account.switch"),
        *("sign_in.prove", "sign_in.kept", "help.support_code"),
    }
)
# For signed-in people or anybody, and a visit looks at it too.
SHOWN_TO_ALL = frozenset({"activity.support", "sign_in.alive", "help", "help.articles", "help.article"})
