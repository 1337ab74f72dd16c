"""Channels that were made from others: what goes along."""

from __future__ import annotations

import pickle

from libstorage import Options
from libstorage.session.channel import Channel

OPTIONS = Options(timeout=7)


def parts(channel: Channel) -> tuple[object, ...]:
    """What a channel is made of."""
    made: tuple[object, ...] = channel.__reduce__()[1]
    return made


def test_other_options_change_nothing_else() -> None:
    for readonly in (True, False):
        channel = Channel("test:///default", readonly, OPTIONS)
        secrets = channel.for_secrets()
        assert parts(channel) == ("test:///default", readonly, OPTIONS, None, False)
        assert parts(secrets) == ("test:///default", readonly, OPTIONS, None, True)
        for one in (channel, secrets):
            assert parts(one.with_options(timeout=7)) == parts(one)
            assert one.with_options(timeout=3).options == Options(timeout=3)
            assert parts(pickle.loads(pickle.dumps(one))) == parts(one)
