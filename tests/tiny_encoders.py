"""Encoders of a few thousand weights for tests, from seeds; they need torch, transformers and sentence-transformers."""

from pathlib import Path

WORDS = (
    "col",
    "name",
    "val",
    "price",
    "sony",
    "tv",
    "black",
    "white",
    "camera",
    "lens",
    "red",
    "5",
    "99",
    "kdl",
    "zoom",
)


def tiny_encoder(folder: Path, *, seed: int = 0, pooling: str = "mean", normalise: bool = True, dense: int = 0):
    """Return a sentence-transformers model: BERT with two layers of 32 values and random weights.

    Args:
        folder: where its parts are written.
        seed: of its weights.
        pooling: over tokens.
        normalise: whether vectors are brought to length one.
        dense: values of a further layer behind the pooling; 0: none.
    """
    import torch
    from sentence_transformers import SentenceTransformer
    from sentence_transformers.sentence_transformer.modules import Dense, Normalize, Pooling, Transformer
    from transformers import BertConfig, BertModel, BertTokenizerFast

    pieces = list("abcdefghijklmnopqrstuvwxyz0123456789.-,;")
    vocabulary = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *WORDS, *pieces, *(f"##{piece}" for piece in pieces)]
    vocabulary = list(dict.fromkeys(vocabulary))
    folder.mkdir(parents=True, exist_ok=True)
    tokenizer = BertTokenizerFast(vocab={token: i for i, token in enumerate(vocabulary)}, do_lower_case=True)
    tokenizer.model_max_length = 48
    config = BertConfig(
        vocab_size=len(vocabulary),
        hidden_size=32,
        num_hidden_layers=2,
        num_attention_heads=4,
        intermediate_size=64,
        max_position_embeddings=64,
    )
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        BertModel(config).save_pretrained(folder)
        tokenizer.save_pretrained(folder)
        transformer = Transformer(str(folder), max_seq_length=48)
        modules = [transformer, Pooling(32, pooling_mode=pooling)]
        modules += [Dense(32, dense)] if dense else []
        modules += [Normalize()] if normalise else []
        return SentenceTransformer(modules=modules, device="cpu")
