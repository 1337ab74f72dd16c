"""Addresses by the thousand, good and hostile, and a process that opens them with programs of ours in place of ssh.

Run as a program it reads a JSON list of addresses, opens each (``bare`` as libvirt does it, ``ours`` as libstorage does),
and prints what became of it: the error, what ssh was given, and whether the program ``evil`` ran.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from random import Random
from typing import Any
from urllib.parse import quote

NOWHERE = "127.0.0.1:1"
_TRANSPORTS = ("ssh", "ssh", "SSH", "sSh", "ext", "Ext", "libssh", "libssh2", "tcp", "tls", "unix", "")
_DRIVERS = ("qemu", "storage", "secret", "test", "xen", "remote", "QEMU", "quux")
_MARKS = ("", " ", "%20", "\t", "%0a", "\u202e", "\u00a0", "\ufeff", "%00", "%c2%a0", "\\", "'", '"')

PROGRAMS = {
    # Records what it was given, and does what the shell of the remote host would do with the last of it.
    "ssh": """printf '%s\\0' "$@" >>{record}; printf '\\n' >>{record}
[ -n "$FAR_SHELL" ] || exit 1
while [ "$1" != -- ]; do shift; done; shift 2; sh -c "$*" >/dev/null 2>&1 </dev/null; exit 1""",
    "nc": "exit 1",
    "virt-ssh-helper": "exit 1",
    "evil": "echo ran >>{ran}; exit 1",
}


def install(folder: Path) -> dict[str, str]:
    """Put the programs in place; the environment that finds them first."""
    programs = folder / "bin"
    programs.mkdir()
    for name, body in PROGRAMS.items():
        program = programs / name
        script = body.replace("{record}", f"{folder}/record").replace("{ran}", f"{folder}/ran")
        program.write_text(f"#!/bin/sh\n{script}\n")
        program.chmod(0o755)
    environment = {name: value for name, value in os.environ.items() if not name.startswith("LIBVIRT_")}
    return environment | {
        "PATH": f"{programs}:{os.environ['PATH']}",
        "RECORDS": str(folder),
        "HOME": str(folder),
        "XDG_RUNTIME_DIR": str(folder),
        "XDG_CONFIG_HOME": str(folder),
        "PYTHONPATH": os.pathsep.join(sys.path),
    }


def outcomes(
    how: str, addresses: list[str], environment: dict[str, str], **more: str
) -> list[dict[str, Any]]:
    """What becomes of addresses that a process of its own opens."""
    done = subprocess.run(
        [sys.executable, __file__, how],
        input=json.dumps(addresses),
        env=environment | more,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    found = [json.loads(line) for line in done.stdout.splitlines()]
    assert len(found) == len(addresses)
    return found


# ---- hostile ones ---------------------------------------------------------------------------------------------------


def hostile(count: int, seed: int, evil: str) -> Iterator[str]:
    """Addresses that try to have a program run, a host unchecked, or an option of ssh's slipped in."""
    rng = Random(seed)
    for _ in range(count):
        transport = rng.choice(_TRANSPORTS)
        driver = rng.choice(_DRIVERS)
        scheme = f"{driver}+{transport}" if transport else driver
        near = transport.lower() not in {"ssh", "ext"}
        host = "" if transport in {"unix", ""} else NOWHERE if near else _host(rng)
        user = "" if not host else _user(rng)
        path = rng.choice(
            ("/system", "/session", "", "/%73ystem", f"/x';{evil};'", f"/x%27;{evil};%27", "/default")
        )
        sections = [_section(rng, evil) for _ in range(rng.choice((1, 1, 2, 3)))]
        if near and not host:
            sections.append("socket=/nowhere/sock")
        query = "".join(f"{rng.choice(('&', ';', '&&', ';&', '&;'))}{section}" for section in sections)[1:]
        tail = rng.choice(("", "", "", "#", "#x", f"#?command={evil}"))
        yield f"{scheme}://{user}{host}{path}?{query}{tail}"


def _host(rng: Random) -> str:
    odd = (
        "-oProxyCommand=evil",
        "%2doProxyCommand=evil",
        "h;evil",
        "h%3Bevil",
        "$(evil)",
        "%60evil%60",
        "h%20-oX",
    )
    return rng.choice(("h", "h", "h", "h:22", "[::1]", *odd))


