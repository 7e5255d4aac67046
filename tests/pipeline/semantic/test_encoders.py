import pickle

import pyarrow as pa
import pytest

from tamis.hashing.errors import ArtefactError, ConfigError
from tamis.pipeline.semantic.encoders import HASHED, open_encoder


@pytest.mark.parametrize("kind", [pa.string(), pa.large_string(), pa.string_view()])
def test_hashed_ngrams(kind):
    encoder = pickle.loads(pickle.dumps(open_encoder(HASHED)))
    vectors, cut = encoder(pa.array(["sift the flour", "Sift: the flour!", ""], kind))
    assert vectors.shape == (3, encoder.dim) == (3, 256)
    assert vectors[0].tolist() == vectors[1].tolist()
    assert not vectors[2].any()
    assert cut.tolist() == [False] * 3
    assert encoder.facts == {"name": "hashed-ngrams", "dimensions": 256, "ngram": 4, "profile": "words-v1"}


def test_what_is_no_model(tmp_path):
    with pytest.raises(ConfigError, match="all-MiniLM"):
        open_encoder("sentence-transformers/all-MiniLM-L6-v2")
    (tmp_path / "hasher.json").write_text("{}")
    with pytest.raises(ArtefactError):
        open_encoder(str(tmp_path))
