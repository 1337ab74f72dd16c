"""The search of a built site, as a browser runs it on files, where a page may not fetch another."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path
from tempfile import TemporaryDirectory

BROWSERS = ("chromium", "chromium-browser", "google-chrome")


def found(site: Path, word: str) -> list[str] | None:
    """Return the pages that a search for a word finds; ``None`` if no browser is installed."""
    browser = next(filter(None, map(shutil.which, BROWSERS)), None)
    if browser is None:
        return None
    options = ["--headless", "--no-sandbox", "--disable-gpu", "--virtual-time-budget=10000", "--dump-dom"]
    with TemporaryDirectory() as profile:
        run = subprocess.run(
            [browser, *options, f"--user-data-dir={profile}", f"{(site / 'search.html').as_uri()}?q={word}"],
            check=True,
            capture_output=True,
            text=True,
            timeout=60,
        )
    results = run.stdout.partition('id="search-results"')[2]
    return [
        page.partition("?")[0].partition("#")[0]
        for page in re.findall(r'<li[^>]*><a href="([^"]+)"', results)
    ]
