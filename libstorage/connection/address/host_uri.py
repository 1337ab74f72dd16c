"""Addresses of hosts, as values: built from parts or read from text."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from ipaddress import IPv6Address, ip_address
from typing import Any, Final, NoReturn, Self

import attrs

from libstorage.connection.address import transports
from libstorage.connection.address.parameters import PARAMETERS, Parameter, known, names
from libstorage.connection.address.text import (
    HIDDEN,
    encoded,
    refuse,
    refuse_text,
    take_apart,
    without_secrets,
)
from libstorage.connection.address.transports import Transport
from libstorage.errors import InvalidRequestError
from libstorage.xml.wording import article, one_of

_SAFE_IN_USER = "!$&'()*+,;="
_SAFE_IN_PATH = "/:@!$&'()*+,;="
_SAFE_IN_VALUE = "/:@!$'()*+,=?"
_FIELDS: Final = {"transport": "api_transport"}
"""The fields of parameters whose names other fields have already."""

_DRIVER = re.compile(r"[A-Za-z][A-Za-z0-9.-]*")
_NUMBER = re.compile(r"\s*[+-]?[0-9]{1,9}")
# What ssh refuses as well: a hyphen in front is an option, and all else is for its ProxyCommand's shell to read.
_UNFIT = r"\x00-\x1f\x7f'`\"$;&<>|(){}:"
_USER = re.compile(rf"(?![- ])(?:[^{_UNFIT}](?<! -))+(?<![\\ ])\$?")
_HOST = re.compile(r"[\w.~+=][\w.~+=-]*")
_ZONE = re.compile(r"[A-Za-z0-9_.-]+")


def _word(value: str | None) -> str | None:
    return value.lower() if isinstance(value, str) else value


def _absolute(value: str) -> str:
    if not isinstance(value, str):
        return value  # which is refused later
    return f"/{value}" if value and not value.startswith("/") else value


def _path(value: str | os.PathLike[str] | None) -> str | None:
    return os.fsdecode(value) if isinstance(value, os.PathLike) else value


@attrs.frozen(repr=False)
class HostURI:
    r"""The address of a host, from its parts: see https://libvirt.org/uri.html.

    ``str()`` gives the text of it, percent signs and brackets included; equal parts give equal text.

    ```pycon
    >>> from libstorage import HostURI
    >>> str(HostURI("qemu", "ssh", user="me", host="::1", port=2222, keyfile="/home/me/my key"))
    'qemu+ssh://me@[::1]:2222/system?keyfile=/home/me/my%20key'

    ```

    Attributes:
        driver: ``qemu``, ``storage``, ``test``, ``esx`` and so on.
        transport: ``unix``, ``ssh``, ``libssh``, ``libssh2``, ``tls``, ``tcp`` or ``ext``. ``None`` is TLS with a
            host, and a socket of this machine without one.
        user: Who logs in there.
        password: What libvirt takes for a part of the user's name. It is not in ``repr``, but in ``str`` and pickles.
        host: Name or IP address; ``None`` is this machine.
        port: TCP port there, from 1 to 65535.
        path: ``system`` or ``session``, or what the driver takes.
        socket: Path of the daemon's socket.
        mode: Which daemons are asked: ``auto``, ``direct`` or ``legacy``.
        proxy: How ssh reaches the socket: ``auto``, ``native`` or ``netcat``; to an ESX host the server between.
        netcat: Program that reaches the socket on the remote host.
        keyfile: Path of the private key for ssh.
        known_hosts: Path of the file of known hosts, with ``libssh`` and ``libssh2``.
        known_hosts_verify: ``normal``, ``auto`` or ``ignore``.
        sshauth: Ways to log in, with commas between them: ``agent,privkey``.
        no_tty: Whether ssh must not ask for anything.
        no_verify: Whether the host's key or certificate goes unchecked.
        no_sanity: Whether this machine's own certificates go unchecked.
        pkipath: Path of the folder with certificates.
        tls_priority: GnuTLS's priority string.
        command: Program that libvirt runs on this machine.
        auth: How the daemon is told who we are.
        authfile: Path of the file with credentials.
        name: Address that the daemon itself opens.
        api_transport: ``http`` or ``https``, to ESX and Hyper-V: the parameter ``transport``.
        vcenter: The vCenter that manages an ESX host.
        auto_answer: Whether ESX's questions are answered.

    Raises:
        InvalidRequestError: A part is not valid, or of no use with that driver and transport.
    """

    driver: str
    transport: str | None = attrs.field(default=None, converter=_word)
    user: str | None = attrs.field(default=None, kw_only=True)
    password: str | None = attrs.field(default=None, kw_only=True)
    host: str | None = attrs.field(default=None, kw_only=True)
    port: int | None = attrs.field(default=None, kw_only=True)
    path: str = attrs.field(default="/system", kw_only=True, converter=_absolute)
    socket: str | None = attrs.field(default=None, kw_only=True, converter=_path)
    mode: str | None = attrs.field(default=None, kw_only=True)
    proxy: str | None = attrs.field(default=None, kw_only=True)
    netcat: str | None = attrs.field(default=None, kw_only=True)
    keyfile: str | None = attrs.field(default=None, kw_only=True, converter=_path)
    known_hosts: str | None = attrs.field(default=None, kw_only=True, converter=_path)
    known_hosts_verify: str | None = attrs.field(default=None, kw_only=True)
    sshauth: str | None = attrs.field(default=None, kw_only=True)
    no_tty: bool | None = attrs.field(default=None, kw_only=True)
    no_verify: bool | None = attrs.field(default=None, kw_only=True)
    no_sanity: bool | None = attrs.field(default=None, kw_only=True)
    pkipath: str | None = attrs.field(default=None, kw_only=True, converter=_path)
    tls_priority: str | None = attrs.field(default=None, kw_only=True)
    command: str | None = attrs.field(default=None, kw_only=True, converter=_path)
    auth: str | None = attrs.field(default=None, kw_only=True)
    authfile: str | None = attrs.field(default=None, kw_only=True, converter=_path)
    name: str | None = attrs.field(default=None, kw_only=True)
    api_transport: str | None = attrs.field(default=None, kw_only=True)
    vcenter: str | None = attrs.field(default=None, kw_only=True)
    auto_answer: bool | None = attrs.field(default=None, kw_only=True)

    def __attrs_post_init__(self) -> None:
        self._check_types()
        self._check_place()
        taken = known(self.driver, self.way)
        for parameter, value in self._parameters():
            if taken.get(parameter.name) is not parameter:
                _refuse_parameter(self.shown, parameter.name, self.driver, self.way)
            if not parameter.is_valid(value):
                refuse(self.shown, f"{parameter.name} is not valid", f"It takes {parameter.expected}.")
        if self.name:
            self._check_name(self.name)

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read an address as libvirt reads it: the case of names, percent signs, ``;`` beside ``&``.

        Args:
            text: The address.

        Raises:
            InvalidRequestError: libvirt could not read it, would ignore a part of it, or gives it another meaning.
        """
        if not isinstance(text, str):
            raise not_text(text)
        parts = take_apart(text)
        implied = transports.implied(parts.driver, has_host=bool(parts.host))
        way = implied if parts.transport is None else transports.named(parts.transport)
        if way is None:
            hint = f"It is {one_of(map(str, transports.WORDS), parts.transport or '-')}."
            refuse_text(text, "what follows the + is no transport", hint)
        user, colon, password = (parts.user or "").partition(":")
        return cls(
            parts.driver,
            parts.transport,
            user=user or None,
            password=password if colon else None,
            host=parts.host or None,
            port=parts.port,
            path=parts.path,
            **_fields(text, parts.parameters, parts.driver, way),
        )

    @property
    def way(self) -> Transport:
        """How bytes travel: what ``transport`` says, or no word about it means."""
        if self.transport is None:
            return transports.implied(self.driver, has_host=self.host is not None)
        return Transport(self.transport)

    @property
    def shown(self) -> str:
        """The address without its password, and without the values of its parameters."""
        given = "&".join(f"{parameter.name}=…" for parameter, _ in self._parameters())
        return without_secrets(self._before_query(HIDDEN)) + (given and f"?{given}")

    @property
    def without_password(self) -> str:
        """The address with three asterisks for its password."""
        return self._text(HIDDEN)

    def __str__(self) -> str:
        return self._text(None)

    def _text(self, hidden: str | None) -> str:
        given = "&".join(
            f"{parameter.name}={encoded(value, _SAFE_IN_VALUE)}" for parameter, value in self._parameters()
        )
        return self._before_query(hidden) + (given and f"?{given}")

    def _before_query(self, hidden: str | None) -> str:
        plus = "" if self.transport is None else f"+{self.transport}"
        user = encoded(self.user or "", _SAFE_IN_USER)
        if self.password is not None:
            user += f":{hidden or encoded(self.password, _SAFE_IN_USER)}"
        at = "@" if self.user is not None or self.password is not None else ""
        host = self.host or ""
        host = f"[{encoded(host, ':')}]" if ":" in host else encoded(host, "+=")
        port = "" if self.port is None else f":{self.port}"
        return f"{self.driver}{plus}://{user}{at}{host}{port}{encoded(self.path, _SAFE_IN_PATH)}"

    def _parameters(self) -> Iterator[tuple[Parameter, str]]:
        taken = known(self.driver, self.way)
        for name in names():
            value = getattr(self, _FIELDS.get(name, name))
            if value is not None:
                parameter = taken.get(name) or next(one for one in PARAMETERS if one.name == name)
                yield parameter, str(int(value)) if isinstance(value, bool) else value

    # ---- what its parts may be --------------------------------------------------------------------------------------

    def _check_types(self) -> None:
        switches = {one.name for one in PARAMETERS if one.is_switch}
        for field in attrs.fields(type(self)):
            value = getattr(self, field.name)
            right = int if field.name == "port" else bool if field.name in switches else str
            if value is None and field.default is None:
                continue
            if not isinstance(value, right) or (right is int and isinstance(value, bool)):
                raise invalid(f"HostURI.{field.name} is {article(value)}", f"It takes {article(right())}.")
            if isinstance(value, str) and ("\0" in value or not _can_be_encoded(value)):
                raise invalid(f"HostURI.{field.name} holds a NUL or half a character", "Leave it out.")
        if not _DRIVER.fullmatch(self.driver):
            raise invalid("HostURI.driver is not the name of a driver", "Drivers are qemu, storage, test …")
        if self.transport is not None and not transports.named(self.transport):
            listed = one_of(map(str, transports.WORDS), self.transport or "-")
            raise invalid("HostURI.transport is no transport", f"It is {listed}.")

    def _check_place(self) -> None:
        if self.host is None:
            if self.port is not None:
                refuse(self.shown, "it has a port and no host", "localhost is this machine.")
        elif not _is_host(self.host):
            refuse(self.shown, "its host is no name or address of a host", "Take one without odd characters.")
        elif self.way is Transport.UNIX:
            refuse(
                self.shown,
                "a socket of this machine has no host",
                "Leave the host out, or take +ssh or +tls.",
            )
        elif not self.path and self.host in {"system", "session"}:
            refuse(self.shown, "a slash is missing", f"Is {self.driver}:///{self.host} meant?")
        if self.port is not None and not 0 < self.port < 65536:
            refuse(self.shown, "its port is out of range", "Ports are from 1 to 65535.")
        if self.user is not None and not _USER.fullmatch(self.user):
            refuse(self.shown, "its user is no name that ssh takes", "Take one without odd characters.")
        here = self.way in {Transport.UNIX, Transport.NONE}
        if not here and re.search(r"[\x00-\x1f\x7f]", self.path):
            refuse(self.shown, "its path holds a control character", "Paths are /system and /session.")

    def _check_name(self, name: str) -> None:
        if re.fullmatch(r"[A-Za-z0-9_-]+", name):
            return  # an alias, in the daemon's own configuration
        try:
            inner = None if "?" in name else HostURI.parse(name)
        except InvalidRequestError:
            inner = None
        if inner is None or inner.transport is not None or inner.host is not None:
            hint = "It is an address without transport, host and parameters, such as qemu:///system."
            refuse(self.shown, "name= would send its daemon elsewhere, or is no address", hint)

    def __repr__(self) -> str:
        fields = attrs.fields(type(self))
        given = [
            f"{field.name}={HIDDEN if field.name == 'password' else getattr(self, field.name)!r}"
            for field in fields
            if getattr(self, field.name) != field.default
        ]
        return f"HostURI({', '.join(given)})"


