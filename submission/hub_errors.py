"""What the Hub's client raises when the Hub, or a file of it, is not to be had."""


def hub_errors(*others: type[Exception]) -> tuple[type[Exception], ...]:
    """Return the classes to catch: of the answer, of the connection, of a cache without it.

    Args:
        others: classes that the caller means by the same, such as ValueError for a malformed id.
    """
    import httpx2
    from huggingface_hub.errors import HfHubHTTPError, LocalEntryNotFoundError, OfflineModeIsEnabled

    return (
        HfHubHTTPError,
        LocalEntryNotFoundError,
        OfflineModeIsEnabled,
        httpx2.HTTPError,
        *others,
    )
