import base64
import json
import os
import pickle
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
import tiktoken
import tokenizers
from hypothesis import given, settings
from hypothesis import strategies as st
from tokenizers.models import BPE, WordLevel

from tamis.hashing.errors import ConfigError, EngineError, InputError
from tamis.hashing.tokenizer import BATCH_BYTES, ENCODINGS, Tokenizer

from . import oracle

LINES = ["the sieve and the flour", "flour of the mill, the mill of flour", "sieved flour is finer than flour"]
TEXTS = ["", "the flour", "a<|end|>b", " ", "the mill of the flour, sieved", "中文 naïve 😀", "\x00\r\n", "<|end|>"]
PATTERN = r"""'(?:[sdmt]|ll|ve|re)| ?\p{L}++| ?\p{N}++| ?[^\s\p{L}\p{N}]++|\s++$|\s+(?!\S)|\s"""
ANY_TEXT = st.text("the flour<|end>中é😀\n\x00") | st.text(st.characters(codec="utf-8"))


def save_ranks(path, ranks):
    path.write_bytes(b"".join(base64.b64encode(token) + b" %d\n" % rank for token, rank in ranks.items()))


def read_ranks(path):
    return {base64.b64decode(token): int(rank) for token, rank in map(bytes.split, path.read_bytes().splitlines())}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A folder with ``bpe.json``, whose added token is <|end|>, and ``flour.tiktoken``."""
    folder = tmp_path_factory.mktemp("tokenizers")
    bpe = tokenizers.Tokenizer(BPE())
    bpe.pre_tokenizer = tokenizers.pre_tokenizers.ByteLevel(add_prefix_space=False)
    bpe.train_from_iterator(
        LINES,
        tokenizers.trainers.BpeTrainer(
            vocab_size=300,
            initial_alphabet=tokenizers.pre_tokenizers.ByteLevel.alphabet(),
            special_tokens=["<|end|>"],
            show_progress=False,
        ),
    )
    bpe.post_processor = tokenizers.processors.TemplateProcessing(
        single="<|end|> $A <|end|>", special_tokens=[("<|end|>", 0)]
    )
    bpe.save(str(folder / "bpe.json"))
    merged = [
        b"th",
        b"the",
        b" the",
        b"fl",
        b"our",
        b"flour",
        b" flour",
        b"mi",
        b"ll",
        b"mill",
        b" mill",
        b"of",
        b" of",
    ]
    save_ranks(
        folder / "flour.tiktoken", {token: i for i, token in enumerate([bytes([b]) for b in range(256)] + merged)}
    )
    return folder


def bpe(folder):
    return Tokenizer("bpe", "tokenizers", str(folder / "bpe.json"))


def ranked(folder, **more):
    return Tokenizer("flour", "tiktoken", str(folder / "flour.tiktoken"), pattern=PATTERN, **more)


def counts(tokenizer, texts):
    found = tokenizer.count(*oracle.packed(texts))
    assert (found.dtype, found.shape) == (np.int64, (len(texts),))
    return found.tolist()


def one_by_one(tokenizer, texts):
    """What the libraries say, a text at a time."""
    if tokenizer.kind == "tokenizers":
        loaded = tokenizers.Tokenizer.from_file(tokenizer.path)
        return [len(loaded.encode(text, add_special_tokens=False).ids) for text in texts]
    ranks = read_ranks(Path(tokenizer.path))
    special = {token: 10_000 + i for i, token in enumerate(tokenizer.special)}
    loaded = tiktoken.Encoding("oracle", pat_str=PATTERN, mergeable_ranks=ranks, special_tokens=special)
    return [len(loaded.encode(text, allowed_special="all", disallowed_special=())) for text in texts]


def kinds(folder):
    return bpe(folder), ranked(folder), ranked(folder, special=("<|end|>",))


def test_golden(folder):
    # "the flour" is "the" and " flour"; <|end|> is one token where it is special, and seven bytes where it is not.
    # 中 and 文 are three bytes each, ï two, 😀 four.
    assert counts(bpe(folder), TEXTS) == [0, 2, 3, 1, 8, 18, 3, 1]
    assert counts(ranked(folder), TEXTS) == [0, 2, 9, 1, 13, 18, 3, 7]
    assert counts(ranked(folder, special=("<|end|>",)), TEXTS) == [0, 2, 3, 1, 13, 18, 3, 1]


def test_no_texts(folder):
    assert [counts(tokenizer, []) for tokenizer in kinds(folder)] == [[], [], []]


@settings(derandomize=True, deadline=None)
@given(texts=st.lists(ANY_TEXT, max_size=8))
def test_counts_are_those_of_the_libraries(folder, texts):
    for tokenizer in kinds(folder):
        assert counts(tokenizer, texts) == one_by_one(tokenizer, texts)


def test_batches_of_long_texts(folder):
    texts = ["the flour " * n for n in (0, 60_000, 1, 0, 60_000, 60_000, 110_000)] + [
        "\x00" * (BATCH_BYTES + 1),
        "",
        "é",
    ]
    for tokenizer in kinds(folder):
        assert counts(tokenizer, texts) == one_by_one(tokenizer, texts)


def test_truncation_and_padding_of_the_file_are_left_out(folder, tmp_path):
    loaded = tokenizers.Tokenizer.from_file(str(folder / "bpe.json"))
    loaded.enable_truncation(3)
    loaded.enable_padding(length=5)
    loaded.save(str(tmp_path / "cut.json"))
    assert counts(Tokenizer("cut", "tokenizers", str(tmp_path / "cut.json")), TEXTS) == counts(bpe(folder), TEXTS)


def test_threads_and_processes_agree(folder):
    texts = [f"the flour of mill {i}" * 20 for i in range(400)]
    for tokenizer in kinds(folder):
        copy = pickle.loads(pickle.dumps(tokenizer))
        with ThreadPoolExecutor(4) as pool:
            assert (
                list(pool.map(lambda t: counts(t, texts), [tokenizer, copy] * 4)) == [one_by_one(tokenizer, texts)] * 8
            )


def test_a_fork_after_counting_is_quiet(folder):
    script = """
