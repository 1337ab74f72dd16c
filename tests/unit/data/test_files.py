"""Documents in YAML, JSON and TOML: formats, lists, lines, and the traps of each format."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

import libstorage as ls
from libstorage.data import yaml_text
from libstorage.data.files import Format, dump, load

SPEC = ls.VolumeSpec.qcow2("web.qcow2", "20 GiB", permissions=ls.Permissions(mode=0o600))
TEXTS: dict[Format, str] = {
    "yaml": "name: web.qcow2\ncapacity: 20 GiB\ntarget:\n  format: qcow2\n  permissions:\n    mode: '0600'\n",
    "json": '{\n  "name": "web.qcow2",\n  "capacity": "20 GiB",\n  "target": {\n    "format": "qcow2",\n'
    '    "permissions": {\n      "mode": "0600"\n    }\n  }\n}\n',
    "toml": 'name = "web.qcow2"\ncapacity = "20 GiB"\n\n[target]\nformat = "qcow2"\n\n[target.permissions]\nmode = "0600"\n',
}
formats = pytest.mark.parametrize("format", TEXTS)


def refused(
    text: str, format: Format = "yaml", *, model: Any = ls.VolumeSpec, many: bool = False
) -> list[str]:
    with pytest.raises(ls.DocumentError) as error:
        load(model, text, format=format, many=True) if many else load(model, text, format=format)
    return [str(problem) for problem in error.value.problems]


# ---- formats --------------------------------------------------------------------------------------------------------


@formats
def test_a_text(format: Format) -> None:
    assert dump(SPEC, format=format) == TEXTS[format]
    assert load(ls.VolumeSpec, TEXTS[format], format=format) == SPEC


@formats
@pytest.mark.parametrize("as_path", [str, Path])
def test_a_file(format: Format, as_path: Any, tmp_path: Path) -> None:
    path = as_path(tmp_path / f"web.{format.upper()}")
    assert dump(SPEC, path) == TEXTS[format]
    assert Path(path).read_bytes() == TEXTS[format].encode()
    assert load(ls.VolumeSpec, path) == SPEC


def test_a_format_beats_a_suffix(tmp_path: Path) -> None:
    path = tmp_path / "web.txt"
    dump(SPEC, path, format="json")
    assert load(ls.VolumeSpec, path, format="json") == SPEC
    (tmp_path / "web.yml").write_text(TEXTS["yaml"], "utf-8-sig")
    assert load(ls.VolumeSpec, tmp_path / "web.yml") == SPEC


@formats
def test_several(format: Format) -> None:
    other = ls.VolumeSpec.raw("data", "1 GiB")
    text = dump([SPEC, other], format=format)
    assert load(ls.VolumeSpec, text, format=format, many=True) == [SPEC, other]
    assert load(ls.VolumeSpec, TEXTS[format], format=format, many=True) == [SPEC]
    assert load(ls.VolumeSpec, dump((), format=format), format=format, many=True) == []


def test_what_libvirt_reports_is_asked_for() -> None:
    spec = ls.VolumeSpec(name="a", key="/srv/a")
    assert dump(spec, format="json") == '{\n  "name": "a"\n}\n'
    assert load(ls.VolumeSpec, dump(spec, format="json", reported=True), format="json") == spec


@pytest.mark.parametrize(
    ("source", "format", "said"),
    [
        ("web.ini", None, "'web.ini' does not end in one of .yaml, .yml, .json, .toml"),
        ("name: a\n", None, "a text needs its format"),
        ("a", "xml", "'xml' is not a format; expected one of yaml, json, toml"),
    ],
)
def test_a_format_that_is_not_known(source: str, format: Any, said: str) -> None:
    with pytest.raises(ls.InvalidRequestError, match="^" + said.replace(".", r"\.")):
        load(ls.VolumeSpec, source, format=format)
    with pytest.raises(ls.InvalidRequestError, match="no format is given"):
        dump(SPEC)


@formats
def test_a_path_in_place_of_a_text_is_noticed(format: Format) -> None:
    with pytest.raises(ls.DocumentError, match="With format=, a str is the text itself"):
        load(ls.VolumeSpec, f"specs/web.{format}", format=format)
    with pytest.raises(ls.DocumentError) as refused:
        load(ls.VolumeSpec, "web", format=format)
    assert refused.value.hint is None


def test_a_file_that_is_missing_or_no_text(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        load(ls.VolumeSpec, tmp_path / "a.json")
    (tmp_path / "b.json").write_bytes(b"\xff")
    with pytest.raises(ls.DocumentError, match="is not UTF-8"):
        load(ls.VolumeSpec, tmp_path / "b.json")


@pytest.mark.parametrize(
    ("module", "format", "extra"), [("yaml", "yaml", "yaml"), ("tomli_w", "toml", "toml")]
)
def test_a_missing_package_is_named(
    module: str, format: Format, extra: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, module, None)
    with pytest.raises(ls.UnsupportedError, match=rf"pip install 'libstorage\[{extra}\]'"):
        dump(SPEC, format=format)
    if format == "yaml":
        with pytest.raises(ls.UnsupportedError, match="PyYAML is not installed"):
            load(ls.VolumeSpec, TEXTS[format], format=format)
    else:
        assert load(ls.VolumeSpec, TEXTS[format], format=format) == SPEC


# ---- YAML -----------------------------------------------------------------------------------------------------------


@pytest.fixture(params=["C", "Python"])
def parser(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Both parsers of PyYAML."""
    if request.param == "Python":
        monkeypatch.setattr(yaml, "CSafeLoader", yaml.SafeLoader)
    elif not yaml.__with_libyaml__:
        pytest.skip("not run: PyYAML has no C parser here")
    yaml_text._loader.cache_clear()
    monkeypatch.setattr(yaml_text, "_loader", yaml_text._loader.__wrapped__)


