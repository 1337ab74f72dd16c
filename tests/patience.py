"""A qemu-img with an exact clock."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

# qemu-img measures how long its key derivation takes; on a virtual machine with a coarse clock that is sometimes
# nothing at all, and it gives up: "Unable to get accurate CPU usage".
CPU_CLOCK = r"""
#define _GNU_SOURCE
#include <sys/resource.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>
int getrusage(int who, struct rusage *usage)
{
    struct timespec used;
    int result = syscall(SYS_getrusage, who, usage);
    if (result == 0 && who == 1 /* RUSAGE_THREAD */ && clock_gettime(CLOCK_THREAD_CPUTIME_ID, &used) == 0) {
        usage->ru_utime.tv_sec = used.tv_sec;
        usage->ru_utime.tv_usec = used.tv_nsec / 1000;
    }
    return result;
}
"""


def make_patient_qemu_img(folder: Path) -> str:
    """Put a qemu-img into ``folder`` that makes encrypted images on any machine, if we can build one; return its path."""
    qemu_img, compiler = shutil.which("qemu-img"), shutil.which("cc")
    if qemu_img and compiler:
        (folder / "clock.c").write_text(CPU_CLOCK)
        subprocess.run(
            [compiler, "-shared", "-fPIC", "-o", folder / "clock.so", folder / "clock.c"], check=True
        )
        (folder / "qemu-img").write_text(f'#!/bin/sh\nLD_PRELOAD={folder}/clock.so exec {qemu_img} "$@"\n')
        (folder / "qemu-img").chmod(0o755)
        return str(folder / "qemu-img")
    return "qemu-img"
