import re
from dataclasses import fields
from pathlib import Path

import pytest

from selfcare.settings import DEVELOPMENT_SECRET, BadSettings, Keys, Settings, unknown, variables

DOCUMENT = Path(__file__).parents[1] / "docs" / "settings.md"
SECRET = "a-secret-of-more-than-32-characters-0123"
SAFE = {
    "SELFCARE_ENV": "production",
    "SELFCARE_SECRET_KEY": SECRET,
    "SELFCARE_PUBLIC_URL": "https://my.lark.example",
    "SELFCARE_ALLOW_SIMULATED_PAYMENTS": "1",
}


def as_typed(value: object) -> str:
    if isinstance(value, tuple):
        return ",".join(value)
    return str(int(value)) if isinstance(value, bool) else str(value)


def test_the_table_names_every_setting_with_its_default_and_meaning() -> None:
    rows = re.findall(r"^\| `(SELFCARE_\w+)` \| (?:`(.*?)` )?\| (.+) \|$", DOCUMENT.read_text(), re.MULTILINE)
    assert [(name, default) for name, default, _ in rows] == [
        (f"SELFCARE_{each.name.upper()}", as_typed(each.default)) for each in variables()
    ]
    assert all(len(meaning) > 15 for _, _, meaning in rows)


def test_an_empty_environment_is_development() -> None:
    settings = Settings.from_env({})
    assert settings == Settings()
    assert settings.refusals() == []
    assert not settings.demo
    assert not settings.production


def test_every_kind_of_setting_is_read() -> None:
    settings = Settings.from_env(
        {
            "SELFCARE_ENV": "demo",
            "SELFCARE_PUBLIC_URL": "https://my.lark.example/",
            "SELFCARE_DATA_BASE": "1024",
            "SELFCARE_SESSION_IDLE_MINUTES": " 15 ",
            "SELFCARE_DEBUG": "yes",
            "SELFCARE_TRUSTED_PROXIES": "10.0.0.1, 10.0.0.2,",
            "SELFCARE_CURRENCY": "",
        }
    )
    assert settings.demo
    assert settings.public_url == "https://my.lark.example"
    assert (settings.data_base, settings.session_idle_minutes, settings.debug) == (1024, 15, True)
    assert settings.trusted_proxies == ("10.0.0.1", "10.0.0.2")
    assert settings.currency == "GBP"


@pytest.mark.parametrize(
    ("name", "typed", "says"),
    [
        ("ENV", "prod", "SELFCARE_ENV is 'prod'; it must be one of: development, production, demo."),
        ("DATABASE_URL", "mysql://x", "SELFCARE_DATABASE_URL must start with sqlite:/// or postgres://."),
        ("PUBLIC_URL", "my.lark.example", "SELFCARE_PUBLIC_URL must be an address without a path"),
        ("PUBLIC_URL", "https://my.lark.example/portal", "SELFCARE_PUBLIC_URL must be an address without a path"),
        ("DEBUG", "maybe", "SELFCARE_DEBUG is 'maybe'; it must be 1 or 0."),
        ("CURRENCY", "gbp", "SELFCARE_CURRENCY is not a currency of ISO 4217, like GBP."),
        ("REGION", "UK", "SELFCARE_REGION is not a country of ISO 3166, like GB."),
        ("ZONE", "Europe/Lundun", "SELFCARE_ZONE is not a time zone this machine knows, like Europe/London."),
        ("ZONE", "../etc/passwd", "SELFCARE_ZONE is not a time zone this machine knows, like Europe/London."),
        ("DATA_BASE", "1000.0", "SELFCARE_DATA_BASE is '1000.0'; it must be one of: 1000, 1024."),
        (
            "SESSION_IDLE_MINUTES",
            "0",
            "SELFCARE_SESSION_IDLE_MINUTES is '0'; it must be a whole number from 1 to 1440.",
        ),
        ("SESSION_IDLE_MINUTES", "３０", "it must be a whole number from 1 to 1440."),
        ("THEME", "/nowhere.toml", "SELFCARE_THEME is not a file."),
        ("MAIL_URL", "mail.lark.example", "SELFCARE_MAIL_URL must look like smtp+starttls://"),
        ("SECRET_KEY_FILE", "/nowhere", "SELFCARE_SECRET_KEY cannot be read from the file in SELFCARE_SECRET_KEY_FILE"),
    ],
)
def test_what_cannot_be_followed_is_refused_in_words(name: str, typed: str, says: str) -> None:
    with pytest.raises(BadSettings) as refused:
        Settings.from_env({f"SELFCARE_{name}": typed})
    assert len(refused.value.problems) == 1
    assert says in refused.value.problems[0]


def test_all_mistakes_are_named_at_once() -> None:
    with pytest.raises(BadSettings) as refused:
        Settings.from_env({"SELFCARE_ENV": "x", "SELFCARE_DEBUG": "x", "SELFCARE_ZONE": "x"})
    assert len(refused.value.problems) == 3


def test_a_secret_can_come_from_a_file_but_not_from_two_places(tmp_path: Path) -> None:
    file = tmp_path / "secret"
    file.write_text(SECRET + "\n")
    from_file = {"SELFCARE_SECRET_KEY_FILE": str(file)}
    assert Settings.from_env(from_file).secret_key == (SECRET,)
    with pytest.raises(BadSettings, match="are both set: keep one"):
        Settings.from_env(from_file | {"SELFCARE_SECRET_KEY": SECRET})


