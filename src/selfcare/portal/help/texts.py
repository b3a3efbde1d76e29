"""The articles themselves, in the language of whoever reads. A new one is an entry here."""

from __future__ import annotations

from selfcare.kernel.words import _
from selfcare.portal.help.article import Article


def everything() -> list[Article]:
    return [*asked_often(), *more()]


def asked_often() -> list[Article]:
    """These stand on the help page itself."""
    return [
        Article(
            "missing-service",
            _("Why can't I see all my services?"),
            (
                _("Make sure you are signed in with the right account: each customer account has its own services."),
                _("Services that ended more than 90 days ago are folded under “Ended”. We can merge accounts for you."),
            ),
            links=((_("Can't see a service?"), "services.missing"), (_("See your services"), "services")),
            keywords=_("missing lost accounts merge switch list another"),
        ),
        Article(
            "charged-but-failed",
            _("My payment failed but I was charged. What do I do?"),
            (
                _("Look for a pending charge on your bank statement: it usually goes away by itself within a week."),
                _("If the charge is there and the bill still shows unpaid, tell us the reference of the transaction."),
            ),
            links=((_("See your bills"), "billing"), (_("Last payment reference"), "help")),
            request="other",
            keywords=_("twice double money taken bank card declined unpaid"),
        ),
        Article(
            "cancel-service",
            _("How do I cancel a service?"),
            (
                _("Open the service and choose “Cancel Service”. You see first what is lost and what leaving costs."),
                _("At the end of the period is the usual choice: until then you can undo it."),
                _("Where cancelling is not offered, ask us to do it."),
            ),
            links=((_("Choose the service"), "services"),),
            request="cancellation",
            keywords=_("end stop terminate leave quit contract"),
        ),
        Article(
            "transfer-service",
            _("Can I transfer a service to another person?"),
            (_("Not by yourself: to protect you we check who both of you are. Ask us and we begin."),),
            request="transfer",
            keywords=_("owner name give move somebody else"),
        ),
        Article(
            "data-faster",
            _("Why is my data balance decreasing faster than expected?"),
            (
                _("Often it is app updates in the background, video quality or automatic backups to the cloud."),
                _("The usage page tells where it went: day by day, the busiest days and hours, and each session."),
                _("An hour of video in high definition takes up to 3 GB, in standard about 0.7 GB."),
            ),
            links=((_("See your usage"), "usage"),),
            keywords=_("quick fast drain gone where used up internet background video streaming backup"),
        ),
        Article(
            "lost-second-step",
            _("I lost my 2FA device. How do I regain access?"),
            (
                _("Sign in with a backup code, then turn the second step off and on again."),
                _("Without backup codes call us: we check who you are and reset it."),
            ),
            links=((_("Security"), "account.security"),),
            keywords=_("authenticator phone stolen code login locked out second factor step passkey"),
        ),
        Article(
            "pay-without-sign-in",
            _("Can I pay an invoice without logging in?"),
            (
                _("Yes, by a direct link to the bill: one that we sent, or that its owner made for you."),
                _("Without such a link sign in, so that nobody else sees your bills."),
            ),
            links=((_("See your bills"), "billing"),),
            keywords=_("guest link somebody else pays for me"),
        ),
        Article(
            "all-bills",
            _("How do I download all my invoices at once?"),
            (
                _("Open “Download many as PDF” above your bills and choose the days."),
                _("A few bills come at once as one file. Of many we mail you when the file is ready."),
                _("Each bill by itself can be downloaded in the list of bills."),
            ),
            links=((_("Download many as PDF"), "billing.bundles"), (_("See all bills"), "billing.invoices")),
            request="other",
            keywords=_("bulk zip pdf export accountant tax"),
        ),
    ]


