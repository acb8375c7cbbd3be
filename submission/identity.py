"""Who is who: from a sign-in to an account, and what an account may do.

The rules are pure functions; the Space calls them in every handler, because a hidden button keeps
nobody from calling the handler behind it.
"""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from protocol.errors import SignInError
from protocol.records import Request

MAX_NAME = 96


class SignedInBy(StrEnum):
    """What vouches for an account's name."""

    SPACE = "space"
    """Hugging Face OAuth in the Space."""
    TOKEN = "token"
    """The token of `hf auth login` in a shell."""
    MACHINE = "machine"
    """The operating system, for a store that is a folder of this machine."""


@dataclass(frozen=True, slots=True)
class Account:
    """Who acts."""

    name: str
    """Username on the Hub; `local:USER` for a machine's user, which no Hub name can be."""
    signed_in_by: SignedInBy


def account_of_profile(profile: Mapping[str, Any] | None) -> Account:
    """Return the account of an OAuth profile, as gradio hands it to a handler.

    Raises:
        SignInError: nobody is signed in, or the profile has no username.
    """
    if profile is None:
        raise SignInError("nobody is signed in; use “Sign in with Hugging Face” above")
    return Account(_name_of(profile, "preferred_username"), SignedInBy.SPACE)


def account_of_whoami(answer: Mapping[str, Any]) -> Account:
    """Return the account of the Hub's answer to whoami.

    Raises:
        SignInError: the token is an organisation's or has no name.
    """
    if answer.get("type") != "user":
        raise SignInError(f"the token is of a {answer.get('type')!r}; wanted a user's")
    return Account(_name_of(answer, "name"), SignedInBy.TOKEN)


def account_for(store: str) -> Account:
    """Return who acts on a store: on the Hub the token's account, on a folder this machine's user.

    Raises:
        SignInError: no token is there, or it is not known.
    """
    return account_of_shell() if store.startswith("hub:") else account_of_machine()


def account_of_machine() -> Account:
    """Return this machine's user, for a store that is a folder."""
    import getpass

    try:
        name = getpass.getuser()
    except (KeyError, OSError):
        # In a container a user may have a number and no name.
        name = str(os.getuid())
    return Account(f"local:{name}", SignedInBy.MACHINE)


def account_of_shell(*, endpoint: str | None = None) -> Account:
    """Return the account of the token that `hf auth login` left.

    Raises:
        SignInError: there is no token, or the Hub does not take it.
    """
    import httpx2
    from huggingface_hub import HfApi, get_token
    from huggingface_hub.errors import HfHubHTTPError, LocalTokenNotFoundError

    token = get_token()
    if token is None:
        raise SignInError("no Hub token here; run `hf auth login`, or set HF_TOKEN")
    try:
        # The Hub limits this call strongly.
        answer = HfApi(endpoint=endpoint, token=token).whoami(cache=True)
    except (HfHubHTTPError, LocalTokenNotFoundError, httpx2.HTTPError) as error:
        raise SignInError(
            f"the Hub does not say whose token this is ({type(error).__name__}); "
            "run `hf auth login` again"
        ) from error
    return account_of_whoami(answer)


def require_submitter(account: Account, request: Request) -> None:
    """Refuse a request that names another submitter than who is signed in.

    Raises:
        SignInError: they differ.
    """
    if request.submitter != account.name:
        raise SignInError(
            f"the request names {request.submitter!r}, and {account.name!r} is signed in"
        )


def require_owner(account: Account, request: Request, maintainers: frozenset[str]) -> None:
    """Refuse to withdraw or supersede somebody else's request.

    Raises:
        SignInError: the account neither submitted it nor maintains the store.
    """
    if account.name != request.submitter and account.name not in maintainers:
        raise SignInError(
            f"{request.request_id} is {request.submitter}'s; {account.name} cannot change it"
        )


def require_maintainer(account: Account, store: str, *, what: str = "decides that") -> None:
    """Refuse who may not write a store's results; on a folder, every user of the machine may.

    Args:
        account: who acts.
        store: as people type it.
        what: is done by nobody else, for the message.

    Raises:
        SignInError: the Hub does not say that the account's token may.
    """
    if account.signed_in_by is SignedInBy.MACHINE:
        return
    import httpx2
    from huggingface_hub import HfApi
    from huggingface_hub.errors import HfHubHTTPError

    results = f"{store.removeprefix('hub:')}-results"
    try:
        HfApi().auth_check(results, repo_type="dataset", write=True)
    except (HfHubHTTPError, httpx2.HTTPError) as error:
        raise SignInError(
            f"only who may write {results} {what}; the Hub does not say that {account.name} "
            f"may ({type(error).__name__})"
        ) from error


def _name_of(source: Mapping[str, Any], key: str) -> str:
    name = source.get(key)
    if not isinstance(name, str) or not 0 < len(name) <= MAX_NAME or ":" in name:
        raise SignInError("the sign-in holds no username; sign out and in again")
    return name
