"""Counts as people read them."""


def counted(count: int, thing: str) -> str:
    """Return `1 picture` and `2 pictures`."""
    return f"{count:,} {thing}" if count == 1 else f"{count:,} {thing}s"
