import zlib

from app.streaming.spdy.dictionary import DICTIONARY


def test_the_dictionary_is_the_one_that_peers_name_by_its_checksum() -> None:
    assert len(DICTIONARY) == 1423
    assert zlib.adler32(DICTIONARY) == 0xE3C6A7C2
