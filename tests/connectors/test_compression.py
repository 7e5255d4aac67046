"""Compressed files: several streams are read to their end, and none that is damaged passes for an end."""

import bz2
import gzip
import lzma
import tracemalloc

import pyarrow as pa
import pytest

from tamis.connectors.compression import DAMAGE, compression_of, ending_of, open_stored


def zstd(data):
    sink = pa.BufferOutputStream()
    with pa.CompressedOutputStream(sink, "zstd") as stream:
        stream.write(data)
    return sink.getvalue().to_pybytes()


COMPRESS = {"gzip": gzip.compress, "bzip2": bz2.compress, "xz": lzma.compress, "zstd": zstd}


def read(path, compression, size=1000):
    with open_stored(str(path), compression) as stream:
        return b"".join(iter(lambda: stream.read(size), b""))


@pytest.mark.parametrize("compression", COMPRESS)
def test_a_compressed_file_is_known_by_its_beginning(compression):
    data = COMPRESS[compression](b"some text")
    assert [compression_of(f"a.{ending_of(begins)}") for begins in (data, data[:10])] == [compression] * 2


@pytest.mark.parametrize("text", [b"", b"\x1f", b"BZh9 is a name", b"(\xc2\xb5/", b'{"text": 1}', "ý7zXZ".encode()])
def test_texts_do_not_begin_as_compressed_files(text):
    assert ending_of(text) == ""


@pytest.mark.parametrize("compression", COMPRESS)
def test_streams_one_after_another(tmp_path, compression):
    parts = [bytes(range(256)) * 700, b"", b"short", b"x" * 300_000]
    (tmp_path / "f").write_bytes(b"".join(map(COMPRESS[compression], parts)))
    assert read(tmp_path / "f", compression) == b"".join(parts)


@pytest.mark.parametrize("compression", COMPRESS)
def test_every_cut_is_noticed(tmp_path, compression):
    one, two = COMPRESS[compression](b"first " * 20), COMPRESS[compression](b"second")
    for stop in range(1, len(one + two)):
        (tmp_path / "f").write_bytes((one + two)[:stop])
        if stop == len(one):
            assert read(tmp_path / "f", compression) == b"first " * 20
        else:
            with pytest.raises(DAMAGE):
                read(tmp_path / "f", compression)


@pytest.mark.parametrize("compression", COMPRESS)
def test_what_follows_a_stream_must_be_one(tmp_path, compression):
    (tmp_path / "f").write_bytes(COMPRESS[compression](b"first") + b"and then something else")
    with pytest.raises(DAMAGE):
        read(tmp_path / "f", compression)


@pytest.mark.parametrize("compression", COMPRESS)
def test_memory_for_damaged_bytes_is_given_back(tmp_path, compression):
    """Arrow's own ``read`` keeps what it allocated for bytes that could not be decompressed."""
    (tmp_path / "f").write_bytes(COMPRESS[compression](b"first " * 20)[:-3])
    tracemalloc.start()
    try:
        for _ in range(20):
            with pytest.raises(DAMAGE):
                read(tmp_path / "f", compression, 4 << 20)
        kept, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert kept < 16 << 20  # xz alone keeps its window for a while


@pytest.mark.parametrize("compression", COMPRESS)
def test_an_empty_stream(tmp_path, compression):
    (tmp_path / "f").write_bytes(COMPRESS[compression](b""))
    assert read(tmp_path / "f", compression) == b""


@pytest.mark.parametrize(
    ("name", "compression"),
    [("a.gz", "gzip"), ("a.ZST", "zstd"), ("a.bz2", "bzip2"), ("a.xz", "xz"), ("a.jsonl", ""), ("gz", "gzip")],
)
def test_endings(name, compression):
    assert compression_of(name) == compression
