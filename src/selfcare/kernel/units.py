"""Bytes, seconds and messages: integers in, words out. What is left is rounded down, what is used is rounded up."""

from selfcare.kernel.words import _, ngettext


def data(n_bytes: int, *, base: int = 1000, up: bool = False) -> str:
    """ "19.4 GB", under one GB "850 MB"; with base 1024 GiB and MiB. `up` is for what is used."""
    big, small = (_("%(n)s GB"), _("%(n)s MB")) if base == 1000 else (_("%(n)s GiB"), _("%(n)s MiB"))
    whole = _divide(n_bytes, base**2, up)
    if whole < base:
        return small % {"n": whole}
    tenths = _divide(n_bytes * 10, base**3, up)
    return big % {"n": f"{tenths // 10}.{tenths % 10}" if tenths % 10 else f"{tenths // 10}"}


def minutes(seconds: int, *, up: bool = False) -> str:
    n = _divide(seconds, 60, up)
    return ngettext("%(n)s minute", "%(n)s minutes", n) % {"n": n}


def duration(seconds: int) -> str:
    """The length of one call as m:ss."""
    return f"{max(0, seconds) // 60}:{max(0, seconds) % 60:02}"


def texts(n: int) -> str:
    return ngettext("%(n)s text", "%(n)s texts", n) % {"n": n}


def speed(kbps: int) -> str:
    """1 Mbps, 1.5 Mbps, 512 kbps; rounded down."""
    if kbps < 1000:
        return f"{kbps} kbps"
    whole, tenths = kbps // 1000, kbps % 1000 // 100
    return f"{whole}.{tenths} Mbps" if tenths else f"{whole} Mbps"


def _divide(n: int, by: int, up: bool) -> int:
    return -(-max(0, n) // by) if up else max(0, n) // by
