"""Secrets, and volumes that are encrypted with them."""

from __future__ import annotations

import base64
import io
import logging
import pickle
import uuid
from collections.abc import Iterator
from pathlib import Path

import libvirtmod
import pytest

from libstorage import (
    AccessDeniedError,
    Encryption,
    ExistsError,
    HelperError,
    Host,
    InvalidRequestError,
    ListSecretsFlags,
    MiB,
    Pool,
    PoolSpec,
    Secret,
    SecretNotFoundError,
    SecretSpec,
    SecretUsageType,
    SecretValue,
    StateError,
    UnsupportedError,
    VolumeSpec,
    connect,
)
from libstorage.testing import PrivateDaemon
from tests.live.conftest import remove, started_daemon
from tests.patience import make_patient_qemu_img
from tests.sinks import CANARY, hits, shown_errors, shown_values
from tests.unit.models.test_secret_value import FORMS, REFUSED

PASSPHRASE = b"correct horse battery staple"


@pytest.fixture
def path() -> str:
    return f"/srv/{uuid.uuid4().hex}.img"


@pytest.fixture
def secret(host: Host, path: str) -> Iterator[Secret]:
    secret = host.secrets.define(SecretSpec.volume(path, description="for a test"))
    yield secret
    if secret.uuid in host.secrets:
        secret.undefine()


class TestSecrets:
    """On a storage:// address, which has no secrets itself: they are reached through its secret:// twin."""

    def test_a_secret_from_definition_to_removal(self, host: Host, path: str) -> None:
        assert host.uri.startswith("storage://")
        secret = host.secrets.define(SecretSpec.volume(path, description="for a test"))
        assert secret.spec().usage == SecretSpec.volume(path).usage
        assert secret.spec().description == "for a test"
        with pytest.raises(StateError, match="set_value"):
            secret.value()
        assert secret.set_value(PASSPHRASE) is secret
        assert secret.value() == PASSPHRASE
        assert secret.set_value("tëxt").value() == "tëxt".encode()
        secret.undefine()
        for act in (secret.spec, secret.value, secret.undefine, lambda: secret.set_value(b"")):
            with pytest.raises(SecretNotFoundError):
                act()

    @pytest.mark.parametrize("value", [b"\0\xff\n", b"x" * 4096])
    def test_values_are_bytes(self, secret: Secret, value: bytes) -> None:
        assert secret.set_value(value).value() == value

    def test_the_value_is_nowhere_to_be_seen(self, secret: Secret) -> None:
        secret.set_value("CANARY")
        assert "CANARY" not in f"{secret!r} {secret} {secret._repr_html_()} {secret.xml()} {secret.spec()!r}"

    @pytest.mark.parametrize("form", FORMS)
    def test_every_form_of_a_value_arrives(self, secret: Secret, form: str) -> None:
        value = secret.set_value(FORMS[form]()).value()
        assert isinstance(value, SecretValue)
        assert value.reveal() == CANARY.encode()

    @pytest.mark.parametrize("form", REFUSED)
    def test_anything_else_changes_nothing_and_is_not_shown(self, secret: Secret, form: str) -> None:
        secret.set_value(PASSPHRASE)
        with pytest.raises(InvalidRequestError) as caught:
            secret.set_value(REFUSED[form]())
        assert caught.value.outcome == "not_started"
        assert {sink for sink, shown in shown_errors(caught.value) if hits(shown)} == set()
        assert secret.value() == PASSPHRASE

    @pytest.mark.parametrize("form", FORMS)
    @pytest.mark.parametrize(
        "failure", [RuntimeError("x"), KeyboardInterrupt(), None], ids=["mistake", "Ctrl-C", "refusal"]
    )
    def test_a_call_that_fails_shows_no_value(
        self, secret: Secret, form: str, failure: BaseException | None, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Neither our frames nor those of libvirt's binding."""
        if failure is None:
            secret.undefine()
        else:

            def fail(*_: object) -> None:
                raise failure

            monkeypatch.setattr(libvirtmod, "virSecretSetValue", fail)
        with pytest.raises(BaseException) as caught:  # noqa: PT011 -- Ctrl-C is not an Exception
            secret.set_value(FORMS[form]())
        assert isinstance(caught.value, type(failure) if failure else SecretNotFoundError)
        for of in ("libstorage", "libvirt.py"):
            assert {sink for sink, shown in shown_errors(caught.value, of=of) if hits(shown)} == set()

    def test_a_value_that_was_read_is_not_shown_either(
        self, secret: Secret, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
    ) -> None:
        caplog.set_level(logging.DEBUG)
        value = secret.set_value(CANARY).value()
        for shown in (value, secret, [value], {"value": value}):
            assert {sink for sink, text in shown_values(shown) if hits(text)} == set()
        with pytest.raises(TypeError):
            pickle.dumps(value)
        assert not hits(caplog.text)
        assert not hits("".join(capfd.readouterr()))

    def test_the_daemon_writes_it_nowhere(self, own_daemon: PrivateDaemon, path: str) -> None:
        with connect(own_daemon.uri) as host:
            secret = host.secrets.define(SecretSpec.volume(path, ephemeral=True))
            secret.set_value(CANARY)
            assert secret.value() == CANARY.encode()
        files = [file for file in own_daemon.folder.rglob("*") if file.is_file()]
        assert files
        assert [file for file in files if hits(file.read_bytes())] == []

    def test_a_private_one_keeps_its_value(self, host: Host, path: str) -> None:
        secret = host.secrets.define(SecretSpec.volume(path, private=True)).set_value(PASSPHRASE)
        with pytest.raises(AccessDeniedError, match="private"):
            secret.value()
        secret.undefine()

    def test_defining_again_with_the_uuid_changes_it(self, host: Host, secret: Secret, path: str) -> None:
        secret.set_value(PASSPHRASE)
        again = host.secrets.define(SecretSpec.volume(path, uuid=secret.uuid, description="changed"))
        assert again == secret
        assert secret.spec().description == "changed"
        assert secret.value() == PASSPHRASE

    def test_one_secret_for_one_use(self, host: Host, secret: Secret, path: str) -> None:
        with pytest.raises(ExistsError):
            host.secrets.define(SecretSpec.volume(path))

    def test_every_look_up_finds_it(self, host: Host, secret: Secret, path: str) -> None:
        secrets = host.secrets
        assert (
            secrets[secret.uuid]
            == secrets.lookup(uuid.UUID(secret.uuid))
            == secrets.get(secret.uuid)
            == secret
        )
        assert secrets.by_usage("volume", path) == secrets.by_usage(SecretUsageType.VOLUME, path) == secret
        assert secret.uuid in secrets
        assert secret in secrets
        assert secret in list(secrets)
        assert secrets.count() == len(secrets.list())

    def test_what_is_not_there(self, host: Host) -> None:
        assert str(uuid.uuid4()) not in host.secrets
        with pytest.raises(SecretNotFoundError, match="/nosuch"):
            host.secrets.by_usage("volume", "/nosuch")
        with pytest.raises(InvalidRequestError, match="not a uuid"):
            host.secrets["nosuch"]
        with pytest.raises(InvalidRequestError, match="vtpm"):
            host.secrets.by_usage("wallet", "x")

    @pytest.mark.parametrize("ephemeral", [True, False])
    @pytest.mark.parametrize("private", [True, False])
    def test_filters(self, host: Host, path: str, ephemeral: bool, private: bool) -> None:
        secret = host.secrets.define(SecretSpec.volume(path, ephemeral=ephemeral, private=private))
        flags = ListSecretsFlags.EPHEMERAL if ephemeral else ListSecretsFlags.NO_EPHEMERAL
        flags |= ListSecretsFlags.PRIVATE if private else ListSecretsFlags.NO_PRIVATE
        assert secret in host.secrets.list(flags)
        assert secret in host.secrets.list(ephemeral=ephemeral, private=private)
        assert secret not in host.secrets.list(ephemeral=not ephemeral)
        assert secret not in host.secrets.list(private=not private)
        secret.undefine()

    def test_xml_instead_of_a_spec(self, host: Host) -> None:
        with pytest.raises(InvalidRequestError, match="from_xml"):
            host.secrets.define("<secret/>")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]


