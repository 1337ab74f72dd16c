"""Addresses: what they say, and which are refused."""

from __future__ import annotations

import pickle
import traceback
from contextlib import suppress
from pathlib import Path
from time import process_time
from typing import Any

import attrs
import pytest

import libstorage as ls
from libstorage.connection.address.uri import DANGERS, Address, Transport, parse
from libstorage.errors import ConnectionFailedError, InvalidRequestError


@pytest.mark.parametrize(
    ("uri", "address"),
    [
        ("qemu:///system", Address("qemu:///system", "qemu", Transport.UNIX)),
        ("qemu+unix:///system", Address("qemu+unix:///system", "qemu", Transport.UNIX)),
        ("qemu://host/system", Address("qemu://host/system", "qemu", Transport.TLS, 16514)),
        ("qemu+tls://host:7/system", Address("qemu+tls://host:7/system", "qemu", Transport.TLS, 7)),
        (
            "storage+tcp://[::1]/system",
            Address("storage+tcp://[::1]/system", "storage", Transport.TCP, 16509),
        ),
        ("qemu+ssh://me@host/system", Address("qemu+ssh://me@host/system", "qemu", Transport.SSH)),
        ("qemu+ssh://host:2222/system", Address("qemu+ssh://host:2222/system", "qemu", Transport.SSH)),
        ("qemu+libssh2://host/system", Address("qemu+libssh2://host/system", "qemu", Transport.LIBSSH2, 22)),
        ("test:///default", Address("test:///default", "test", Transport.NONE)),
        ("test+unix:///default", Address("test+unix:///default", "test", Transport.UNIX)),
        ("test://host/default", Address("test://host/default", "test", Transport.TLS, 16514)),
        ("esx://host/?auto_answer=1", Address("esx://host/?auto_answer=1", "esx", Transport.NONE)),
        (
            "storage:///session?socket=/tmp/a%20b/sock&mode=direct",
            Address(
                "storage:///session?socket=/tmp/a%20b/sock&mode=direct",
                "storage",
                Transport.UNIX,
                socket="/tmp/a b/sock",
            ),
        ),
        ("my-alias", Address("my-alias")),
        (None, Address(None)),
    ],
)
def test_what_an_address_says(uri: str | None, address: Address) -> None:
    assert parse(uri) == address
    assert parse(uri).exact == uri


@pytest.mark.parametrize("transport", Transport)
def test_only_this_machine_is_local(transport: Transport) -> None:
    expected = transport in {Transport.UNIX, Transport.NONE}
    assert Address("x:///", transport=transport).is_local is expected


@pytest.mark.parametrize(
    ("uri", "exact"),
    [
        ("qemu:///system?SOCKET=/s", "qemu:///system?socket=/s"),
        ("qemu:///system?%73oc%6Bet=/s", "qemu:///system?socket=/s"),
        ("qemu:///system?mode=auto;socket=/s", "qemu:///system?socket=/s&mode=auto"),
        ("qemu:///system?socket=/s;x&mode=auto", "qemu:///system?socket=/s%3Bx&mode=auto"),
        ("qemu:///system?&&socket=/%25%3b%26%23%2f", "qemu:///system?socket=/%25%3B%26%23/"),
        ("qemu:///system?socket=/s&socket=/s", "qemu:///system?socket=/s"),
        ("qemu:///system?socket=/%FF", "qemu:///system?socket=/%FF"),
        ("qemu:///%73ystem", "qemu:///system"),
        ("qemu:/system", "qemu:///system"),
        ("QEMU+SSH://h/system", "QEMU+ssh://h/system"),
        ("qemu+ssh://h/system?no_verify=%20000&no_tty=+7", "qemu+ssh://h/system?no_tty=1&no_verify=0"),
        ("qemu+ssh://DOM%5cme@[FE80::1%eth0]:022/", "qemu+ssh://DOM%5Cme@[FE80::1%25eth0]:22/"),
        ("qemu+ssh://u%40r%C3%BC@/system", "qemu+ssh://u%40r%C3%BC@/system"),
    ],
)
def test_libvirt_is_given_what_was_understood(uri: str, exact: str) -> None:
    assert parse(uri).exact == exact
    assert str(ls.HostURI.parse(exact)) == exact


