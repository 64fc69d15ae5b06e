"""Who makes an EWS call, and in whose mailbox."""

from __future__ import annotations

import secrets
from base64 import b64decode
from binascii import Error as NotBase64
from dataclasses import dataclass

from ops.sandbox.call import Call
from ops.sandbox.door import Visit
from ops.sandbox.ews.soap import NS, Request, SoapFault
from ops.sandbox.mailbox import Mailbox
from ops.sandbox.store import Missing
from ops.sandbox.world import Account, World


@dataclass(frozen=True, slots=True)
class Visitor:
    """A signed-in caller with a request. ``mailbox`` None: any mailbox, as a delegate with full access."""

    world: World
    visit: Visit
    request: Request
    mailbox: Mailbox | None

    @property
    def home(self) -> Mailbox:
        """The mailbox meant: the caller's, or the one that a folder id in the request names."""
        named = self.request.element.findtext(".//t:Mailbox/t:EmailAddress", "", NS)
        if self.mailbox is not None:
            return self.mailbox
        return find_mailbox(self.world, named)


@dataclass(frozen=True, slots=True)
class SignedIn:
    """The result of authentication: an account, or an application (``user`` None) or person with a token."""

    user: str | None
    impersonates: bool
    must_impersonate: bool = False


def sign_in(world: World, call: Call) -> SignedIn | None:
    """Who calls, by Basic or Bearer authentication; None if it is nobody we know."""
    token = world.provider.find(call.bearer)
    if token is not None:
        return SignedIn(token.user, impersonates=token.user is None, must_impersonate=token.user is None)
    account = _basic(world, call.headers.get("authorization", ""))
    return SignedIn(account.mailbox, account.impersonates) if account else None


def mailbox_of(world: World, signed_in: SignedIn, request: Request) -> Mailbox | None:
    """The mailbox that the caller acts in; ``SoapFault`` when impersonation is refused or needed.

    https://learn.microsoft.com/exchange/client-developer/exchange-web-services/impersonation-and-ews-in-exchange
    """
    if request.impersonated is None:
        if signed_in.must_impersonate:
            raise SoapFault(
                "ErrorImpersonationRequired",
                "ExchangeImpersonation SOAP header must be present for this type of OAuth token.",
            )
        return find_mailbox(world, signed_in.user) if signed_in.user else None
    if not signed_in.impersonates:
        raise SoapFault(
            "ErrorImpersonateUserDenied", "The account does not have permission to impersonate the requested user."
        )
    return find_mailbox(world, request.impersonated)


def find_mailbox(world: World, address: str) -> Mailbox:
    """A mailbox by address; ``SoapFault``."""
    try:
        mailbox = world.store.mailbox(address)
    except Missing as missing:
        raise SoapFault("ErrorNonExistentMailbox", "No mailbox with such guid.") from missing
    if mailbox.kind == "group":
        raise SoapFault("ErrorNonExistentMailbox", "No mailbox with such guid.")
    return mailbox


def _basic(world: World, header: str) -> Account | None:
    scheme, _, encoded = header.partition(" ")
    if scheme.lower() != "basic":
        return None
    try:
        name, _, password = b64decode(encoded).decode().partition(":")
    except (NotBase64, UnicodeDecodeError):
        return None
    account = world.accounts.get(name.lower())
    matches = account is not None and secrets.compare_digest(password.encode(), account.password.encode())
    return account if matches else None