@pytest.fixture(scope="module")
def patient_host(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Host]:
    """A host whose qemu-img has an exact clock, where we can build one."""
    shims = tmp_path_factory.mktemp("shims")
    make_patient_qemu_img(shims)
    with started_daemon(path=[shims]) as daemon, connect(daemon.uri) as host:
        yield host


@pytest.fixture
def patient_pool(patient_host: Host, folder: Path) -> Iterator[Pool]:
    pool = patient_host.pools.define(PoolSpec.dir("encrypted", str(folder / "pool"))).build().start()
    yield pool
    remove(pool)


class TestEncryptedVolumes:
    def test_all_that_can_be_done_with_one(self, patient_pool: Pool, folder: Path) -> None:
        host = patient_pool.host
        secret = host.secrets.define(SecretSpec.volume(f"{folder}/pool/luks.img")).set_value(PASSPHRASE)
        encryption = Encryption.luks(uuid=secret.uuid)
        volume = patient_pool.volumes.create(VolumeSpec.raw("luks.img", MiB, encryption=encryption))
        header = Path(volume.path()).read_bytes()[:6]
        assert header == b"LUKS\xba\xbe"
        have = volume.spec().target.encryption
        assert have is not None
        assert have.format == "luks"

        physical = volume.info(physical=True).physical
        assert physical is not None
        assert physical > MiB == volume.info().capacity
        image = io.BytesIO()
        volume.download(image)
        assert len(image.getvalue()) == physical
        image.seek(0)
        volume.upload(image)  # as it is, header included: larger than the capacity
        with pytest.raises(InvalidRequestError, match="do not fit"):
            volume.upload(io.BytesIO(bytes(physical + 1)))

        with pytest.raises(UnsupportedError, match="encrypted"):
            volume.as_backing()
        with pytest.raises(UnsupportedError, match="encrypted"):
            volume.clone("link.qcow2", mode="linked")
        with pytest.raises(UnsupportedError, match="raw volumes only, not of encrypted ones"):
            volume.clone("shared.img", mode="reflink")
        plain = volume.clone(VolumeSpec.raw("plain.img"))
        assert (plain.spec().target.encryption, plain.info().capacity) == (None, MiB)
        volume.delete()

    def test_a_secret_that_is_missing(self, patient_pool: Pool) -> None:
        encryption = Encryption.luks(uuid=uuid.uuid4())
        with pytest.raises(SecretNotFoundError):
            patient_pool.volumes.create(VolumeSpec.raw("luks.img", MiB, encryption=encryption))
        assert patient_pool.refresh().volumes.names() == ()


