"""``make site``: build the site from the pages and docstrings, and check it. Any warning is an error."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

from docs.site import api, check, search, stage

SOURCE = stage.CHECKOUT / "build" / "site"
SITE = stage.CHECKOUT / "site"
EXECUTED = SITE.with_name("jupyter_execute")  # myst-nb writes the notebooks with their outputs here, too


def main() -> int:
    """Build and check; returns the exit status."""
    started = time.monotonic()
    for folder in (SOURCE, SITE):
        shutil.rmtree(folder, ignore_errors=True)
    prepare(SOURCE)
    command = [sys.executable, "-m", "sphinx", "-W", "--keep-going", "-q", "-E", "-b", "html"]
    built = subprocess.run(
        [*command, "-c", stage.CHECKOUT / "docs", "-d", f"{SOURCE}.doctrees", SOURCE, SITE],
        env=os.environ | {"IPYTHONDIR": str(kernel_settings())},
        check=False,
    )
    shutil.rmtree(EXECUTED, ignore_errors=True)
    if built.returncode:
        return built.returncode
    if wrong := list(check.problems(SITE)):
        print(*wrong, sep="\n", file=sys.stderr)
        return 1
    searched = search.found(SITE, "clone")
    if searched is None:
        print("The search was not tried: no chromium here.")
    elif "guides/clone-volumes.html" not in searched:
        print(f"A search for clone finds {searched}", file=sys.stderr)
        return 1
    pages = len(list(SITE.rglob("*.html")))
    print(f"site/index.html: {pages} pages in {time.monotonic() - started:.0f} s")
    return 0


def kernel_settings() -> Path:
    """Write the settings of the kernel that runs the notebooks, and return their folder."""
    folder = SOURCE.with_name("ipython")
    profile = folder / "profile_default"
    profile.mkdir(parents=True, exist_ok=True)
    quiet = "c.IPKernelApp.log_level = 40  # it warns of its unencrypted loopback connection\n"
    (profile / "ipython_kernel_config.py").write_text(quiet, "utf-8")
    return folder


def prepare(source: Path) -> None:
    """Write what Sphinx reads."""
    stage.stage(source)
    api.write(source / "reference" / "api")
    index = source / "index.md"
    text = index.read_text("utf-8")
    sections = stage.contents(text)
    sections.setdefault("Reference", []).insert(0, "reference/api/index.md")
    index.write_text("\n".join([text, *stage.toctrees(sections), ""]), "utf-8")
    static = Path(__file__).parent / "libstorage.css"
    (source / "_static").mkdir(exist_ok=True)
    shutil.copyfile(static, source / "_static" / static.name)


if __name__ == "__main__":
    sys.exit(main())