def _user(rng: Random) -> str:
    return rng.choice(
        ("", "", "", "me@", "me:pw@", "-oProxyCommand=evil@", "%2DoX=evil@", "a;evil@", "$(evil)@", "@")
    )


def _section(rng: Random, evil: str) -> str:
    shell = rng.choice(
        (f"/x;{evil}", f"/x|{evil}", f"/x$({evil})", f"/x`{evil}`", f"/x\n{evil}", f"/x&{evil}&")
    )
    name, value = rng.choice(
        (
            ("command", evil),
            ("command", evil),
            ("socket", shell),
            ("socket", shell),
            ("netcat", evil),
            ("no_verify", rng.choice(("1", "+1", "-1", "01", "2", " 1"))),
            ("keyfile", "-oProxyCommand=evil"),
            ("name", f"qemu+ext://h/system?command={evil}"),
            ("proxy", rng.choice(("native", "netcat", "auto", f"x;{evil}"))),
            ("mode", "legacy"),
            ("no_tty", "1"),
        )
    )
    mark = rng.choice(_MARKS) if rng.random() < 0.1 else ""
    name = "".join(_written(rng, letter) for letter in name)
    value = quote(value, safe=rng.choice(("/", "/;", "/:;=$()")))
    if rng.random() < 0.1:
        value = quote(value, safe="/")
    return rng.choice((f"{mark}{name}={value}", f"{name}{mark}={value}", f"{name}={mark}{value}"))


def _written(rng: Random, letter: str) -> str:
    chance = rng.random()
    if chance < 0.15:
        letter = letter.upper()
    if chance > 0.9:
        letter = f"%{ord(letter):02{rng.choice('xX')}}"
        if chance > 0.98:
            letter = letter.replace("%", "%25")
    return letter


# ---- good ones ------------------------------------------------------------------------------------------------------


def good(count: int, seed: int, folder: Path) -> Iterator[str]:
    """Addresses that people may well write, most of them for ssh."""
    rng = Random(seed)
    seen: set[str] = set()
    while len(seen) < count:
        made = rng.choice((_ssh, _ssh, _ssh, _here, _network, _test))(rng, folder)
        if made not in seen:
            seen.add(made)
            yield made


def _ssh(rng: Random, folder: Path) -> str:
    driver = rng.choice(("qemu", "storage", "secret", "xen", "remote", "lxc"))
    transport = rng.choice(("ssh", "ssh", "SSH", "Ssh"))
    users = (
        "",
        "me@",
        "root@",
        "first.last@",
        "DOM%5Cme@",
        "me%40example.org@",
        "m-e_1+x@",
        "j%C3%BCrgen@",
        "HOST$@",
    )
    hosts = (
        "h",
        "h.example.org",
        "H-1",
        "10.0.0.7",
        "[::1]",
        "[2001:db8::5]",
        "[fe80::1%25eth0]",
        "build_1",
        "h%C3%B6st",
        "",
    )
    user, host = rng.choice(users), rng.choice(hosts)
    port = rng.choice(("", "", ":22", ":2222", ":65535", ":0022")) if host else ""
    path = rng.choice(("/system", "/session", "/%73ystem", "/", "/a%20b", ""))
    if not path and not host:
        path = "/system"
    options = {
        "socket": ("/run/libvirt/libvirt-sock", "/s/a-b_c.d@e%2Bf", "/x%2fy:1,2", "/s%3D1", "/%C3%A4~b"),
        "keyfile": ("/home/me/my%20key", "/k/%C3%A4", "key", "/k'x%22", "~/.ssh/id"),
        "proxy": ("native", "netcat", "auto"),
        "mode": ("auto", "legacy"),
        "no_tty": ("0", "1", "%201", "+1", "007"),
        "no_verify": ("0", "000"),
        "name": ("qemu:///system", "test:///default", "storage%3A///session", "xen%3A%2F%2F%2F"),
        "auth": ("none", "polkit"),
    }
    return f"{driver}+{transport}://{user}{host}{port}{path}{_query(rng, options)}"


