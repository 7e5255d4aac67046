import numpy as np
import pytest

from tamis.hashing.errors import ArtefactError, InputError
from tamis.hashing.neural import onnx_encoder
from tamis.hashing.neural.hasher import HasherSettings, load_hasher, save_hasher
from tamis.hashing.neural.onnx_encoder import EncoderSettings, OnnxEncoder

pytestmark = pytest.mark.neural


def bits(vectors):
    return [row.tobytes() for row in vectors]


def parts(hasher):
    from pathlib import Path

    return (Path(hasher.path) / "encoder.onnx").read_bytes(), (Path(hasher.path) / "tokenizer.json").read_text()


@pytest.mark.parametrize("model", ["tiny", "minilm"])
def test_a_vector_depends_on_its_text_alone(request, texts, model, monkeypatch):
    _, hasher = request.getfixturevalue(model)
    some = texts if model == "tiny" else texts[:24]
    alone = [bits(hasher.encode([text]))[0] for text in some]
    assert bits(hasher.encode(some)) == alone
    assert bits(hasher.encode(some, threads=3)) == alone
    rng = np.random.Generator(np.random.PCG64(2))
    for rows in (1, 7, 64, 4096):
        monkeypatch.setattr(onnx_encoder, "BATCH_TOKENS", rows)
        order = rng.permutation(len(some) * 2) % len(some)
        assert bits(hasher.encode([some[i] for i in order])) == [alone[i] for i in order]


@pytest.mark.parametrize("model", ["tiny", "minilm"])
def test_texts_of_one_length_have_the_bits_they_have_alone(request, model):
    """Whole batches of every size up to 33: matrix products take another path for each remainder."""
    _, hasher = request.getfixturevalue(model)
    for words in (0, 1, 5, 16):
        some = [" ".join(f"{chr(97 + i % 26)}" for i in range(n, n + words)) for n in range(33)]
        alone = bits(hasher.encode(some[:1]))[0]
        whole = bits(hasher.encode(some))
        assert whole[0] == alone
        for n in range(1, 33) if model == "tiny" else (1, 2, 3, 4, 5, 8, 13, 17, 31):
            assert bits(hasher.encode(some[:n])) == whole[:n]


def test_vectors_have_length_one_and_no_text_has_none(tiny, texts):
    _, hasher = tiny
    assert np.allclose(np.linalg.norm(hasher.encode(texts), axis=1), 1, rtol=0, atol=1e-6)
    assert hasher.encode([]).shape == (0, 32)


def test_what_is_behind_the_limit_does_not_count(tiny):
    _, hasher = tiny
    graph, tokenizer = parts(hasher)
    short = OnnxEncoder(EncoderSettings("tiny", 6, "mean", True, 32), graph, tokenizer, "here")
    one, other, cut = short.encode(["sony tv black white", "sony tv black white camera", "sony tv black"])
    assert one.tobytes() == other.tobytes() != cut.tobytes()


def test_the_prefix_stands_before_each_text(tiny):
    _, hasher = tiny
    graph, tokenizer = parts(hasher)
    prefixed = OnnxEncoder(EncoderSettings("tiny", 48, "mean", True, 32, "price "), graph, tokenizer, "here")
    assert bits(prefixed.encode(["sony", ""])) == bits(hasher.encode(["price sony", "price "]))


def test_a_text_without_tokens_has_a_vector_of_zeros(tiny):
    import json

    _, hasher = tiny
    graph, tokenizer = parts(hasher)
    plain = json.dumps(json.loads(tokenizer) | {"post_processor": None})
    encoder = OnnxEncoder(EncoderSettings("tiny", 48, "mean", True, 32), graph, plain, "here")
    vectors = encoder.encode(["", "sony", "  "])
    assert vectors[0].tolist() == vectors[2].tolist() == [0] * 32
    assert np.isclose(np.linalg.norm(vectors[1]), 1)


def test_surrogates_are_no_text(tiny):
    with pytest.raises(InputError, match="texts to encode are Unicode"):
        tiny[1].encode(["a", "\ud800"])


@pytest.mark.parametrize(
    ("graph", "tokenizer"), [(b"", None), (b"nonsense", None), (None, ""), (None, "{}"), (None, "nonsense")]
)
def test_damaged_parts_are_named(tiny, graph, tokenizer, tmp_path):
    _, hasher = tiny
    whole_graph, whole_tokenizer = parts(hasher)
    made = save_hasher(
        tmp_path / "h",
        hasher.settings,
        graph=whole_graph if graph is None else graph,
        tokenizer=whole_tokenizer if tokenizer is None else tokenizer,
    )
    with pytest.raises(ArtefactError, match=r"ONNX graph of input_ids and attention_mask.*; found .*/h: "):
        load_hasher(made.path).encode(["a"])


@pytest.mark.parametrize("change", [{"dim": 16}, {"pooling": "graph"}])
def test_a_graph_that_makes_something_else_is_named(tiny, tmp_path, change):
    _, hasher = tiny
    graph, tokenizer = parts(hasher)
    encoder = EncoderSettings(
        **{"name": "x", "max_tokens": 8, "pooling": "mean", "normalise": True, "dim": 32} | change
    )
    made = save_hasher(tmp_path / "h", HasherSettings(encoder), graph=graph, tokenizer=tokenizer)
    with pytest.raises(ArtefactError, match=r"shape \(1, 3, 32\) where .* is due"):
        made.encode(["sony"])


def test_more_tokens_than_the_graph_can_take_are_an_error_of_ours(tiny):
    _, hasher = tiny
    graph, tokenizer = parts(hasher)
    encoder = OnnxEncoder(EncoderSettings("tiny", 500, "mean", True, 32), graph, tokenizer, "here")
    with pytest.raises(ArtefactError, match="makes the vectors that its settings say; found here"):
        encoder.encode(["sony " * 100])