every_parser = pytest.mark.usefixtures("parser")


@every_parser
@pytest.mark.parametrize(
    "word", ["on", "no", "Yes", "1:30", "1.1", "2026-01-01", "0640", "1_000", ".5", "<<", "=", "n"]
)
def test_a_word_is_text_as_a_person_sees_it(word: str) -> None:
    assert load(ls.VolumeSpec, f"name: {word}", format="yaml").name == word


@every_parser
@pytest.mark.parametrize("word", ["true", "null", "~", "5", "-5", "0x1f", "0o17", "''"])
def test_other_words_need_quotes(word: str) -> None:
    assert "VolumeSpec.name (line 2): " in refused(f"\nname: {word}")[0]
    if word != "''":
        assert load(ls.VolumeSpec, f"name: '{word}'", format="yaml").name == word


@pytest.mark.parametrize(
    "name", ["on", "0640", "0o640", "1e3", "1.1", "null", "1:30", "2026-01-01", "a\x85b", "0x1f", "~"]
)
def test_what_is_written_reads_as_text_everywhere(name: str) -> None:
    text = dump(ls.VolumeSpec.raw(name), format="yaml")
    assert text.startswith(('name: "', "name: '"))
    assert yaml.safe_load(text)["name"] == name
    assert load(ls.VolumeSpec, text, format="yaml").name == name


@every_parser
@pytest.mark.parametrize(("word", "mode"), [("0640", 0o640), ("0o640", 0o640), ("'640'", 0o640), ("0", 0)])
def test_spellings_of_a_mode(word: str, mode: int) -> None:
    assert load(ls.Permissions, f"mode: {word}", format="yaml").mode == mode


@every_parser
def test_a_decimal_mode_is_refused() -> None:
    """400 would be 0o620."""
    said = "Permissions.mode (line 2): '400' is a decimal number, not an octal mode; expected octal text such as '0400'"
    assert refused("owner: 1\nmode: 400\n", model=ls.Permissions) == [said]
    assert refused("mode: 999", model=ls.Permissions)[0].endswith("such as '0640'")


@every_parser
def test_each_problem_has_its_line() -> None:
    text = """\
name: web
capactiy: 1 GiB

target:
  format: qcow3
  permissions: {owner: 0,
    mode: '0999'}
backing_store: {}
"""
    assert [problem.partition(": ")[0] for problem in refused(text)] == [
        "VolumeSpec.capactiy (line 2)",
        "VolumeSpec.target.format (line 5)",
        "VolumeSpec.target.permissions.mode (line 7)",
        "VolumeSpec.backing_store.path (line 8)",
    ]


