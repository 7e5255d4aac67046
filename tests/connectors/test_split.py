import pickle

from tamis.connectors.split import Split


def test_a_split_travels_to_another_process():
    split = Split(3, "/in/a.jsonl.gz", "jsonl", "gzip", members=("x", "y"), source="web", size_bytes=7)
    assert pickle.loads(pickle.dumps(split)) == split
    assert hash(split) == hash(pickle.loads(pickle.dumps(split)))
