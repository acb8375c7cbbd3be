"""What is missing or broken, collected so that one run names all of it."""

from protocol.errors import DatasetError

SHOWN = 200


class Faults:
    """A list that ends in one error."""

    def __init__(self) -> None:
        """Start with none."""
        self._lines: list[str] = []

    def __len__(self) -> int:
        """Return how many there are."""
        return len(self._lines)

    def add(self, where: object, what: object) -> None:
        """Note what is wrong where."""
        self._lines.append(f"{where}: {what}")

    def check(self, what: str) -> None:
        """Do nothing when there are none.

        Raises:
            DatasetError: there are some; the message lists them.
        """
        if not self._lines:
            return
        more = len(self._lines) - SHOWN
        lines = [*self._lines[:SHOWN], *([f"and {more} more"] if more > 0 else [])]
        found = f"{len(self._lines)} fault{'s' if len(self._lines) > 1 else ''}"
        raise DatasetError(f"{what}: {found}\n  " + "\n  ".join(lines))