@pytest.mark.parametrize(
    ("uri", "reason"),
    [
        ("", "the address is empty"),
        ("qemu:///sys tem", "a space or a control character"),
        ("qemu:///system\n", "a space or a control character"),
        ("qemu:///\u202esystem", "a space or a control character, U\\+202E"),
        ("qemu:///syst\u00e9me", "U\\+00E9"),
        ("qemu:///\ud800", "U\\+D800"),
        ("qemu:///system?socket=/x%00y", "a NUL"),
        ("qemu:///%zz", "two digits"),
        ("/var/run/libvirt/libvirt-sock", "does not begin with a driver"),
        ("qemu:system", "no slash"),
        ("qemu+quux:///system", "not a transport"),
        ("qemu+none:///system", "not a transport"),
        ("qemu+ssh+x://h/system", "not a transport"),
        ("qemu://[::1/system", "not user@host:port"),
        ("qemu://[host]/system", "not user@host:port"),
        ("qemu://host:port/system", "not user@host:port"),
        ("qemu://host:/system", "not user@host:port"),
        ("qemu://host:0/system", "out of range"),
        ("qemu://host:65536/system", "out of range"),
        ("qemu+ssh://:22/system", "a port but no host"),
        ("qemu+ssh://@h/system", "not user@host:port"),
        ("qemu+ssh://a@b@h/system", "not user@host:port"),
        ("qemu+ssh://-oProxyCommand=x/system", "not a host name or IP address"),
        ("qemu+ssh://%2DoProxyCommand=x/system", "not a host name or IP address"),
        ("qemu+ssh://h%20x/system", "not a host name or IP address"),
        ("qemu+ssh://-oX@h/system", "not a name that ssh accepts"),
        ("qemu+ssh://a%3Bb@h/system", "not a name that ssh accepts"),
        ("qemu+ssh://a%20-b@h/system", "not a name that ssh accepts"),
        ("qemu+unix://h/system", "has no host"),
        ("qemu://system", "a slash is missing"),
        ("qemu:///system#x", "a fragment"),
        ("qemu:///system?=x", "a value without a name"),
        ("qemu:///system?socket=[x]", "a bracket"),
        ("qemu:///system?socket=", "socket is not valid"),
        ("qemu:///system?mode=fast", "mode is not valid"),
        ("qemu:///system?auth=root", "auth is not valid"),
        ("qemu+ssh://h/system?no_tty=yes", "no_tty is not valid"),
        ("qemu+ssh://h/system?keyfile=-oX", "keyfile is not valid"),
        ("qemu+ssh://h/sys%0Atem", "a control character"),
        ("esx://h/?transport=bad", "transport is not valid"),
        ("qemu:///system?socket=/a&socket=/b", "has socket twice"),
        ("qemu:///system?sockt=/a", "does not support the parameter sockt"),
        ("qemu:///system?%2563ommand=/a", "does not support the parameter of that invalid name"),
        ("qemu:///system?command=/a", "does not support the parameter command"),
        ("qemu+tcp://localhost/system?no_verify=1", "does not support the parameter no_verify"),
        ("test:///default?socket=/a", "does not support the parameter socket"),
        ("qemu:///system?name=qemu%2bssh://h/system", "name= would send its daemon elsewhere"),
        ("qemu:///system?name=qemu://h/system", "name= would send its daemon elsewhere"),
        ("qemu:///system?name=qemu:///system?mode=auto", "name= would send its daemon elsewhere"),
        ("qemu:///s?" + "name=qemu:///s?" * 1000, "name= would send its daemon elsewhere"),
        ("qemu:///system?name=no%20address", "name= would send its daemon elsewhere"),
        ("qemu+tls://me:***@h/system", "which was left out for display"),
        ("qemu:///" + "a" * 17_000, "longer than"),
    ],
)
def test_mistakes_are_refused(uri: str, reason: str) -> None:
    with pytest.raises(InvalidRequestError, match=reason) as caught:
        parse(uri, allow=DANGERS)
    assert caught.value.hint
    assert (caught.value.outcome, caught.value.retry) == ("not_started", "no")
    assert len(str(caught.value)) < 600


def test_a_misspelt_parameter_is_recognised() -> None:
    with pytest.raises(InvalidRequestError) as caught:
        parse("qemu+libssh://h/system?known_host=/x")
    assert "did you mean 'known_hosts'?" in str(caught.value)