@every_parser
@pytest.mark.parametrize("text", ["- name: a\n- nmae: b\n", "name: a\n---\nnmae: b\n"])
def test_problems_in_a_list(text: str) -> None:
    line = text.count("\n", 0, text.index("nmae")) + 1
    assert [problem.partition(": ")[0] for problem in refused(text, many=True)] == [
        f"VolumeSpec[1].nmae (line {line})",
        f"VolumeSpec[1].name (line {line})",
    ]


@every_parser
@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "VolumeSpec: is null; expected a table of fields"),
        (
            "name: a\n---\nname: b\n",
            "VolumeSpec (line 3): is followed by another document: many=True reads all",
        ),
        ("- name: a", "VolumeSpec (line 1): is a list; expected a table of fields"),
        ("name: a\ntarget:\n- b\n", "VolumeSpec.target (line 2): is a list; expected a table of fields"),
        ("name: a\nname: b\n", "VolumeSpec.name (line 2): is given more than once"),
        ("? [a]\n: b\n", "VolumeSpec (line 1): has a key that is not text"),
        ("name: !!python/object:os.system a", "VolumeSpec.name (line 1): has the tag"),
        ("name: a\ntarget: !!set {a, b}", "VolumeSpec.target (line 2): has the tag"),
        ("name: [", "VolumeSpec (line "),
        ("a: 'b\n", "VolumeSpec (line "),
        ("name: *a", "VolumeSpec (line 1): is not YAML: found undefined alias"),
        ("name: \x07", "VolumeSpec: is not YAML: "),
        ("a: &a\n  b: *a\n", "VolumeSpec: is nested too deeply"),
        ("{" * 20_000, "VolumeSpec"),
    ],
)
def test_what_is_not_read(text: str, said: str) -> None:
    found = refused(text)
    assert found[0].startswith(said)
    assert len(found) == 1


@every_parser
def test_aliases_are_read_but_not_without_end() -> None:
    text = "- &a {name: a, target: &t {format: raw}}\n- {name: b, target: *t}\n- *a\n"
    assert [spec.name for spec in load(ls.VolumeSpec, text, format="yaml", many=True)] == ["a", "b", "a"]

    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 9)]
    assert refused("\n".join(lines)) == ["VolumeSpec: has more than 200,000 values"]


# ---- JSON and TOML --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('{"name": "a",\n"name": "b"}', "VolumeSpec.name: is given more than once"),
        ('{"name": "a",\n]', "VolumeSpec (line 2): is not JSON: "),
        ("", "VolumeSpec (line 1): is not JSON: "),
        ("[" * 200_000, "VolumeSpec: is nested too deeply"),
        (
            '{"name": 1' + "0" * 5000 + "}",
            "VolumeSpec: is not JSON that can be read: it has a number of too many",
        ),
        ('{"name": NaN}', "VolumeSpec.name: nan is a float; expected a name"),
        ('{"name": null}', "VolumeSpec.name: is null: leave out"),
        ("[]", "VolumeSpec: is a list; expected a table of fields"),
    ],
)
def test_json_that_is_not_read(text: str, said: str) -> None:
    assert refused(text, "json")[0].startswith(said)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('name = "a"\nname = "b"', "VolumeSpec"),
        ("name = 2026-01-01", "VolumeSpec.name: is a date; expected a name"),
        ("name = ", "VolumeSpec"),
        ('a = "b', "VolumeSpec"),
        ("\n\na = @", "VolumeSpec (line 3): is not TOML: Invalid value"),
        ("a = " + "[" * 100_000, "VolumeSpec: is nested too deeply"),
    ],
)
def test_toml_that_is_not_read(text: str, said: str) -> None:
    assert refused(text, "toml")[0].startswith(said)


def test_a_mode_in_toml() -> None:
    assert load(ls.Permissions, "mode = 0o640", format="toml").mode == 0o640
