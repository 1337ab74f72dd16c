"""What libstorage believes of libvirt's Python binding, compared with the binding that is installed."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

import pytest

from libstorage.connection import binding, raw
from libstorage.connection.codes import Code, Domain

libvirt: Any = binding.load()

CLASSES: dict[type[object], Any] = {
    raw.RawConnect: libvirt.virConnect,
    raw.RawPool: libvirt.virStoragePool,
    raw.RawVolume: libvirt.virStorageVol,
    raw.RawSecret: libvirt.virSecret,
    raw.RawStream: libvirt.virStream,
}


def methods(protocol: type[object]) -> list[str]:
    return [name for name, member in vars(protocol).items() if inspect.isfunction(member) and name[0] != "_"]


def parameters(function: Callable[..., object]) -> list[tuple[str, bool]]:
    return [
        (name, parameter.default is not inspect.Parameter.empty)
        for name, parameter in inspect.signature(function).parameters.items()
        if name != "self"
    ]


@pytest.mark.parametrize(
    ("protocol", "name"), [(protocol, name) for protocol in CLASSES for name in methods(protocol)]
)
def test_raw_objects_have_these_methods(protocol: type[object], name: str) -> None:
    assert parameters(getattr(protocol, name)) == parameters(getattr(CLASSES[protocol], name))


@pytest.mark.parametrize("name", methods(binding.Binding))
def test_the_module_has_these_functions(name: str) -> None:
    assert parameters(getattr(binding.Binding, name)) == parameters(getattr(libvirt, name))


LATER = {Code.INVALID_ENCR_KEY_SECRET: 12_001_000}
"""Codes that came after libvirt 9.0."""


@pytest.mark.parametrize("code", Code)
def test_error_numbers(code: Code) -> None:
    is_later = LATER.get(code, 0) > libvirt.getVersion()
    assert getattr(libvirt, f"VIR_ERR_{code.name}", None) == (None if is_later else code)


@pytest.mark.parametrize("domain", Domain)
def test_error_domains(domain: Domain) -> None:
    assert getattr(libvirt, f"VIR_FROM_{domain.name}") == domain
