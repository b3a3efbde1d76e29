import re
import time
from concurrent.futures import ThreadPoolExecutor

from selfcare.kernel import ids


def test_ids_rise_and_never_repeat() -> None:
    made = [ids.new_id() for _ in range(20_000)]
    assert made == sorted(made)
    assert len(set(made)) == len(made)


def test_ids_from_many_threads_never_repeat() -> None:
    with ThreadPoolExecutor(8) as pool:
        made = list(pool.map(lambda _: ids.new_id(), range(8_000)))
    assert len(set(made)) == len(made)


def test_an_id_has_the_version_7_layout_and_todays_time() -> None:
    made = ids.new_id()
    assert made.version == 7
    assert made.variant == "specified in RFC 4122"
    assert abs((made.int >> 80) - time.time_ns() // 1_000_000) < 60_000


def test_the_tail_is_random() -> None:
    assert len({ids.new_id().int & (2**62 - 1) for _ in range(1000)}) == 1000


def test_a_reference_can_be_read_out() -> None:
    assert re.fullmatch(r"PAY-[0-9A-HJKMNP-TV-Z]{8}", ids.reference("PAY"))
    assert ids.reference("PAY") != ids.reference("PAY")


def test_a_token_has_256_bits_and_only_its_hash_is_kept() -> None:
    token = ids.token()
    assert re.fullmatch(r"[A-Za-z0-9_-]{43}", token)
    assert re.fullmatch(r"[0-9a-f]{64}", ids.token_hash(token))
    assert ids.token_hash(token) == ids.token_hash(token) != ids.token_hash(ids.token())


def test_any_text_from_outside_can_be_hashed() -> None:
    assert ids.token_hash("\ud800") != ids.token_hash("")
