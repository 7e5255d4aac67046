import numpy as np
import pyarrow as pa
import pytest

from tamis.pipeline.text_column import text_buffers


@pytest.mark.parametrize("kind", [pa.string(), pa.large_string(), pa.string_view()], ids=str)
@pytest.mark.parametrize("texts", [[], [None], [""], ["a", None, "中", ""]], ids=str)
def test_texts_are_where_offsets_say_and_nothing_can_be_written_to(texts, kind):
    data, offsets = text_buffers(pa.array(texts, kind))
    found = [data[a:b].tobytes().decode() for a, b in zip(offsets, offsets[1:], strict=False)]
    assert found == [text or "" for text in texts]
    assert (data.dtype, offsets.dtype) == (np.dtype(np.uint8), np.dtype(np.int64))
    assert (data.flags.writeable, offsets.flags.writeable) == (False, False)


def test_a_slice_has_its_own_texts():
    data, offsets = text_buffers(pa.array(["one", "two", "three"]).slice(1))
    assert [data[a:b].tobytes() for a, b in zip(offsets, offsets[1:], strict=False)] == [b"two", b"three"]