def _here(rng: Random, folder: Path) -> str:
    driver = rng.choice(("qemu", "storage+unix", "secret+UNIX", "test+unix", "xen"))
    sockets = (
        "sock",
        "a%20b",
        "a%3Bb",
        "%27%22",
        "%24(id)",
        "%C3%A4",
        "a%26b%3Bc%23d",
        "a?b",
        "%0A",
        "%2525",
    )
    options = {"mode": ("auto", "direct", "legacy"), "auth": ("sasl.GSSAPI",), "authfile": ("/none%20here",)}
    socket = f"{_name(rng, 'socket')}={folder}/{rng.choice(sockets)}"
    query = _query(rng, options, between="&")
    path = rng.choice(("/system", "/session"))
    return (
        f"{driver}://{path}{query}&{socket}" if query else f"{driver}:{rng.choice(('//', ''))}{path}?{socket}"
    )


def _network(rng: Random, folder: Path) -> str:
    scheme = rng.choice(("qemu+tcp", "storage+TCP", "qemu+libssh", "qemu+libssh2"))
    options: dict[str, tuple[str, ...]] = {"auth": ("none",)}
    if "ssh" in scheme:
        options |= {
            "sshauth": ("agent", "privkey,agent", "keyboard-interactive"),
            "known_hosts": ("/none/a%20b",),
            "known_hosts_verify": ("normal",),
            "keyfile": ("/none/key",),
        }
    user = rng.choice(("", "me@", "a%20b@"))
    host = rng.choice((NOWHERE, "127.0.0.2:1", "127.0.0.1:0001"))
    return f"{scheme}://{user}{host}/system{_query(rng, options)}"


def _test(rng: Random, folder: Path) -> str:
    file = rng.choice(
        ("node.xml", "a%20node.xml", "%6eode.xml", "n%C3%B6de.xml", "a;b=c&d.xml", "%25.xml", "@x:y.xml")
    )
    return f"test:{rng.choice(('//', ''))}{folder}/{rng.choice(('', './', '/'))}{file}{rng.choice(('', '?', '?&', '?&;'))}"


def _query(rng: Random, options: dict[str, tuple[str, ...]], between: str | None = None) -> str:
    names = rng.sample(sorted(options), rng.randint(0, min(3, len(options))))
    if "name" in names and "proxy" in names:
        names.remove("name")
    pairs = [f"{_name(rng, name)}={rng.choice(options[name])}" for name in names]
    pairs += pairs[:1] if rng.random() < 0.1 else []
    return "?" + (between or rng.choice("&;")).join(pairs) if pairs else ""


def _name(rng: Random, name: str) -> str:
    """A harmless parameter's name, as libvirt still reads it."""
    return "".join(_once(rng, letter) for letter in name)


def _once(rng: Random, letter: str) -> str:
    chance = rng.random()
    return letter.upper() if chance < 0.05 else f"%{ord(letter):02x}" if chance > 0.97 else letter


# ---- the process that opens them ------------------------------------------------------------------------------------


def _bare(address: str) -> str:
    import libvirt

    try:
        libvirt.open(address).close()
    except libvirt.libvirtError as error:
        return f"libvirtError: {error}"
    except (TypeError, UnicodeError) as error:
        return f"{type(error).__name__}: {error}"
    return "opened"


def _ours(address: str) -> str:
    import libstorage

    try:
        libstorage.connect(address).close()
    except libstorage.StorageError as error:
        return f"{type(error).__name__}: {error.message}"
    return "opened"


def _open_each(how: str) -> None:
    import libvirt

    libvirt.registerErrorHandler(lambda *_: None, None)
    record, ran = (Path(os.environ["RECORDS"], name) for name in ("record", "ran"))
    for address in json.load(sys.stdin):
        for file in (record, ran):
            file.unlink(missing_ok=True)
        said = (_ours if how == "ours" else _bare)(address)
        seen = os.fsdecode(record.read_bytes()) if record.exists() else ""
        told = {"address": address, "said": said, "argv": seen, "ran": ran.exists()}
        os.write(3, f"{json.dumps(told)}\n".encode())


if __name__ == "__main__":
    os.dup2(1, 3)
    os.dup2(2, 1)  # libvirt's own warnings are no answers of ours
    _open_each(sys.argv[1])