import os, sys
import numpy as np
from tamis.hashing.tokenizer import Tokenizer
def count():
    data = np.frombuffer(b"the flour" * 1000, np.uint8)
    return Tokenizer("bpe", "tokenizers", sys.argv[1]).count(data, np.arange(0, 9001, 9)).sum()
first = count()
child = os.fork()
if not child:
    os._exit(int(count() != first))
sys.exit(os.waitpid(child, 0)[1])
"""
    environment = {name: value for name, value in os.environ.items() if name != "TOKENIZERS_PARALLELISM"}
    environment["PYTHONPATH"] = os.pathsep.join(sys.path)
    command = [sys.executable, "-W", "ignore:This process:DeprecationWarning", "-c", script, str(folder / "bpe.json")]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")


def test_the_environment_may_say_otherwise(folder, monkeypatch):
    monkeypatch.setenv("TOKENIZERS_PARALLELISM", "true")
    assert counts(bpe(folder), TEXTS) == one_by_one(bpe(folder), TEXTS)
    assert os.environ["TOKENIZERS_PARALLELISM"] == "true"


def test_fingerprint_is_the_sha256_of_the_file(tmp_path):
    (tmp_path / "a.json").write_bytes(b"{}")
    tokenizer = Tokenizer("a", "tokenizers", str(tmp_path / "a.json"))
    assert tokenizer.fingerprint == "44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a"


def test_another_file_at_the_same_path_is_loaded_anew(folder, tmp_path):
    path = tmp_path / "words.json"
    tokenizer = Tokenizer("level", "tokenizers", str(path))
    path.write_bytes((folder / "bpe.json").read_bytes())
    assert counts(tokenizer, ["a b c"]) == [5]
    loaded = tokenizers.Tokenizer(WordLevel({"[UNK]": 0}, unk_token="[UNK]"))
    loaded.pre_tokenizer = tokenizers.pre_tokenizers.WhitespaceSplit()
    loaded.save(str(path))
    assert counts(tokenizer, ["a b c"]) == [3]


def test_texts_that_are_not_utf8_are_named(folder):
    for tokenizer in kinds(folder):
        with pytest.raises(InputError, match=r"are UTF-8; found text 1, byte 4\."):
            tokenizer.count(*oracle.packed([b"good", b"bad \xff!"]))


@pytest.mark.parametrize(
    "content", [b"", b"{}", b"not JSON", b"\xff", json.dumps({"version": "1.0", "model": 1}).encode()]
)
def test_damaged_tokenizer_json(tmp_path, content):
    path = tmp_path / "tokenizer.json"
    path.write_bytes(content)
    with pytest.raises(InputError, match=r"a tokenizer\.json is one that the tokenizers library reads"):
        Tokenizer("broken", "tokenizers", str(path)).count(*oracle.packed(["a"]))


def test_a_text_that_the_tokenizer_refuses(tmp_path):
    tokenizers.Tokenizer(WordLevel({"a": 0}, unk_token="[UNK]")).save(str(tmp_path / "words.json"))
    with pytest.raises(InputError, match="level, in texts 0 to 1: WordLevel error"):
        Tokenizer("level", "tokenizers", str(tmp_path / "words.json")).count(*oracle.packed(["a", "b"]))


@pytest.mark.parametrize(
    ("change", "what"),
    [
        (lambda lines: lines[:97] + lines[98:], "no token for byte 0x61"),
        (lambda lines: [*lines, b"YWE="], "line 270"),
        (lambda lines: [*lines, b"Y!WE= 999"], "line 270"),
        (lambda lines: [*lines, b"YWE= many"], "line 270"),
        (lambda lines: [*lines, b"YWE= 7"], "a rank of two tokens"),
        (lambda lines: [], "no token for byte 0x00"),
    ],
)
def test_damaged_rank_file(folder, tmp_path, change, what):
    path = tmp_path / "damaged.tiktoken"
    path.write_bytes(b"\n".join(change((folder / "flour.tiktoken").read_bytes().splitlines())))
    with pytest.raises(InputError, match=what):
        Tokenizer("damaged", "tiktoken", str(path), pattern=PATTERN).count(*oracle.packed(["a"]))


def test_a_pattern_that_is_none(folder):
    tokenizer = Tokenizer("open", "tiktoken", str(folder / "flour.tiktoken"), pattern="(")
    with pytest.raises(ConfigError, match=r"a pattern is a regular expression; found open, \(: "):
        tokenizer.count(*oracle.packed(["a"]))


def test_a_pattern_that_gives_up_on_a_long_text(folder, capfd):
    tokenizer = Tokenizer("slow", "tiktoken", str(folder / "flour.tiktoken"), pattern=r"(a|b)+(?!c)|.")
    with pytest.raises(InputError, match="slow, in texts 0 to 0: .*StackOverflow"):
        tokenizer.count(*oracle.packed(["ab" * 1_000_000]))
    capfd.readouterr()  # the library prints a trace


@pytest.mark.parametrize("kind", ["tokenizers", "tiktoken"])
def test_a_missing_file(tmp_path, kind):
    pattern = PATTERN if kind == "tiktoken" else None
    tokenizer = Tokenizer("gone", kind, str(tmp_path / "gone"), pattern=pattern)
    with pytest.raises(InputError, match=r"the file of tokenizer gone can be read; found .*No such file"):
        tokenizer.count(*oracle.packed(["a"]))
    with pytest.raises(InputError, match="the file of tokenizer gone can be read"):
        _ = tokenizer.fingerprint


@pytest.mark.parametrize("kind", ["tokenizers", "tiktoken"])
def test_a_missing_library(tmp_path, monkeypatch, kind):
    path = tmp_path / "any"
    path.write_bytes(b"{}")
    monkeypatch.setitem(sys.modules, kind, None)
    tokenizer = Tokenizer("any", kind, str(path), pattern=PATTERN if kind == "tiktoken" else None)
    with pytest.raises(EngineError, match=rf"by the library {kind}; .*pip install 'tamis\[tokens\]'"):
        tokenizer.count(*oracle.packed(["a"]))


@pytest.mark.parametrize("variable", ["TIKTOKEN_CACHE_DIR", "DATA_GYM_CACHE_DIR"])
def test_an_encoding_that_is_not_cached(tmp_path, monkeypatch, variable):
    monkeypatch.delenv("TIKTOKEN_CACHE_DIR", raising=False)
    monkeypatch.setenv(variable, str(tmp_path))
    with pytest.raises(InputError, match="the encoding cl100k_base is in tiktoken's cache: nothing is downloaded"):
        Tokenizer("gpt4", "tiktoken", "cl100k_base").count(*oracle.packed(["a"]))


# tiktoken names a cached file by the SHA-1 of its address.
CACHED_R50K = "0ea1e91bbb3a60f729a8dc8f777fd2fc07cd8df4"


def test_a_damaged_cached_encoding_is_left_alone(tmp_path, monkeypatch):
    monkeypatch.setenv("TIKTOKEN_CACHE_DIR", str(tmp_path))
    (tmp_path / CACHED_R50K).write_bytes(b"damaged")
    with pytest.raises(InputError, match="tiktoken's cached file of r50k_base is whole"):
        Tokenizer("gpt2", "tiktoken", "r50k_base").count(*oracle.packed(["a"]))
    assert (tmp_path / CACHED_R50K).read_bytes() == b"damaged"


def test_a_cached_encoding(folder, tmp_path, monkeypatch):
    content = (folder / "flour.tiktoken").read_bytes()
    ranked_sha256 = ranked(folder).fingerprint
    monkeypatch.setenv("TIKTOKEN_CACHE_DIR", str(tmp_path))
    (tmp_path / CACHED_R50K).write_bytes(content)
    monkeypatch.setitem(ENCODINGS, "r50k_base", ("r50k_base", ranked_sha256))
    ranks = read_ranks(folder / "flour.tiktoken")
    loaded = tiktoken.Encoding("r50k", pat_str=PATTERN, mergeable_ranks=ranks, special_tokens={"<|end|>": 999})
    monkeypatch.setattr(tiktoken, "get_encoding", {"r50k_base": loaded}.__getitem__)
    named = Tokenizer("gpt2", "tiktoken", "r50k_base")
    assert named.fingerprint == ranked_sha256
    assert counts(named, TEXTS) == counts(ranked(folder), TEXTS)
    special = Tokenizer("gpt2", "tiktoken", "r50k_base", special=("<|end|>",))
    assert counts(special, TEXTS) == counts(ranked(folder, special=("<|end|>",)), TEXTS)
    with pytest.raises(ConfigError, match=r"special tokens are those of r50k_base; found <\|fin\|>"):
        Tokenizer("gpt2", "tiktoken", "r50k_base", special=("<|fin|>",)).count(*oracle.packed(["a"]))


@pytest.mark.parametrize(
    ("settings", "rule"),
    [
        ({"name": "tokens"}, "a tokenizer has a name of"),
        ({"name": "a/b"}, "a tokenizer has a name of"),
        ({"name": ""}, "a tokenizer has a name of"),
        ({"kind": "sentencepiece"}, "a tokenizer is of kind"),
        ({"pattern": "."}, r"a tokenizer\.json has its own pattern"),
        ({"special": ("<s>",)}, r"a tokenizer\.json has its own pattern"),
        ({"kind": "tiktoken"}, "a rank file comes with its pattern"),
        ({"kind": "tiktoken", "pattern": ""}, "a rank file comes with its pattern"),
        ({"kind": "tiktoken", "pattern": ".", "special": ("",)}, "special tokens are not empty"),
    ],
)
def test_settings_that_do_not_go_together(settings, rule):
    with pytest.raises(ConfigError, match=rule):
        Tokenizer(**({"name": "own", "kind": "tokenizers", "path": "tokenizer.json"} | settings))
