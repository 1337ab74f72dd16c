"""Sphinx's settings for the site, which ``make site`` builds from the pages that docs/site/stage.py writes."""

from __future__ import annotations

import builtins
import re
import sys
from enum import Enum
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1]))

import attrs

import libstorage
from docs.site.api import homes
from docs.site.docstrings import fields_of, translated
from libstorage.xml.document import Element

project = "libstorage"
release = version = libstorage.__version__
copyright = "The libstorage maintainers"  # noqa: A001 -- Sphinx's name
html_title = f"libstorage {release}"
html_theme = "furo"
html_show_sourcelink = False
html_show_copyright = False
html_static_path = ["../build/site/_static"]
html_css_files = ["libstorage.css"]
extensions = ["myst_nb", "sphinx.ext.autodoc", "sphinx.ext.napoleon", "sphinx_copybutton"]
root_doc = "index"
nitpicky = True
default_role = "code"
suppress_warnings = ["misc.highlighting_failure"]  # wrong documents are shown, too
pygments_style = "friendly"
pygments_dark_style = "github-dark"

# Notebooks run when the site is built. A bar is shown as its text, because a widget would be loaded from elsewhere.
nb_execution_mode = "force"
nb_execution_raise_on_error = True
nb_execution_timeout = 60
nb_ipywidgets_js: dict[str, Any] = {}
nb_merge_streams = True
nb_mime_priority_overrides = [("html", "application/vnd.jupyter.widget-view+json", None)]
nb_render_error_lexer = "text"

myst_heading_anchors = 4
myst_enable_extensions = ["colon_fence"]
autodoc_member_order = "bysource"
autodoc_typehints = "signature"
autodoc_preserve_defaults = True
python_use_unqualified_type_names = True
python_maximum_signature_line_length = 88
napoleon_use_ivar = True
napoleon_use_rtype = False
copybutton_prompt_text = r">>> |\.\.\. |\$ "
copybutton_prompt_is_regexp = True
copybutton_selector = "div:not(.prints) > div.highlight > pre"

_DEFAULT = re.compile(r"attr_dict\['(\w+)'\]\.default")  # as attrs writes it into a constructor
_HOMES = {f"libstorage.{module}.{name}": f"libstorage.{name}" for name, module in homes().items()}


def _translate(app: Any, what: str, name: str, thing: Any, options: Any, lines: list[str]) -> None:
    lines[:] = translated(lines)
    if what == "class" and issubclass(thing, Element) and thing is not Element:
        lines += fields_of(thing)


def _constructor(
    app: Any, what: str, name: str, thing: Any, options: Any, signature: str | None, answer: str
) -> Any:
    """Leave out how handles, which a host returns, and errors, which share one list of fields, are constructed."""
    if what != "class" or not signature:
        return None
    if "channel: " in signature or (issubclass(thing, Exception) and thing is not libstorage.StorageError):
        return "", answer
    return _DEFAULT.sub(lambda field: _default(thing, field[1]), signature), answer


def _default(thing: type, name: str) -> str:
    """Return a field's default as a reader would write it."""
    default = attrs.fields_dict(thing)[name].default
    return "…" if isinstance(default, attrs.Factory) else repr(default)  # type: ignore[arg-type]


def _skip(app: Any, what: str, name: str, thing: Any, skip: bool, options: Any) -> bool | None:
    """Skip what only subclasses set: constants such as the tag of an element."""
    return True if name.isupper() and not isinstance(thing, Enum) else None


def _leave_builtins(app: Any, doctree: Any) -> None:
    """Take ``type`` in a signature for Python's own, and not for an attribute of that name."""
    for node in list(doctree.findall()):
        if node.tagname == "pending_xref" and node.get("reftarget") in vars(builtins):
            short = [child for child in node.children if child.get("condition") == "resolved"]
            node.replace_self(short[0].children if short else node.children)


def _resolve(app: Any, env: Any, node: Any, words: Any) -> Any:
    """Lead names of the modules to the public ones; what other projects have is text, for nothing asks the network."""
    target = node["reftarget"]
    if node.get("refdomain") != "py":
        return None
    if public := _HOMES.get(target):
        return env.domains["py"].resolve_xref(env, node["refdoc"], app.builder, "obj", public, node, words)
    return None if node["reftype"] == "obj" else words


def setup(app: Any) -> None:
    """Connect the hooks."""
    app.connect("autodoc-process-docstring", _translate, priority=100)  # before napoleon
    app.connect("autodoc-process-signature", _constructor)
    app.connect("autodoc-skip-member", _skip)
    app.connect("doctree-read", _leave_builtins)
    app.connect("missing-reference", _resolve)