def test_a_parameter_of_another_transport_is_told_whose_it_is() -> None:
    with pytest.raises(InvalidRequestError, match="ignores the parameter there: it is for libssh, libssh2"):
        parse("qemu+ssh://h/system?known_hosts=/home/me/pinned")


@pytest.mark.parametrize("uri", [b"qemu:///system", 5, Path("/x"), ["qemu:///system"], object()])
def test_only_text_is_an_address(uri: Any) -> None:
    with pytest.raises(InvalidRequestError, match="an address must be a str or a HostURI, not"):
        ls.connect(uri)


TRAPS = {
    "command": [
        "qemu+ext:///system?command=/bin/evil",
        "qemu+EXT://h/system",
        "qemu+ssh://host/system?Command=/bin/evil",
        "qemu+ssh://host/system?socket=/x;%63ommand=/bin/evil",
        "qemu+ssh://host/system?no_tty=1;command=/bin/evil",
        "qemu+ssh://host/system?mode=auto&no_tty=1;command=/bin/evil",
    ],
    "netcat": ["qemu+ssh://host/system?netCat=/bin/evil", "qemu+libssh://host/system?netcat=x"],
    "no_verify": [
        "qemu+ssh://host/system?no_verify=1",
        "qemu+ssh://host/system?NO_VERIFY=-1",
        "qemu://host/system?no_verify=1",
        "qemu://host/system?no_sanity=1",
        "qemu://host/system?tls_priority=NORMAL:%2BANON-ECDH",
        "qemu+libssh://host/system?known_hosts_verify=ignore",
        "qemu+libssh2://host/system?known_hosts_verify=auto",
        "esx://host/?no_verify=1",
    ],
    "tcp": [
        "qemu+tcp://host/system",
        "qemu+TCP://10.0.0.1/system",
        "esx://host/?transport=http",
        "qemu://host/system?tls_priority=NORMAL:%2BNULL",
    ],
    "password": [
        "qemu+ssh://me:hunter2@host/system",
        "qemu+ssh://me%3Ahunter2@host/system",
        "qemu+ssh://:hunter2@host/system",
        "qemu+ssh://me:@host/system",
    ],
    "socket-shell": [
        "qemu+ssh://host/system?socket=/x%27$(id)%27",
        "qemu+libssh://host/system?Socket=/x%7Cid",
        "qemu+libssh2://host/system?socket=/x%20-e",
        "qemu+ssh://host/system?socket=~/x",
    ],
}


@pytest.mark.parametrize(("word", "uri"), [(word, uri) for word, uris in TRAPS.items() for uri in uris])
def test_each_danger_has_its_word(word: str, uri: str) -> None:
    others = set(DANGERS) - {word}
    with pytest.raises(InvalidRequestError) as caught:
        parse(uri, allow=others)
    assert f'allow={{"{word}"}}' in str(caught.value)
    assert "hunter2" not in f"{caught.value}{caught.value!r}"
    assert ls.HostURI.parse(parse(uri, allow=[word]).exact or "") == ls.HostURI.parse(uri)


def test_each_word_is_needed_somewhere() -> None:
    assert TRAPS.keys() == DANGERS.keys()


def test_all_words_that_are_missing_are_named() -> None:
    with pytest.raises(InvalidRequestError, match='"command", "no_verify", "password"'):
        parse("qemu+ssh://me:pw@h/system?command=x&no_verify=1")


@pytest.mark.parametrize("allow", ["command", {"comand"}, [5], 7, {"command", ""}])
def test_what_is_no_word_is_refused(allow: Any) -> None:
    with pytest.raises(InvalidRequestError, match="allow") as caught:
        ls.connect("qemu:///system", allow=allow)
    assert "socket-shell" in str(caught.value)


def test_unsafe_is_all_words_and_deprecated(tmp_path: Path) -> None:
    program = tmp_path / "program"
    program.write_text(f"#!/bin/sh\ntouch {tmp_path}/ran\n")
    program.chmod(0o755)
    with pytest.warns(DeprecationWarning, match="allow="), pytest.raises(ConnectionFailedError):
        ls.connect(f"qemu+ext:///system?command={program}", unsafe=True)
    assert (tmp_path / "ran").exists()


