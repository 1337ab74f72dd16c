"""A virtual machine without hardware virtualisation: started, saved, restored, told what to run."""

from __future__ import annotations

import base64
import json
import re
import socket
import subprocess
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Self

DISKS = {"vdb": "512M", "vdc": "512M", "sda": "512M", "sdb": "512M"}
"""The disks beside the root file system, under the names that the guest gives them, and their sizes."""

_KERNEL_WORDS = (
    "console=ttyS0 quiet loglevel=4 mitigations=off nopti nokaslr apparmor=0 audit=0 net.ifnames=0 tsc=reliable "
    "no_timer_check nowatchdog panic=-1 random.trust_cpu=on"
)
_BOOT_LIMIT = 180.0  # seconds; a machine with nothing else to do needs 5
_ANSWER_LIMIT = 120.0


class Machine:
    """One qemu process with overlays of the given disks; nothing that it writes reaches them.

    Args:
        folder: Where its own files go.
        image: The folder with the kernel, the initrd and ``root.img``.
        saved: The folder with a saved state and its disks; without it the machine boots.
    """

    def __init__(self, folder: Path, image: Path, saved: Path | None = None) -> None:
        self._folder = folder
        self._image = image
        self._saved = saved
        self._make_disks()
        incoming = [] if saved is None else ["-incoming", f"exec:cat {saved / 'state'}"]
        with (folder / "qemu.log").open("ab") as log:
            self._process = subprocess.Popen(
                ["setpriv", "--pdeathsig", "KILL", *self._command(), *incoming],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=log,
                start_new_session=True,  # Ctrl-C in a terminal is for the tests
            )
        try:
            self._read_monitor()
            self.monitor("qmp_capabilities")
            self._wait_until_running()
            self._agent = self._open_agent()
        except BaseException:
            self.close()
            raise

    def uri(self) -> str:
        """The address of the guest's libvirt daemon, forwarded to a free port of the loopback interface."""
        table: str = self.monitor("human-monitor-command", **{"command-line": "info usernet"})
        ports = re.search(r"HOST_FORWARD\]\s+\d+\s+127\.0\.0\.1\s+(\d+)", table)
        assert ports, table
        return f"storage+tcp://127.0.0.1:{ports[1]}/system"

    def run(self, command: str) -> str:
        """What a shell in the guest prints for this command.

        Raises:
            RuntimeError: It fails; the message ends with what it printed.
        """
        self._agent.sendall(base64.b64encode(command.encode()) + b"\n")
        answer = b""
        while not answer.endswith(b"\n"):
            piece = self._agent.recv(1 << 16)
            if not piece:
                raise self._failure(f"did not answer to {command!r}")
            answer += piece
        status, _, output = answer.decode().partition(" ")
        printed = base64.b64decode(output).decode("utf-8", "replace").rstrip("\n")
        if status != "0":
            raise RuntimeError(f"{command!r} exited with {status} in the guest:\n{printed}")
        return printed

    def monitor(self, command: str, **arguments: Any) -> Any:
        """What qemu's monitor answers."""
        assert self._process.stdin is not None
        request = json.dumps({"execute": command, "arguments": arguments})
        self._process.stdin.write(request.encode() + b"\n")
        self._process.stdin.flush()
        while True:
            answer = self._read_monitor()
            if "error" in answer:
                raise RuntimeError(f"{command}: {answer['error']['desc']}")
            if "return" in answer:
                return answer["return"]

    def save(self, saved: Path) -> None:
        """Freeze the machine into ``saved``, memory and disks, and end it."""
        saved.mkdir()
        self.monitor("stop")
        self.monitor("migrate-set-parameters", **{"max-bandwidth": 1 << 40})
        self.monitor("migrate", uri=f"exec:cat > {saved / 'state'}")
        while (status := self.monitor("query-migrate")["status"]) != "completed":
            if status == "failed":
                raise self._failure("could not be saved")
            time.sleep(0.02)
        self.close()
        for name in ("root", *DISKS):
            (self._folder / f"{name}.qcow2").rename(saved / f"{name}.qcow2")

    def close(self) -> None:
        """End qemu."""
        self._process.kill()
        self._process.wait()
        for end in (self._process.stdin, self._process.stdout):
            assert end is not None
            end.close()
        if hasattr(self, "_agent"):
            self._agent.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    def _make_disks(self) -> None:
        for name, size in {"root": "", **DISKS}.items():
            if self._saved is not None:
                base = ["-b", str(self._saved / f"{name}.qcow2"), "-F", "qcow2"]
            else:
                base = ["-b", str(self._image / "root.img"), "-F", "raw"] if name == "root" else []
            disk = str(self._folder / f"{name}.qcow2")
            size_if_new = [] if base else [size]
            subprocess.run(["qemu-img", "create", "-q", "-f", "qcow2", *base, disk, *size_if_new], check=True)

    def _command(self) -> Sequence[str]:
        return [
            *("qemu-system-x86_64", "-name", "libstorage-lab", "-machine", "q35,hpet=off", "-cpu", "max"),
            *("-accel", "tcg,thread=multi,tb-size=256", "-smp", "2", "-m", "512"),
            *("-nodefaults", "-no-user-config", "-display", "none", "-no-reboot", "-qmp", "stdio"),
            *("-kernel", f"{self._image}/vmlinuz", "-initrd", f"{self._image}/initrd.gz"),
            *("-append", _KERNEL_WORDS, "-serial", f"file:{self._console}"),
            *("-device", "virtio-rng-pci", "-device", "virtio-scsi-pci,id=scsi"),
            *self._disk("root", "virtio-blk-pci"),
            *self._disk("vdb", "virtio-blk-pci"),
            *self._disk("vdc", "virtio-blk-pci"),
            *self._disk("sda", "scsi-hd,bus=scsi.0,scsi-id=0"),
            *self._disk("sdb", "scsi-hd,bus=scsi.0,scsi-id=1"),
            *("-netdev", "user,id=net,restrict=on,hostfwd=tcp:127.0.0.1:0-10.0.2.15:16509"),
            *("-device", "virtio-net-pci,netdev=net,romfile="),
            *("-chardev", f"socket,id=agent,path={self._folder}/agent,server=on,wait=off"),
            *("-device", "virtio-serial-pci", "-device", "virtserialport,chardev=agent,name=agent"),
        ]

    def _disk(self, name: str, device: str) -> list[str]:
        file = f"file={self._folder}/{name}.qcow2,format=qcow2,cache=unsafe,discard=unmap"
        return [
            "-drive",
            f"if=none,id={name},{file}",
            "-device",
            f"{device},drive={name},serial=LAB{name.upper()}",
        ]

    @property
    def _console(self) -> Path:
        return self._folder / "console.log"

    def _wait_until_running(self) -> None:
        limit = time.monotonic() + _BOOT_LIMIT
        while not self._is_running():
            if time.monotonic() > limit:
                raise self._failure(f"is not up after {_BOOT_LIMIT:g} s")
            time.sleep(0.01)

    def _is_running(self) -> bool:
        if self._process.poll() is not None:
            raise self._failure(f"ended with status {self._process.returncode}")
        if self._saved is None:
            return "lab: ready" in self._console.read_text("utf-8", "replace")
        status = self.monitor("query-status")["status"]
        if status == "paused":  # as it was saved
            self.monitor("cont")
        return bool(status == "running")

    def _open_agent(self) -> socket.socket:
        agent = socket.socket(socket.AF_UNIX)
        agent.settimeout(_ANSWER_LIMIT)
        agent.connect(str(self._folder / "agent"))
        return agent

    def _read_monitor(self) -> dict[str, Any]:
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line:
            raise self._failure(f"ended with status {self._process.wait()}")
        answer: dict[str, Any] = json.loads(line)
        return answer

    def _failure(self, what: str) -> RuntimeError:
        logs = (self._folder / "qemu.log", self._console)
        said = "".join(log.read_text("utf-8", "replace") for log in logs if log.exists())
        return RuntimeError(f"the guest {what}. It printed:\n{said[-2000:]}")
