"""Validating documents: what is accepted as a document, which schema judges it, and where it is found."""

from __future__ import annotations

import gc
import shutil
import subprocess
import sys
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import Any, Literal

import pytest
from lxml import etree

from libstorage.errors import DocumentError, InvalidRequestError, UnsupportedError
from libstorage.xml.explain import MOST_PROBLEMS
from libstorage.xml.schema import is_valid, validate

Judge = Literal["xsd", "rng"]
LIBVIRT = "/usr/share/libvirt/schemas"
UUID = "3e3fce45-4f53-4fa7-bb32-11f34168b82b"
POOL = "<pool type='dir'>\n<name>a</name>\n<target><path>/a</path></target>\n</pool>"
WRONG = "<pool type='dir'>\n<name>a</name>\n<target><path>a</path></target>\n</pool>"
WHY = "/pool/target/path (line 3): 'a' is not valid; expected an absolute path below /, such as /srv/images"

ISCSI = "<host name='a'/><device path='iqn.2013-06.com.example:a'/><initiator><iqn name='b'/></initiator>"
LOGICAL = "<device path='/dev/a'/><device path='/dev/b'/><name>a</name><format type='lvm2'/>"
DISCOVERIES = (
    "<sources/>",
    f"<sources><source>{LOGICAL}</source></sources>",
    "<sources><source><host name='::1'/><dir path='gv0'/><format type='glusterfs'/></source><source/></sources>",
    "<sources><source><host name='a' port='24007'/><dir path='/'/><name>gv0</name></source></sources>",
    f"<sources><source>{ISCSI}</source></sources>",
    "<source><host name='a'/><initiator><iqn name='b'/></initiator></source>",
)
VOLUME_USAGE = "<usage type='volume'><volume>/a</volume></usage>"
SECRETS = (
    "<secret/>",
    f"<secret ephemeral='no' private='yes'><uuid>{UUID}</uuid><description>a\nb</description>{VOLUME_USAGE}</secret>",
    "<secret><usage type='iscsi'><target>a</target></usage></secret>",
    "<secret><usage type=' ceph '><name>a b</name></usage><description/></secret>",
    "<secret><usage type='tls'><name>a</name></usage></secret>",
    "<secret><usage type='vtpm'><name>a</name></usage></secret>",
)

both = pytest.mark.parametrize("against", ["xsd", "rng"])


class Written:
    """What can be written as XML."""

    def __init__(self, xml: str) -> None:
        self.xml = xml

    def to_xml(self, *, reported: bool = False) -> str:
        assert reported, "a document is judged whole"
        return self.xml


def with_comments(xml: str) -> etree._Element:
    return etree.fromstring(xml.replace("<name>a", "<!-- b --><name><!-- c -->a<?d e?>"))


def as_part(xml: str) -> etree._Element:
    return etree.fromstring(f"<inventory>{xml}</inventory>")[0]


def as_tree(xml: str) -> etree._Element:
    return etree.fromstring(xml)


FORMS: tuple[Callable[[str], Any], ...] = (str, str.encode, Written, as_tree, with_comments, as_part)


@both
@pytest.mark.parametrize("form", FORMS)
def test_every_form_of_a_document(form: Callable[[str], Any], against: Judge) -> None:
    validate(form(POOL), against)
    with pytest.raises(DocumentError) as caught:
        validate(form(WRONG), against)
    assert str(caught.value) == (WHY.replace(" (line 3)", "") if form is Written else WHY)


@both
def test_an_element_is_left_as_it_was(against: Judge) -> None:
    for element in (with_comments(WRONG), as_part(WRONG), as_tree(WRONG.replace("a<", "\u00a0<"))):
        before = etree.tostring(element.getroottree())
        with pytest.raises(DocumentError):
            validate(element, against)
        assert etree.tostring(element.getroottree()) == before


@pytest.mark.parametrize("document", [None, 5, ["<pool/>"]])
def test_other_things_are_no_documents(document: Any) -> None:
    with pytest.raises(DocumentError, match="a document must be str or bytes, not "):
        validate(document)


def test_a_third_judge_is_refused() -> None:
    with pytest.raises(InvalidRequestError, match="against must be 'xsd' or 'rng', not 'dtd'"):
        validate(POOL, "dtd")  # type: ignore[arg-type]


@both
@pytest.mark.parametrize("document", SECRETS)
def test_secrets(document: str, against: Judge) -> None:
    validate(document, against)