def test_each_purpose_has_its_own_key() -> None:
    keys = Settings(secret_key=(SECRET,)).keys
    values = [getattr(keys, each.name) for each in fields(Keys)]
    assert len(set(values)) == len(values)
    assert all(len(value) == 32 for value in values)


def test_after_a_rotation_the_previous_keys_stay_known() -> None:
    before = Settings(secret_key=(SECRET,))
    after = Settings.from_env({"SELFCARE_SECRET_KEY": f"{'n' * 40},{SECRET}"})
    assert after.key_ring[1] == before.keys
    assert after.keys != before.keys


def test_nothing_secret_is_printed() -> None:
    settings = Settings.from_env(
        {
            "SELFCARE_SECRET_KEY": SECRET,
            "SELFCARE_DATABASE_URL": "postgres://u:canary-one@h/d",
            "SELFCARE_MAIL_URL": "smtps://u:canary-two@h:465",
        }
    )
    shown = repr(settings) + repr(settings.keys)
    assert SECRET not in shown
    assert "canary" not in shown
    assert repr(settings.keys.csrf) not in shown


def test_a_safe_production_may_start() -> None:
    assert Settings.from_env(SAFE).refusals() == []


STRIPE = {
    "SELFCARE_PAYMENTS": "stripe",
    "SELFCARE_ALLOW_SIMULATED_PAYMENTS": "0",
    "SELFCARE_STRIPE_KEY": "sk_live_1",
    "SELFCARE_STRIPE_WEBHOOK_SECRET": "whsec_1",
}


def test_production_with_stripe_may_start() -> None:
    assert Settings.from_env(SAFE | STRIPE).refusals() == []


def test_a_gateway_that_is_not_built_is_not_promised() -> None:
    with pytest.raises(BadSettings) as refused:
        Settings.from_env(SAFE | {"SELFCARE_PAYMENTS": "paypal"})
    assert "must be one of: embedded, stripe" in refused.value.problems[0]


UNSAFE = [
    ({"SELFCARE_SECRET_KEY": ""}, "SELFCARE_SECRET_KEY is not set."),
    ({"SELFCARE_SECRET_KEY": DEVELOPMENT_SECRET[:31]}, "has a secret of 31 characters"),
    ({"SELFCARE_SECRET_KEY": "secret" * 8}, "too few different characters"),
    ({"SELFCARE_SECRET_KEY": f"{SECRET},short"}, "has a secret of 5 characters"),
    ({"SELFCARE_SECRET_KEY": DEVELOPMENT_SECRET}, "is the one from the source code"),
    ({"SELFCARE_DEBUG": "1"}, "Debug is on"),
    ({"LITESTAR_DEBUG": "1"}, "Debug is on"),
    ({"SELFCARE_PUBLIC_URL": "http://my.lark.example"}, "it must start with https://"),
    ({"SELFCARE_ALLOW_SIMULATED_PAYMENTS": "0"}, "Payments are simulated"),
    (STRIPE | {"SELFCARE_STRIPE_KEY": "sk_test_1"}, "is a key of the test mode"),
    (STRIPE | {"SELFCARE_STRIPE_API_BASE": "http://fake.example"}, "it must start with https://"),
]
UNUSABLE = [
    ({"SELFCARE_STRIPE_KEY": ""}, "SELFCARE_STRIPE_KEY is not set."),
    ({"SELFCARE_STRIPE_KEY": "pk_live_1"}, "must begin with sk_ or rk_"),
    ({"SELFCARE_STRIPE_WEBHOOK_SECRET": ""}, "SELFCARE_STRIPE_WEBHOOK_SECRET is not set"),
]


@pytest.mark.parametrize("env", ["development", "production"])
@pytest.mark.parametrize(("change", "says"), UNUSABLE)
def test_stripe_without_its_key_and_secret_does_not_start(env: str, change: dict[str, str], says: str) -> None:
    [refusal] = Settings.from_env(SAFE | STRIPE | {"SELFCARE_ENV": env} | change).refusals()
    assert says in refusal


@pytest.mark.parametrize(("change", "says"), UNSAFE)
def test_an_unsafe_production_is_refused_in_words(change: dict[str, str], says: str) -> None:
    refusals = Settings.from_env(SAFE | change).refusals()
    assert len(refusals) == 1
    assert says in refusals[0]


@pytest.mark.parametrize("change", [change for change, _ in UNSAFE if not change.get("SELFCARE_SECRET_KEY")])
@pytest.mark.parametrize("env", ["development", "demo"])
def test_outside_production_the_same_may_start(env: str, change: dict[str, str]) -> None:
    assert Settings.from_env(SAFE | change | {"SELFCARE_ENV": env}).refusals() == []


def test_all_reasons_are_given_at_once() -> None:
    assert len(Settings.from_env({"SELFCARE_ENV": "production", "LITESTAR_DEBUG": "1"}).refusals()) == 4


def test_a_mistyped_name_is_noticed() -> None:
    assert unknown(
        {"SELFCARE_PUBLIC_ULR": "x", "SELFCARE_ENV": "demo", "SELFCARE_SECRET_KEY_FILE": "x", "PATH": "x"}
    ) == ["SELFCARE_PUBLIC_ULR is not a setting. Did you mean SELFCARE_PUBLIC_URL?"]