def _fields(
    text: str, parameters: tuple[tuple[str, str], ...], driver: str, way: Transport
) -> dict[str, Any]:
    """The parameters of an address as arguments of HostURI's."""
    taken = known(driver, way)
    fields: dict[str, Any] = {}
    for name, value in parameters:
        parameter = taken.get(name.lower())
        if parameter is None:
            _refuse_parameter(without_secrets(text), name, driver, way)
        made: object = value
        if parameter.is_switch:
            if not _NUMBER.fullmatch(value):
                refuse_text(text, f"{parameter.name} is not valid", "It takes 0 or 1.")
            made = int(value) != 0
        field = _FIELDS.get(parameter.name, parameter.name)
        if fields.setdefault(field, made) != made:
            refuse_text(text, f"it says {parameter.name} twice, and not the same", "Leave one of them out.")
    return fields


def _refuse_parameter(shown: str, name: str, driver: str, way: Transport) -> NoReturn:
    taken = list(known(driver, way))
    called = name if re.fullmatch(r"[A-Za-z0-9_.-]{1,40}", name) else "one that is no name"
    place = f"the driver {driver} in this process" if way is Transport.NONE else f"the transport {way}"
    hint = f"It takes {one_of(taken, name)}." if taken else "It takes none."
    if others := [str(other) for other in transports.WORDS if name.lower() in known(driver, other)]:
        hint = f"libvirt ignores it there: it is for {', '.join(others)}. {hint}"
    refuse(shown, f"{place} has no parameter {called}", hint)


def _is_host(host: str) -> bool:
    if ":" not in host:
        return _HOST.fullmatch(host) is not None
    address, percent, zone = host.partition("%")
    try:
        IPv6Address(address)
    except ValueError:
        return False
    return not percent or _ZONE.fullmatch(zone) is not None


def is_loopback(host: str | None) -> bool:
    """Whether what is sent there stays on this machine."""
    if host is None or host.lower() == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False


def _can_be_encoded(text: str) -> bool:
    try:
        text.encode("utf-8", "surrogateescape")
    except UnicodeEncodeError:
        return False
    return True


def not_text(value: object) -> InvalidRequestError:
    """The error for what is no address at all."""
    return invalid(f"an address is a str or a HostURI, not {article(value)}", "Try qemu:///system.")


def invalid(reason: str, hint: str) -> InvalidRequestError:
    """The error for what can be said without an address."""
    return InvalidRequestError(reason, operation="host.open", hint=hint)
