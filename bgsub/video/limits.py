"""The largest picture that is decoded, whatever a file claims."""

MAX_PIXELS = 2**27


def too_large(name: str, width: int, height: int) -> str:
    """Return the one line that refuses a picture of more than `MAX_PIXELS`."""
    return (
        f"cannot open {name}: its pictures have {width}x{height} pixels, more than the {MAX_PIXELS} "
        "supported; scale them down with another program"
    )