FAULTS = [
    "qemu+ssh://u:HUNTER2@h:port/system",
    "qemu+ssh://u:HUNTER2@h:/system",
    "qemu+ssh://u:HUNTER2@h:99999/system",
    "qemu+ssh://u:HUNTER2@[h/system",
    "qemu+ssh://u:HUNTER2@h]/system",
    "qemu+ssh://u:HUNTER2@[::z]/system",
    "qemu+xx://u:HUNTER2@h/system",
    "qemu+xx+ssh://u:HUNTER2@h/system",
    "qemu+ssh://u:HUNTER2 @h/system",
    "qemu+ssh://u:HUN TER2@h/system",
    "qemu+ssh://u:HUNTER2@h/sys\ntem",
    "qemu+ssh://u:HUN/TER2@h/system",
    "qemu+ssh://u:12/HUNTER2@h/system",
    "qemu+ssh://u:HUN?TER2@h/system",
    "qemu+ssh://u:HUN#TER2@h/system",
    "qemu+ssh://u:HUN@TER2@h/system",
    "qemu+ssh://u:HUN%zzTER2@h/system",
    "qemu+ssh://u:HUNTER2%40h/system",
    "qemu+ssh://u%3aHUNTER2%40h/system",
    "qemu+ssh://u%3AHUNTER2@h/system",
    "qemu+ssh://u%253AHUNTER2%2540h;/system",
    "qemu+ssh://u:HUNTER2\uff20h/system",
    "qemu+ssh://u:HUNTER2",
    "qemu+ssh://-u:HUNTER2@h/system",
    "qemu+ssh://u:HUNTER2@-h/system",
    "qemu+ssh://u:HUNTER2@/system#f",
    "qemu+ssh:/u:HUNTER2@h/system",
    "qemu+ssh//u:HUNTER2@h/system",
    "://u:HUNTER2@h/system",
    "//u:HUNTER2@h/system",
    "u:HUNTER2@h",
    "u:HUNTER2@h/system?x=y",
    " qemu+ssh://u:HUNTER2@h/system",
    "qemu+ssh://u:HUNTER2@h/system?unknown=1",
    "qemu+ssh://u:pw@h/system?password=HUNTER2",
    "qemu+ssh://h/system?netcat=HUNTER2",
    "qemu+ssh://h/system?HUNTER2%20x",
    "qemu+ssh://h/system?keyfile=-HUNTER2",
    "qemu+ssh://h/system?mode=HUNTER2",
    "qemu+ssh://h/system?no_tty=HUNTER2",
    "qemu+ssh://h/system?name=qemu://u:HUNTER2@h/x",
    "qemu+ssh://h/system?socket=/a&socket=HUNTER2",
    "qemu+ssh://h/system?socket=/$HUNTER2",
    "qemu+unix://u:HUNTER2@h/system",
    "qemu+ssh://u:HUNTER2" + "x" * 20_000 + "@h/system",
]


@pytest.mark.parametrize("uri", FAULTS, ids=range(len(FAULTS)))
def test_no_fault_shows_a_password(uri: str) -> None:
    with pytest.raises(InvalidRequestError) as caught:
        parse(uri)
    error = caught.value
    shown = "".join(traceback.format_exception(error))
    everything = f"{error}{error!r}{error.args}{vars(error)}{error.__cause__!r}{error.__context__!r}{shown}"
    for half in ("HUNTER2", "HUN", "TER2"):
        assert half not in everything
        assert half.encode() not in pickle.dumps(error)


