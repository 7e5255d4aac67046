import pyarrow as pa
import pytest

from tamis.hashing.errors import InputError
from tamis.pipeline.blocking.matches import read_known_pairs

LEFT, RIGHT = pa.array(["a", "b", "c"]), pa.array(["1", "2", "3"])


def read(tmp_path, text, right_ids=RIGHT, **names):
    (tmp_path / "m.csv").write_text(text)
    found = read_known_pairs(str(tmp_path / "m.csv"), LEFT, right_ids, **names)
    return [[(row["left_id"], row["right_id"]) for row in table.to_pylist()] for table in (found.matches, found.others)]


@pytest.mark.parametrize(
    "text",
    [
        "left_id,right_id\na,1\nb,3\n",
        "D1|D2\na|1\nb|3\n",
        "right_id%left_id\n1%a\n3%b\n",
        "some,thing\na,1\nb,3\n",
        "a,1\nb,3\n",
        "id_l,id_r,title\na,1,x\nb,3,y\n",
        "D1,D2\n a ,1\nb, 3\nb,3\n",
    ],
)
def test_forms(tmp_path, text):
    assert read(tmp_path, text) == [[("a", "1"), ("b", "3")], []]


def test_labels(tmp_path):
    text = "ltable_id,rtable_id,label\na,1,1\na,2,0\nb,3,True\nc,3,no\n"
    assert read(tmp_path, text) == [[("a", "1"), ("b", "3")], [("a", "2"), ("c", "3")]]
    assert read(tmp_path, text.replace("label", "truth"), label="truth") == read(tmp_path, text)


def test_named_columns(tmp_path):
    assert read(tmp_path, "x,y,z\n1,?,a\n", left="z", right="x") == [[("a", "1")], []]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("left_id,right_id\na,9\n", "right id of a known match is that of a record"),
        ("left_id,right_id\nz,1\n", "1 others in .* the first 'z'"),
        ("left_id,right_id,label\na,1,maybe\n", "a label is 1 or 0"),
        ("left_id,right_id,label\na,1,1\na,1,0\n", "a pair has one label"),
        ("left_id\na\n", "two ids each"),
    ],
)
def test_what_cannot_be(tmp_path, text, said):
    with pytest.raises(InputError, match=said):
        read(tmp_path, text)


def test_contradictions_within_one_table_go_both_ways(tmp_path):
    with pytest.raises(InputError, match="a pair has one label"):
        read(tmp_path, "left_id,right_id,label\na,b,1\nb,a,0\n", right_ids=None)
