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
        "theirs,left_id,note\n1,a,x\n3,b,y\n",
        "right_id,other,left_id\n1,x,a\n3,x,b\n",
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


def test_labels_without_a_header(tmp_path):
    assert read(tmp_path, "b,3,1\na,2,0\na,1, 1\n") == [[("a", "1"), ("b", "3")], [("a", "2")]]
    assert read(tmp_path, "a,2,0\nb,3,1\n") == [[("b", "3")], [("a", "2")]]
    assert read(tmp_path, "a,1,x\na,2,0\n") == [[("a", "1"), ("a", "2")], []]


def test_no_rows(tmp_path):
    assert read(tmp_path, "left_id,right_id\n") == [[], []]


def test_named_columns(tmp_path):
    assert read(tmp_path, "x,y,z\n1,?,a\n", left="z", right="x") == [[("a", "1")], []]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("left_id,right_id\na,9\n", "right_id of all known matches of .*m.csv is that of a record"),
        ("left_id,right_id\nz,1\n", "1 others, the first 'z'"),
        ("left_id,right_id,label\na,1,maybe\n", "known matches of .* are 0 or 1.*'maybe'"),
        ("left_id,right_id,label\na,1,1\na,1,0\n", "a pair has one label"),
        ("left_id\na\n", "two ids each"),
        ("left_id,right_id\na,1\nb,2,c\n", "1 cannot, the first is record 1 of .*ragged"),
    ],
)
def test_what_cannot_be(tmp_path, text, said):
    with pytest.raises(InputError, match=said):
        read(tmp_path, text)


def test_contradictions_within_one_table_go_both_ways(tmp_path):
    with pytest.raises(InputError, match="a pair has one label"):
        read(tmp_path, "left_id,right_id,label\na,b,1\nb,a,0\n", right_ids=None)


def test_ids_keep_their_spaces_where_records_have_them(tmp_path):
    (tmp_path / "m.csv").write_text("left_id,right_id\n a,1\n b ,2\n")
    found = read_known_pairs(str(tmp_path / "m.csv"), pa.array([" a", "b"]), RIGHT).matches.to_pylist()
    assert found == [{"left_id": " a", "right_id": "1"}, {"left_id": "b", "right_id": "2"}]