def more() -> list[Article]:
    return [
        Article(
            "read-usage",
            _("How to read your usage"),
            (
                _("The large number is what is left. It is rounded down, so there is never less than it says."),
                _("The bar shows each allowance in the order it is used: bonuses first, then top-ups, your plan last."),
                _("The mark on the bar is where you would be if you used the same every day."),
                _("What is for calls abroad, for use abroad or within our network has a line of its own."),
            ),
            links=((_("See your usage"), "usage"),),
            keywords=_("allowance bucket order bar remaining balance minutes texts weight priority"),
        ),
        Article(
            "used-up",
            _("What happens when an allowance is used up"),
            (
                _("If you have credit, what you use beyond the plan is taken from it. Without credit it stops."),
                _("Some plans slow the connection down instead. The usage page says so, and until when."),
                _("A top-up helps at once; it is used before your plan."),
            ),
            links=((_("Top-Up"), "topup"), (_("See your usage"), "usage")),
            keywords=_("slow throttle throttled speed stopped blocked no internet overage charges"),
        ),
        Article(
            "change-plan",
            _("Moving to another plan"),
            (
                _("Open the service and choose “Change Plan”. You see both plans side by side first."),
                _("A dearer plan begins at once. You pay the days that are left, and keep what you have left."),
                _("A cheaper plan begins when the period ends. Until then you can take it back."),
                _("Where “Change Plan” is not offered, ask us to do it."),
            ),
            links=((_("Choose the service"), "services"),),
            request="other",
            keywords=_("upgrade downgrade tariff switch bigger smaller cheaper proration"),
        ),
        Article(
            "change-settings",
            _("Changing the settings of a service"),
            (
                _("Open the service and choose “Change Settings”. You see what you can change, and what it costs."),
                _("The network carries it out. The page of your order tells how far it is; it takes a minute or so."),
                _("Until then the old setting holds. If the network cannot do it, your money comes back by itself."),
                _("One change is carried out at a time. Where changing is not offered, ask us to do it."),
            ),
            links=((_("Choose the service"), "services"),),
            request="other",
            keywords=_("voicemail forwarding reverse dns option parameter configure adjust"),
        ),
        Article(
            "credit-in-advance",
            _("Credit in advance, and how it is paid back"),
            (
                _("Where it is offered, a prepaid line that has run low gets a little credit once a month."),
                _("It is paid back first, with its fee, out of the next credit put on that line, whoever pays for it."),
                _("Paying a bill, or adding credit to the account, does not pay it back: that never reaches the line."),
            ),
            links=((_("Top-Up"), "topup"),),
            keywords=_("borrow lend advance emergency loan promise repay owe"),
        ),
        Article(
            "abroad",
            _("Using your phone abroad"),
            (
                _("What you use in another country is shown apart, country by country, with what it cost."),
                _("A roaming pass is used before credit. When it is empty, data abroad stops until you add another."),
                _("Switch data roaming off in the settings of the phone if you want to be sure."),
            ),
            links=((_("See your usage"), "usage"), (_("Top-Up"), "topup")),
            keywords=_("roaming travel country holiday foreign pass europe world"),
        ),
        Article(
            "renewal",
            _("When a service renews or ends"),
            (
                _("With auto-renewal on, the service goes on by itself and its price is due."),
                _("With auto-renewal off it ends on the day shown. The number is kept for you for 30 days."),
                _("We tell you seven days, three days and one day before."),
            ),
            links=((_("See your services"), "services"),),
            keywords=_("expire expiry expiring renew automatic period date"),
        ),
        Article(
            "esim",
            _("Installing an eSIM"),
            (
                _("Open the service, choose “SIM and eSIM”, and prove once more who you are."),
                _("Scan the picture with the phone that shall have the number, or follow the link on that phone."),
                _("The code works once. For a new phone you need a new one."),
            ),
            links=((_("Choose the service"), "services"),),
            keywords=_("qr code sim profile activate new phone lpa"),
        ),
        Article(
            "puk",
            _("The phone asks for a PUK"),
            (
                _("After three wrong PINs the SIM is locked. The PUK unlocks it."),
                _("Open the service, choose “SIM and eSIM”, then “Show PIN and PUK”. Ten wrong PUKs end the SIM."),
            ),
            links=((_("Choose the service"), "services"),),
            keywords=_("pin locked sim card blocked unlock"),
        ),
        Article(
            "records",
            _("Your calls, texts and sessions one by one"),
            (
                _("On the usage page choose “Calls, texts and data”, and filter by date, kind and destination."),
                _("They are kept for 12 months, and can be downloaded for a spreadsheet."),
            ),
            links=((_("See your usage"), "usage"),),
            keywords=_("history list csv itemised call log numbers"),
        ),
        Article(
            "safe-account",
            _("Keeping your account safe"),
            (
                _("Turn on the second step, and keep its backup codes in a safe place."),
                _("Use a password that you use nowhere else, and sign out on shared and public computers."),
                _("We mail you about a sign-in from a new device, with a link in case it was not you."),
            ),
            links=((_("Security"), "account.security"), (_("Where you are signed in"), "account.sign_ins")),
            keywords=_("security hacked stolen password protect fraud scam"),
        ),
    ]
