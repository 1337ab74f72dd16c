"""Addresses of hosts as values, built from parts or parsed from text."""

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
"""Field names for parameters whose own names are taken by other fields."""

_DRIVER = re.compile(r"[A-Za-z][A-Za-z0-9.-]*")
_NUMBER = re.compile(r"\s*[+-]?[0-9]{1,9}")
# ssh refuses these, too: a leading hyphen would make an option, and its ProxyCommand's shell would interpret the rest.
_UNFIT = r"\x00-\x1f\x7f'`\"$;&<>|(){}:"
_USER = re.compile(rf"(?![- ])(?:[^{_UNFIT}](?<! -))+(?<![\\ ])\$?")
_HOST = re.compile(r"[\w.~+=][\w.~+=-]*")
_ZONE = re.compile(r"[A-Za-z0-9_.-]+")


def _word(value: str | None) -> str | None:
    return value.lower() if isinstance(value, str) else value


def _absolute(value: str) -> str:
    if not isinstance(value, str):
        return value  # _check_types refuses it later
    return f"/{value}" if value and not value.startswith("/") else value


def _path(value: str | os.PathLike[str] | None) -> str | None:
    return os.fsdecode(value) if isinstance(value, os.PathLike) else value


@attrs.frozen(repr=False)
class HostURI:
    r"""The address of a host, built from its parts; see https://libvirt.org/uri.html.

    ``str()`` returns the address as text, with percent-encoding and brackets. Equal parts give equal text.

    ```pycon
    >>> from libstorage import HostURI
    >>> str(HostURI("qemu", "ssh", user="me", host="::1", port=2222, keyfile="/home/me/my key"))
    'qemu+ssh://me@[::1]:2222/system?keyfile=/home/me/my%20key'

    ```

    Attributes:
        driver: ``qemu``, ``storage``, ``test``, ``esx`` and so on.
        transport: ``unix``, ``ssh``, ``libssh``, ``libssh2``, ``tls``, ``tcp`` or ``ext``. ``None`` means TLS with a
            host, and a socket of this machine without a host.
        user: User name for the login on the host.
        password: Password, which libvirt treats as a part of the user name. ``repr`` hides the password; ``str`` and
            pickles contain it.
        host: Name or IP address; ``None`` is this machine.
        port: TCP port on the host, from 1 to 65535.
        path: ``system`` or ``session``, or another path that the driver accepts.
        socket: Path of the daemon's socket.
        mode: Which daemons to connect to: ``auto``, ``direct`` or ``legacy``.
        proxy: How ssh reaches the socket: ``auto``, ``native`` or ``netcat``. For an ESX host, the proxy server.
        netcat: Program that connects to the socket on the remote host.
        keyfile: Path of the private key for ssh.
        known_hosts: Path of the known hosts file, for ``libssh`` and ``libssh2``.
        known_hosts_verify: ``normal``, ``auto`` or ``ignore``.
        sshauth: Authentication methods, separated by commas: ``agent,privkey``.
        no_tty: Whether to prevent ssh from prompting.
        no_verify: Whether to skip the check of the host's key or certificate.
        no_sanity: Whether to skip the check of this machine's own certificates.
        pkipath: Path of the directory with certificates.
        tls_priority: GnuTLS priority string.
        command: Program that libvirt runs on this machine.
        auth: Authentication method for the daemon: ``none``, ``polkit``, ``sasl`` or ``sasl.MECHANISM``.
        authfile: Path of the file with credentials.
        name: Address that the daemon itself opens.
        api_transport: ``http`` or ``https``, for ESX and Hyper-V: the parameter ``transport``.
        vcenter: The vCenter that manages an ESX host.
        auto_answer: Whether to answer ESX's questions automatically.

    Raises:
        InvalidRequestError: If a part is not valid, or the driver and transport do not support it.
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
                refuse(
                    self.shown,
                    f"{parameter.name} is not valid",
                    f"{parameter.name} must be {parameter.expected}.",
                )
        if self.name:
            self._check_name(self.name)

    @classmethod
    def parse(cls, text: str) -> Self:
        """Parse an address as libvirt does, including the case of names, percent signs, and ``;`` next to ``&``.

        Args:
            text: The address.

        Raises:
            InvalidRequestError: If libvirt cannot parse the address, would ignore a part of it, or would give a part
                another meaning.
        """
        if not isinstance(text, str):
            raise not_text(text)
        parts = take_apart(text)
        implied = transports.implied(parts.driver, has_host=bool(parts.host))
        way = implied if parts.transport is None else transports.named(parts.transport)
        if way is None:
            hint = f"The transport must be {one_of(map(str, transports.WORDS), parts.transport or '-')}."
            refuse_text(text, "the word after the + is not a transport", hint)
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
        """The transport: the value of ``transport``, or the default that libvirt uses without one."""
        if self.transport is None:
            return transports.implied(self.driver, has_host=self.host is not None)
        return Transport(self.transport)

    @property
    def shown(self) -> str:
        """The address without its password and without the values of its parameters."""
        given = "&".join(f"{parameter.name}=…" for parameter, _ in self._parameters())
        return without_secrets(self._before_query(HIDDEN)) + (given and f"?{given}")

    @property
    def without_password(self) -> str:
        """The address with three asterisks in place of its password."""
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

    # ---- checks -----------------------------------------------------------------------------------------------------

    def _check_types(self) -> None:
        switches = {one.name for one in PARAMETERS if one.is_switch}
        for field in attrs.fields(type(self)):
            value = getattr(self, field.name)
            right = int if field.name == "port" else bool if field.name in switches else str
            if value is None and field.default is None:
                continue
            if not isinstance(value, right) or (right is int and isinstance(value, bool)):
                raise invalid(f"HostURI.{field.name} is {article(value)}", f"It must be {article(right())}.")
            if isinstance(value, str) and ("\0" in value or not _can_be_encoded(value)):
                raise invalid(
                    f"HostURI.{field.name} contains a NUL or half a character", "Remove that character."
                )
        if not _DRIVER.fullmatch(self.driver):
            raise invalid("HostURI.driver is not the name of a driver", "Drivers are qemu, storage, test …")
        if self.transport is not None and not transports.named(self.transport):
            listed = one_of(map(str, transports.WORDS), self.transport or "-")
            raise invalid("HostURI.transport is not a transport", f"It must be {listed}.")

    def _check_place(self) -> None:
        if self.host is None:
            if self.port is not None:
                refuse(
                    self.shown,
                    "the address has a port but no host",
                    "For this machine, use the host localhost.",
                )
        elif not _is_host(self.host):
            refuse(
                self.shown,
                "its host is not a host name or IP address",
                "Use a host without special characters.",
            )
        elif self.way is Transport.UNIX:
            refuse(
                self.shown,
                "a socket of this machine has no host",
                "Leave the host out, or use +ssh or +tls.",
            )
        elif not self.path and self.host in {"system", "session"}:
            refuse(self.shown, "a slash is missing", f"Did you mean {self.driver}:///{self.host}?")
        if self.port is not None and not 0 < self.port < 65536:
            refuse(self.shown, "its port is out of range", "The port must be from 1 to 65535.")
        if self.user is not None and not _USER.fullmatch(self.user):
            refuse(
                self.shown,
                "its user is not a name that ssh accepts",
                "Use a user name without special characters.",
            )
        here = self.way in {Transport.UNIX, Transport.NONE}
        if not here and re.search(r"[\x00-\x1f\x7f]", self.path):
            refuse(self.shown, "its path contains a control character", "Paths are /system and /session.")

    def _check_name(self, name: str) -> None:
        if re.fullmatch(r"[A-Za-z0-9_-]+", name):
            return  # an alias, in the daemon's own configuration
        try:
            inner = None if "?" in name else HostURI.parse(name)
        except InvalidRequestError:
            inner = None
        if inner is None or inner.transport is not None or inner.host is not None:
            hint = "Set name to an address without transport, host and parameters, such as qemu:///system."
            refuse(self.shown, "name= would send its daemon elsewhere, or is not an address", hint)

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
    """Return the parameters of an address as arguments for ``HostURI``."""
    taken = known(driver, way)
    fields: dict[str, Any] = {}
    for name, value in parameters:
        parameter = taken.get(name.lower())
        if parameter is None:
            _refuse_parameter(without_secrets(text), name, driver, way)
        made: object = value
        if parameter.is_switch:
            if not _NUMBER.fullmatch(value):
                refuse_text(text, f"{parameter.name} is not valid", f"{parameter.name} must be 0 or 1.")
            made = int(value) != 0
        field = _FIELDS.get(parameter.name, parameter.name)
        if fields.setdefault(field, made) != made:
            refuse_text(
                text, f"the address has {parameter.name} twice, with different values", "Remove one of them."
            )
    return fields


def _refuse_parameter(shown: str, name: str, driver: str, way: Transport) -> NoReturn:
    taken = list(known(driver, way))
    called = name if re.fullmatch(r"[A-Za-z0-9_.-]{1,40}", name) else "of that invalid name"
    place = f"the driver {driver} in this process" if way is Transport.NONE else f"the transport {way}"
    hint = f"The parameter must be {one_of(taken, name)}." if taken else "No parameters are supported there."
    if others := [str(other) for other in transports.WORDS if name.lower() in known(driver, other)]:
        hint = f"libvirt ignores the parameter there: it is for {', '.join(others)}. {hint}"
    refuse(shown, f"{place} does not support the parameter {called}", hint)


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
    """Return whether data sent to ``host`` stays on this machine."""
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
    """Return the error for a value of a wrong type in place of an address."""
    return invalid(f"an address must be a str or a HostURI, not {article(value)}", "Try qemu:///system.")


def invalid(reason: str, hint: str) -> InvalidRequestError:
    """Return the error for a mistake that is reported without the address."""
    return InvalidRequestError(reason, operation="host.open", hint=hint)
