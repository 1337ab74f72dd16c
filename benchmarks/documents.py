"""The documents that are read and written: those of libvirt's own tests, ours, and one as a daemon tells it of a volume."""

from __future__ import annotations

from pathlib import Path

from lxml import etree

from libstorage import DocumentError, PoolSpec, VolumeSpec, validate

CORPUS = Path(__file__).resolve().parents[1] / ".corpus"
OURS = Path(__file__).resolve().parents[1] / "tests" / "corpus" / "ours"


def corpus() -> list[Path]:
    """The documents that libvirt writes in its own tests, pools and volumes."""
    found = sorted(CORPUS.glob("*-out/*.xml"))
    if not found:
        raise SystemExit(f"no documents in {CORPUS}: run `tools/libvirt-corpus {CORPUS.name}` first")
    return found


def printed(folder: Path) -> list[Path]:
    """Our own pools and volumes, those that are valid here, as libvirt would print them: files of this folder."""
    models: dict[str, type[PoolSpec | VolumeSpec]] = {"pool": PoolSpec, "volume": VolumeSpec}
    made = []
    for path in sorted(OURS.glob("*.xml")):
        root = etree.parse(path).getroot()
        try:
            document = models[str(root.tag)].from_xml(path.read_bytes(), strict=True)
            validate(document, "rng")
        except (DocumentError, KeyError):
            continue
        made.append(folder / path.name)
        made[-1].write_text(document.to_xml(reported=True), encoding="utf-8")
    return made


def root_of(text: str) -> str:
    """``pool`` or ``volume``."""
    return "volume" if text.lstrip().startswith("<volume") else "pool"


def daemon_volume(number: int) -> str:
    """What a daemon tells of a volume of a ``dir`` pool; no two have a text in common that is not in all."""
    stamp = f"17000{number:05}.{number * 7919 % 10**9:09}"
    path = f"/var/lib/libvirt/images/web-{number:05}.qcow2"
    return f"""<volume type='file'>
  <name>web-{number:05}.qcow2</name>
  <key>{path}</key>
  <capacity unit='bytes'>{(20 << 30) + number * 512}</capacity>
  <allocation unit='bytes'>{(3 << 30) + number * 4096}</allocation>
  <physical unit='bytes'>{(3 << 30) + number * 8192}</physical>
  <target>
    <path>{path}</path>
    <format type='qcow2'/>
    <permissions>
      <mode>0600</mode>
      <owner>64055</owner>
      <group>64055</group>
    </permissions>
    <timestamps>
      <atime>{stamp}</atime>
      <mtime>{stamp}</mtime>
      <ctime>{stamp}</ctime>
      <btime>0</btime>
    </timestamps>
    <compat>1.1</compat>
    <clusterSize unit='B'>65536</clusterSize>
    <features>
      <lazy_refcounts/>
    </features>
  </target>
</volume>
"""