@pytest.mark.parametrize(
    "piece", ["a:", "@", ":", "%25", "%40", "a;", "&", "[", "//", "u:p@", "x" * 50 + "=", "-a"]
)
@pytest.mark.parametrize("start", ["", "qemu+ssh://", "qemu:///system?", "qemu+ssh://h/system?socket=/"])
def test_a_long_address_is_refused_or_read_at_once(start: str, piece: str) -> None:
    for count in (16_000 // len(piece), 300_000 // len(piece)):
        before = process_time()
        with suppress(InvalidRequestError):
            parse(start + piece * count)
        assert process_time() - before < 5  # seconds; what is quadratic takes minutes


@pytest.mark.parametrize("uri", ["qemu+ssh://u:HUNTER2@h:x/", "qemu+ext://u:HUNTER2@h/?command=/none/such"])
def test_our_frames_hold_no_password(uri: str) -> None:
    with pytest.raises(ls.StorageError) as caught:
        ls.connect(uri, allow=DANGERS)
    made = traceback.TracebackException.from_exception(caught.value, capture_locals=True)
    ours = [frame for frame in made.stack if "libstorage" in Path(frame.filename).parts[-3:]]
    assert ours
    assert "HUNTER2" not in f"{[frame.locals for frame in ours]}"


class TestPasswordsOfAcceptedAddresses:
    @pytest.fixture
    def uri(self, tmp_path: Path) -> str:
        program = tmp_path / "says it"
        program.write_text("#!/bin/sh\nhead -c 1 >/dev/null\necho me:HUNT%ER2@h: denied >&2\nexit 1\n")
        program.chmod(0o755)
        return f"qemu+ssh://me:HUNT%25ER2@h/system?command={str(program).replace(' ', '%20')}"

    def test_are_not_in_errors(self, uri: str) -> None:
        with pytest.raises(ConnectionFailedError) as caught:
            ls.connect(uri, allow={"command", "password"})
        assert "me:***@h: denied" in str(caught.value)
        everything = f"{caught.value}{caught.value!r}{caught.value.uri}"
        assert "HUNT" not in everything
        assert b"HUNT" not in pickle.dumps(caught.value)

    def test_are_given_to_libvirt_only(self, uri: str) -> None:
        address = parse(uri, allow=DANGERS)
        assert "HUNT%25ER2" in (address.exact or "")
        assert "HUNT" not in f"{address!r}{address.uri}"

    def test_so_that_what_was_shown_does_not_open(self, uri: str) -> None:
        with pytest.raises(InvalidRequestError, match="left out"):
            parse(parse(uri, allow=DANGERS).uri, allow=DANGERS)


def test_a_traceback_with_locals_can_be_made_of_a_failed_connect() -> None:
    with pytest.raises(ConnectionFailedError) as caught:
        ls.connect("storage:///system?socket=/nonexistent")
    made = traceback.TracebackException.from_exception(caught.value, capture_locals=True)
    assert "<Connection storage:///system?socket=/nonexistent>" in "".join(made.format())


@pytest.mark.parametrize(
    ("uri", "twin"),
    [
        ("storage:///system", "secret:///system"),
        ("storage:///session?socket=/run/x/libvirt-sock", "secret:///session?socket=/run/x/libvirt-sock"),
        ("storage+tcp://localhost:1/system", "secret+tcp://localhost:1/system"),
        ("storage:///system?socket=/run/virtstoraged-sock", "secret:///system?socket=/run/virtsecretd-sock"),
        ("storage:///system?%53ocket=/virtstoraged-sock/s", "secret:///system?socket=/virtstoraged-sock/s"),
        ("storage:///system?name=storage:///session", "secret:///system?name=secret:///session"),
        ("storage+ssh://me@h/storage", "secret+ssh://me@h/storage"),
        ("qemu:///system", "qemu:///system"),
        ("test:///default", "test:///default"),
        ("alias", "alias"),
        (None, None),
    ],
)
def test_where_the_secrets_are(uri: str | None, twin: str | None) -> None:
    assert parse(uri).secret_twin().exact == twin


class Opened:
    """What libvirt says that it has opened."""

    def __init__(self, uri: str) -> None:
        self.getURI = lambda: uri


@pytest.mark.parametrize("given", [None, "alias"])
@pytest.mark.parametrize(
    ("actual", "shown", "transport"),
    [
        ("storage:///system", "storage:///system", Transport.UNIX),
        ("qemu+ssh://me:pw@h/x?command=a", "qemu+ssh://me:***@h/x?command=a", Transport.SSH),
        ("qemu+ssh://me:pw@h/x?unheard=of", "qemu+ssh://me:***@h/x?…", Transport.SSH),
        ("qemu://me:pw@h/x?unheard=of", "qemu://me:***@h/x?…", Transport.TLS),
        ("qemu:///x?unheard=of", "qemu:///x?…", Transport.UNIX),
        ("unheard of", "unheard of", Transport.UNKNOWN),
    ],
)
def test_what_the_user_has_configured_is_never_refused(
    given: str | None, actual: str, shown: str, transport: Transport
) -> None:
    connection: Any = Opened(actual)
    found = parse(given).resolved(connection)
    assert (found.uri, found.exact, found.transport) == (given or shown, given or actual, transport)


def test_an_alias_of_a_storage_host_has_a_twin() -> None:
    connection: Any = Opened("storage+ssh://h/system")
    assert parse("alias").resolved(connection).secret_twin().exact == "secret+ssh://h/system"


class TestParts:
    @pytest.mark.parametrize(
        ("uri", "text"),
        [
            (ls.HostURI("qemu"), "qemu:///system"),
            (ls.HostURI("storage", path="session"), "storage:///session"),
            (ls.HostURI("qemu", path=""), "qemu://"),
            (ls.HostURI("qemu", "SSH", host="h", user="a b@c", port=22), "qemu+ssh://a%20b%40c@h:22/system"),
            (ls.HostURI("qemu", host="::1"), "qemu://[::1]/system"),
            (ls.HostURI("qemu", "ssh", host="fe80::1%eth0"), "qemu+ssh://[fe80::1%25eth0]/system"),
            (
                ls.HostURI("storage", socket=Path("/s/a b&c;d=e#f?g%ä")),
                "storage:///system?socket=/s/a%20b%26c%3Bd=e%23f?g%25%C3%A4",
            ),
            (
                ls.HostURI("qemu", "ssh", host="h", no_tty=True, no_verify=False),
                "qemu+ssh://h/system?no_tty=1&no_verify=0",
            ),
            (ls.HostURI("esx", host="h", path="", api_transport="https"), "esx://h?transport=https"),
            (
                ls.HostURI("qemu", "tcp", host="h", user="u", password="p@:/"),
                "qemu+tcp://u:p%40%3A%2F@h/system",
            ),
        ],
    )
    def test_make_text_that_says_the_same(self, uri: ls.HostURI, text: str) -> None:
        assert str(uri) == text
        assert ls.HostURI.parse(text) == uri
        assert pickle.loads(pickle.dumps(uri)) == uri

    def test_in_a_repr_are_no_passwords(self) -> None:
        uri = ls.HostURI("qemu", "tcp", host="h", user="u", password="HUNTER2")
        assert repr(uri) == "HostURI(driver='qemu', transport='tcp', user='u', password='***', host='h')"

    @pytest.mark.parametrize(
        "parts",
        [
            {"driver": "qemu+ssh"},
            {"driver": ""},
            {"driver": None},
            {"transport": "quux"},
            {"transport": "none"},
            {"transport": 5},
            {"host": "a b"},
            {"host": "-x"},
            {"host": ""},
            {"host": "h", "port": 0},
            {"host": "h", "port": "22"},
            {"host": "h", "port": True},
            {"port": 22},
            {"path": None},
            {"path": 5},
            {"socket": b"/x"},
            {"socket": "/x\0"},
            {"socket": "\ud800"},
            {"user": "a:b", "host": "h"},
            {"user": "", "host": "h"},
            {"keyfile": "/k"},
            {"no_tty": True},
            {"transport": "ssh", "host": "h", "no_tty": "yes"},
            {"transport": "ssh", "host": "h", "no_tty": 1},
            {"mode": "fast"},
            {"vcenter": "x"},
        ],
    )
    def test_are_checked(self, parts: dict[str, Any]) -> None:
        made: dict[str, Any] = {"driver": "qemu"} | parts
        with pytest.raises(InvalidRequestError) as caught:
            ls.HostURI(**made)
        assert (caught.value.outcome, caught.value.retry, bool(caught.value.hint)) == (
            "not_started",
            "no",
            True,
        )

    def test_are_refused_where_they_are_dangerous(self) -> None:
        with pytest.raises(InvalidRequestError, match="run a program"):
            ls.connect(ls.HostURI("qemu", "ssh", host="h", command="/bin/evil"))

    def test_change_as_values_do(self) -> None:
        uri = attrs.evolve(ls.HostURI("qemu", "ssh", host="h"), port=2222)
        with pytest.raises(InvalidRequestError, match="out of range"):
            attrs.evolve(uri, port=65536)
        assert str(uri) == "qemu+ssh://h:2222/system"