UNLUCKY = """#!/bin/sh
case "$*" in *encrypt*)
  tries=$(($(cat {folder}/tries) + 1)); echo $tries > {folder}/tries
  [ $tries -gt {failures} ] || {{ echo "qemu-img: Unable to get accurate CPU usage" >&2; exit 1; }};;
esac
exec {program} "$@"
"""
"""qemu-img on a machine whose clock is too coarse a few times."""


@pytest.mark.parametrize("failures", [2, 1000])
def test_a_cipher_that_cannot_be_timed_is_tried_again(folder: Path, tmp_path: Path, failures: int) -> None:
    program, unlucky = make_patient_qemu_img(tmp_path), tmp_path / "first" / "qemu-img"
    unlucky.parent.mkdir()
    unlucky.write_text(UNLUCKY.format(folder=tmp_path, failures=failures, program=program))
    unlucky.chmod(0o755)
    (tmp_path / "tries").write_text("0")
    with started_daemon(path=[unlucky.parent]) as daemon, connect(daemon.uri) as host:
        pool = host.pools.define(PoolSpec.dir("unlucky", str(folder / "pool"))).build().start()
        secret = host.secrets.define(SecretSpec.volume("/srv/unlucky")).set_value(PASSPHRASE)
        spec = VolumeSpec.raw("luks.img", MiB, encryption=Encryption.luks(uuid=secret.uuid))
        if failures == 2:
            assert Path(pool.volumes.create(spec).path()).read_bytes()[:6] == b"LUKS\xba\xbe"
        else:
            with pytest.raises(HelperError, match="accurate CPU") as refused:
                pool.volumes.create(spec)
            assert (refused.value.outcome, refused.value.retry) == ("not_started", "backoff")
            assert int((tmp_path / "tries").read_text()) == 10
            assert pool.refresh().volumes.names() == ()
            assert not list((folder / "pool").iterdir())


# ---- keys of Ceph ---------------------------------------------------------------------------------------------------

CEPH_KEY = b"\x01\x00" + bytes(range(26))
CEPH_TEXT = base64.b64encode(CEPH_KEY).decode()


def test_the_text_of_a_ceph_key_is_not_its_value(host: Host) -> None:
    secret = host.secrets.define(SecretSpec.ceph("client.web secret"))
    for text in (CEPH_TEXT, CEPH_TEXT.encode(), f"{CEPH_TEXT}\n", SecretValue(CEPH_TEXT)):
        with pytest.raises(InvalidRequestError, match="base64 text of a Ceph key") as refused:
            secret.set_value(text)
        assert CEPH_TEXT not in repr(refused.value) + str(refused.value)
    assert secret.set_value(CEPH_KEY).value().reveal() == CEPH_KEY
    secret.undefine()
    other = host.secrets.define(SecretSpec.iscsi("other"))
    assert other.set_value(CEPH_TEXT).value().reveal() == CEPH_TEXT.encode()
    other.undefine()


def test_a_ceph_key_in_one_call(host: Host) -> None:
    secret = host.secrets.ensure_ceph("web", CEPH_TEXT)
    assert secret.value().reveal() == CEPH_KEY
    assert host.secrets.ensure_ceph("web", CEPH_KEY) == secret
    assert host.secrets.by_usage("ceph", "client.web secret") == secret
    named = host.secrets.ensure_ceph("web", CEPH_TEXT, usage="mine")
    assert host.secrets.by_usage("ceph", "mine") == named != secret
    with pytest.raises(InvalidRequestError, match="has the prefix"):
        host.secrets.ensure_ceph("client.web", CEPH_TEXT)
    with pytest.raises(InvalidRequestError, match="not a key of Ceph"):
        host.secrets.ensure_ceph("web", "sesame")
    secret.undefine()
    named.undefine()


@pytest.mark.parametrize("path", ["/srv/images/web", "rbd-pool/web", "pool/name with blanks"])
def test_a_secret_for_any_volume(host: Host, path: str) -> None:
    secret = host.secrets.define(SecretSpec.volume(path))
    assert host.secrets.by_usage("volume", path) == secret
    assert secret.spec().usage == SecretSpec.volume(path).usage
    secret.undefine()