@pytest.mark.parametrize("document", DISCOVERIES)
def test_discovery(document: str) -> None:
    validate(document)
    with pytest.raises(UnsupportedError, match="libvirt has no schema for <source"):
        validate(document, "rng")


@both
@pytest.mark.parametrize(
    "order", ["uuid capacity name available", "capacity name available uuid allocation target"]
)
def test_an_order_that_libxml2_alone_refuses(order: str, against: Judge) -> None:
    parts = {
        "name": "a",
        "uuid": UUID,
        "capacity": "1",
        "allocation": "2",
        "available": "3",
        "target": "<path>/a</path>",
    }
    first = order.split()
    tags = [*first, *(tag for tag in parts if tag not in first)]
    xml = f"<pool type='dir'>{''.join(f'<{tag}>{parts[tag]}</{tag}>' for tag in tags)}</pool>"
    validate(xml, against)
    # When this fails, libxml2 has been mended, and the rule for it may go.
    assert not etree.RelaxNG(file=f"{LIBVIRT}/storagepool.rng")(etree.fromstring(xml))


@both
@pytest.mark.parametrize("address", ["12345::", "::12345", "::1231.2.3.4"])
def test_an_address_that_libxml2_alone_accepts(address: str, against: Judge) -> None:
    xml = "<pool type='sheepdog'><source><host name='::1'/><host name='{}'/><name>a</name></source></pool>"
    validate(xml.format("fe80::1"), against)
    with pytest.raises(DocumentError, match=r"/pool/source/host\[2\]/@name .* expected a DNS name"):
        validate(xml.format(address), against)
    # When this fails, libxml2 has been mended, and the rule for it may go.
    assert etree.RelaxNG(file=f"{LIBVIRT}/storagepool.rng")(etree.fromstring(xml.format(address)))


@both
@pytest.mark.parametrize("kind", ["fs", "netfs"])
def test_mount_options_keep_their_place(kind: str, against: Judge) -> None:
    source = "<device path='/a'/>" if kind == "fs" else "<host name='a'/><dir path='/a'/>"
    head = f"<pool type='{kind}' xmlns:f='http://libvirt.org/schemas/storagepool/fs/1.0'><source>{source}</source>"
    options, name, target = "<f:mount_opts/>", "<name>a</name>", "<target><path>/a</path></target>"
    validate(f"{head}{name}{target}{options}</pool>", against)
    misplaced = f"{head}{target}{options}{name}</pool>"
    if kind == "netfs":
        validate(misplaced, against)
    else:
        with pytest.raises(DocumentError, match="mount_opts must come last"):
            validate(misplaced, against)


@both
@pytest.mark.parametrize("blank", "\x85\xa0\u1680\u2003\u2028\u202f\u205f\u3000")
def test_blanks_that_are_none_in_xml(blank: str, against: Judge) -> None:
    validate(POOL.replace(">a<", f">{blank}<"), against)
    for place, replaced in (("dir", f"dir{blank}"), (">/a", f">{blank}/a"), ("<target>", f"<target>{blank}")):
        with pytest.raises(DocumentError, match=r"'.+' (is not valid|stands in <)") as caught:
            validate(POOL.replace(place, replaced), against)
        assert blank in (caught.value.problems[0].found or "")


@both
def test_large_documents_are_explained_as_far_as_a_person_reads(against: Judge) -> None:
    with pytest.raises(DocumentError) as caught:
        validate(POOL.replace("</pool>", "<b/>" * 2_000 + "</pool>"), against)
    assert len(caught.value.problems) == MOST_PROBLEMS
    assert caught.value.problems[-1].path == f"/pool/b[{MOST_PROBLEMS}]"
    with pytest.raises(DocumentError, match=r"/pool/b\[1\].* is not allowed inside <pool>"):
        validate(POOL.replace("</pool>", "<b><c/></b>" * 500 + "</pool>"), against)


@both
def test_threads_judge_at_once(against: Judge) -> None:
    documents = [
        POOL,
        WRONG,
        DISCOVERIES[0].replace("sources", "secret"),
        "<volume><name>..</name><target/></volume>",
    ]
    at_once = threading.Barrier(8)

    def judge(number: int) -> list[str]:
        at_once.wait(10)
        return [verdict(documents[(number + n) % 4]) for n in range(40)]

    def verdict(document: str) -> str:
        try:
            validate(document, against)
        except DocumentError as error:
            return str(error)
        return "valid"

    alone = [verdict(document) for document in documents]
    with ThreadPoolExecutor(8) as threads:
        for number, verdicts in enumerate(threads.map(judge, range(8))):
            assert verdicts == [alone[(number + n) % 4] for n in range(40)]


