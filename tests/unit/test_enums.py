from __future__ import annotations

import copy
import json
import pickle
from typing import Any

import pytest

from libstorage import enums
from libstorage.enums import (
    Constant,
    ListPoolsFlags,
    PoolBuildFlags,
    PoolState,
    PoolType,
    SecretUsageType,
    VolumeFormat,
    VolumeInfoFlags,
    VolumeType,
    WipeAlgorithm,
    Words,
)

MEMBERS = [
    member
    for cls in vars(enums).values()
    if isinstance(cls, type) and issubclass(cls, Constant | Words)
    for member in cls.__members__.values()
]


def test_all_is_what_is_there() -> None:
    public = {name for name, value in vars(enums).items() if isinstance(value, type)}
    assert sorted(public) == enums.__all__


@pytest.mark.parametrize("member", MEMBERS, ids=repr)
@pytest.mark.parametrize("way", [lambda m: pickle.loads(pickle.dumps(m)), copy.copy, copy.deepcopy])
def test_a_member_stays_itself(member: Any, way: Any) -> None:
    assert way(member) is member


class TestNumber:
    def test_is_libvirts_number(self) -> None:
        assert PoolState(2) is PoolState.RUNNING
        assert int(PoolState.RUNNING) == 2

    def test_tells_about_itself(self) -> None:
        state = PoolState.INACCESSIBLE
        assert state.constant == "VIR_STORAGE_POOL_INACCESSIBLE"
        assert (state.since, state.since_number) == ("0.8.2", 8002)
        assert state.__doc__ == "Running, but not accessible."
        assert state.word == "inaccessible"
        assert repr(state) == "<PoolState.INACCESSIBLE: 4>"

    def test_text_shows_the_word_and_formats_of_numbers_the_number(self) -> None:
        state = PoolState.RUNNING
        assert (str(state), f"{state}", f"{state:>9}", f"{state:s}") == (
            "running",
            "running",
            "  running",
            "running",
        )
        assert (f"{state:d}", f"{state:03d}", f"{state:#x}", "%d" % state) == ("2", "002", "0x2", "2")  # noqa: UP031
        assert json.dumps([state]) == "[2]"

    def test_an_unknown_number_makes_an_unnamed_member(self) -> None:
        state = PoolState(99)
        assert isinstance(state, PoolState)
        assert state == 99
        assert state == PoolState(99)
        assert hash(state) == hash(PoolState(99))
        assert {state.name, state.since, state.since_number, state.constant} == {None}
        assert (state.word, str(state)) == ("99", "99")
        assert repr(state) == "<PoolState: 99 (unknown)>"
        assert state.__doc__ == "Not known to this version of libstorage."
        assert list(PoolState)[-1] is PoolState.INACCESSIBLE

    def test_an_unknown_number_pickles(self) -> None:
        back = pickle.loads(pickle.dumps(PoolState(99)))
        assert (type(back), back) == (PoolState, 99)

    @pytest.mark.parametrize("value", ["2", 2.5, None])
    def test_what_is_no_number_is_refused(self, value: Any) -> None:
        with pytest.raises(ValueError, match="is not a valid PoolState"):
            PoolState(value)

    def test_is_found_by_its_word(self) -> None:
        assert VolumeType.from_word("netdir") is VolumeType.NETDIR
        assert SecretUsageType.from_word("iscsi") is SecretUsageType.ISCSI
        with pytest.raises(
            ValueError, match="'flie' is not a VolumeType; the known words are file, block, dir, network"
        ):
            VolumeType.from_word("flie")

    def test_wipe_algorithms_have_virshs_words(self) -> None:
        words = "zero nnsa dod bsi gutmann schneier pfitzner7 pfitzner33 random trim"
        assert [algorithm.word for algorithm in WipeAlgorithm] == words.split()


class TestFlags:
    def test_combine_and_stay_flags(self) -> None:
        both = ListPoolsFlags.ACTIVE | ListPoolsFlags.DIR
        assert isinstance(both, ListPoolsFlags)
        assert both == 66
        assert ListPoolsFlags.DIR in both

    def test_a_combination_has_no_name_of_its_own(self) -> None:
        both = ListPoolsFlags.ACTIVE | ListPoolsFlags.DIR
        assert (both.since, both.since_number, both.constant, both.word) == (None, None, None, "66")

    def test_unknown_bits_are_kept(self) -> None:
        flags = PoolBuildFlags(8 | 1 << 20)
        assert flags == 8 | 1 << 20
        assert PoolBuildFlags.OVERWRITE in flags
        assert repr(flags) == "<PoolBuildFlags.OVERWRITE|1048576: 1048584>"

    def test_nothing_has_libvirts_name_where_it_has_one(self) -> None:
        assert PoolBuildFlags(0) is PoolBuildFlags.NEW
        assert VolumeInfoFlags(0).constant == "VIR_STORAGE_VOL_USE_ALLOCATION"
        assert ListPoolsFlags(0).constant is None

    def test_a_member_tells_about_itself(self) -> None:
        flag = ListPoolsFlags.ISCSI_DIRECT
        assert flag.constant == "VIR_CONNECT_LIST_STORAGE_POOLS_ISCSI_DIRECT"
        assert (flag.since, flag.since_number) == ("5.6.0", 5_006_000)
        assert flag.word == "iscsi-direct"


class TestWords:
    def test_are_text(self) -> None:
        assert VolumeFormat.HFS_PLUS.value == str(VolumeFormat.HFS_PLUS) == "hfs+"
        assert f"{PoolType.ISCSI_DIRECT}" == "iscsi-direct"
        assert VolumeFormat("linux-swap") is VolumeFormat.LINUX_SWAP

    def test_are_described(self) -> None:
        for cls in Words.__subclasses__():
            docs = [word.__doc__ for word in cls]
            assert all(docs)
            assert len(set(docs)) == len(docs)

    def test_an_unknown_word_is_refused(self) -> None:
        with pytest.raises(ValueError, match="'qcow3' is not a valid VolumeFormat"):
            VolumeFormat("qcow3")
