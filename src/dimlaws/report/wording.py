"""Numbers, regions and durations in words."""

import math

MINUS = "\N{MINUS SIGN}"
ABSENT = "\N{EN DASH}"
_SUPERSCRIPT = str.maketrans("0123456789-", "⁰¹²³⁴⁵⁶⁷⁸⁹⁻")


def number(value: float | None) -> str:
    """Return three significant digits; a dash where there is no finite number."""
    if value is None or not math.isfinite(value):
        return ABSENT
    text = f"{value:.3g}"
    if "e" in text:
        mantissa, _, exponent = text.partition("e")
        if abs(int(exponent)) < 5:
            text = f"{float(text):.0f}"
        else:
            text = f"{mantissa} × 10{str(int(exponent)).translate(_SUPERSCRIPT)}"
    return text.replace("-", MINUS)


def interval(low: float | None, high: float | None) -> str:
    """Return ``low to high``, or nothing where there is no interval."""
    return f"{number(low)} to {number(high)}" if _finite(low) and _finite(high) else ""


def region(judge: str, low: float | None, high: float | None) -> str:
    """Return an expected region in words; the region of a two-sided claim is its null band."""
    if judge == "two-sided":
        return f"outside {number(low)} to {number(high)}"
    # Zero is neither sign.
    if low is None:
        return f"{'below' if judge == 'sign' else 'at most'} {number(high)}"
    if high is None:
        return f"{'above' if judge == 'sign' else 'at least'} {number(low)}"
    return f"{number(low)} to {number(high)}"


def duration(seconds: float | None) -> str:
    """Return a time in the unit that a person would choose."""
    if seconds is None:
        return ABSENT
    if seconds < 60:
        return f"{seconds:.1f} s"
    minutes = round(seconds / 60)
    if minutes < 60:
        return f"{seconds / 60:.1f} min"
    return f"{minutes // 60} h {minutes % 60:02d} min"


def memory(size: int | None) -> str:
    """Return a number of bytes in GiB."""
    return ABSENT if size is None else f"{size / 2**30:.1f} GiB"


def _finite(value: float | None) -> bool:
    return value is not None and math.isfinite(value)