def test_nothing_of_a_judged_document_stays_in_memory() -> None:
    def judged() -> int:
        for document in (POOL, WRONG):
            with suppress(DocumentError):
                validate(etree.fromstring(document))
        gc.collect()
        return sum(isinstance(thing, etree._Element) for thing in gc.get_objects())

    judged()
    before = judged()
    for _ in range(5):
        judged()
    assert judged() <= before


def test_the_schemas_of_libvirt_are_found_where_the_system_keeps_shared_data(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_DATA_DIRS", f"{tmp_path}:/usr/share")
    validate(POOL, "rng")
    monkeypatch.setenv("XDG_DATA_DIRS", "")
    validate(POOL, "rng")
    monkeypatch.setenv("XDG_DATA_DIRS", str(tmp_path))
    with pytest.raises(UnsupportedError) as caught:
        validate(POOL, "rng")
    assert caught.value.message == "libvirt's schema storagepool.rng is not installed on this machine"
    assert "Install libvirt0 (Debian)" in (caught.value.hint or "")
    validate(POOL, "xsd")


def test_a_schema_of_libvirt_that_refuses_more_than_ours_speaks_for_itself(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "libvirt" / "schemas"
    folder.mkdir(parents=True)
    (folder / "storagepool.rng").write_text(
        "<element name='pool' xmlns='http://relaxng.org/ns/structure/1.0'>"
        "<attribute name='type'/><element name='name'><value>b</value></element></element>"
    )
    monkeypatch.setenv("XDG_DATA_DIRS", str(tmp_path))
    with pytest.raises(DocumentError) as caught:
        validate(POOL, "rng")
    assert "/pool/name (line 2): Element name failed to validate content" in map(str, caught.value.problems)


LUKS_ANY = "<value>luks-any</value>"


@pytest.mark.parametrize(
    ("known", "said"),
    [
        ("", "libvirt's schema has this since 9.3.0 only: format luks-any"),
        (LUKS_ANY, "/volume/target/encryption (line 1): Element target failed to validate content"),
    ],
)
def test_a_schema_of_libvirt_that_is_too_old_for_a_document_is_called_so(
    known: str, said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And one that has what is newer, and refuses the document for another reason, speaks for itself."""
    folder = tmp_path / "libvirt" / "schemas"
    shutil.copytree(LIBVIRT, folder)
    common = folder / "storagecommon.rng"
    old = common.read_text().replace(LUKS_ANY, "").replace('name="uuid"', 'name="uid"')
    common.write_text(old.replace("<value>luks2</value>", f"<value>luks2</value>{known}"))
    monkeypatch.setenv("XDG_DATA_DIRS", str(tmp_path))
    encryption = f"<encryption format='luks-any'><secret type='passphrase' uuid='{UUID}'/></encryption>"
    with pytest.raises(DocumentError) as caught:
        validate(f"<volume><name>a</name><target>{encryption}</target></volume>", "rng")
    assert said in str(caught.value)
    assert all(problem.path.startswith("/volume") and problem.line == 1 for problem in caught.value.problems)


def problems_of(text: str) -> list[str]:
    with pytest.raises(DocumentError) as caught:
        validate(text)
    return [problem.reason for problem in caught.value.problems]


def test_the_most_attributes_that_reach_the_library() -> None:
    bound = "an element can have at most 50 attributes"
    for number, is_refused in ((49, False), (50, True), (100, True), (600, True)):
        more = "".join(f" a{place}=''" for place in range(number))  # beside type
        text = f"<pool type='dir'{more}><name>a</name><target><path>/srv</path></target></pool>"
        assert (problems_of(text) == [bound]) is is_refused
        assert not is_valid(text)


def test_the_deepest_elements_that_reach_the_library() -> None:
    bound = "elements can be nested at most 15 deep"
    for depth, is_refused in ((15, False), (16, True), (40, True)):
        inner = "<a>" * (depth - 1) + "</a>" * (depth - 1)
        text = f"<pool type='dir'>{inner}</pool>"
        assert (bound in problems_of(text)) is is_refused
        assert not is_valid(text)


def test_reading_and_importing_do_not_load_the_library() -> None:
    script = "import sys, libstorage.xml.schema; sys.exit('xmlschema' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", script], check=False, timeout=60).returncode == 0
