"""Numbers of tokens by tokenizers of others: tokenizer.json files of Hugging Face, and rank files of tiktoken.

Their libraries are optional and are loaded where texts are counted.
"""

import base64
import hashlib
import importlib
import os
import re
import tempfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING

from .errors import ConfigError, EngineError, InputError
from .refusals import Refusals

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

KINDS = ("tokenizers", "tiktoken")

RESERVED = ("rows", "bytes", "words", "tokens")
"""Names that mean something else wherever a tokenizer is named."""

BATCH_BYTES = 1 << 20
"""About how much text goes to the library at once: it keeps some hundred bytes a token until the last is counted."""

ENCODINGS = {
    "r50k_base": ("r50k_base", "306cd27f03c1a714eca7108e03d66b7dc042abe8c258b44c199a7ed9838dd930"),
    "p50k_base": ("p50k_base", "94b5ca7dff4d00767bc256fdd1b27e5b17361d7b8a5f968547f9f23eb70d2069"),
    "p50k_edit": ("p50k_base", "94b5ca7dff4d00767bc256fdd1b27e5b17361d7b8a5f968547f9f23eb70d2069"),
    "cl100k_base": ("cl100k_base", "223921b76ee99bde995b7ff738513eef100fb51d18c93597a113bcffe865b2a7"),
    "o200k_base": ("o200k_base", "446a9538cb6c348e3516120d7c08b09f57c36495e2acfffe59a5bf8b0cfb1a2d"),
    "o200k_harmony": ("o200k_base", "446a9538cb6c348e3516120d7c08b09f57c36495e2acfffe59a5bf8b0cfb1a2d"),
}
"""The encodings of tiktoken that have one rank file: its name at ``_URL``, and its sha256. GPT-2's is r50k_base."""

_URL = "https://openaipublic.blob.core.windows.net/encodings/{}.tiktoken"
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]*")

_Count = Callable[[Sequence[str]], list[int]]


@dataclass(frozen=True)
class Tokenizer:
    """A tokenizer by its file: plain data that can be sent to other processes.

    Attributes:
        name: what its counts are called.
        kind: ``tokenizers`` (a tokenizer.json) or ``tiktoken``.
        path: of its file; with tiktoken and without a pattern, the name of an encoding that is in tiktoken's cache.
        pattern: with a rank file, the regular expression that cuts a text into pieces.
        special: with tiktoken, strings that count as one token wherever a text holds them; by default they are text
            like any other. A tokenizer.json says so itself.

    Raises:
        ConfigError: if these do not go together.
    """

    name: str
    kind: str
    path: str
    pattern: str | None = None
    special: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if not _NAME.fullmatch(self.name) or self.name in RESERVED:
            raise ConfigError(
                f"a tokenizer has a name of letters, digits and _.- that is none of {', '.join(RESERVED)}",
                value=repr(self.name),
                remedy="Give it another name.",
            )
        if self.kind not in KINDS:
            raise ConfigError(
                f"a tokenizer is of kind {' or '.join(KINDS)}", value=self.kind, remedy="Name one of them."
            )
        if "" in self.special:
            raise ConfigError("special tokens are not empty", value=f"one of {self.name}", remedy="Leave it out.")
        if self.kind == "tokenizers" and (self.pattern is not None or self.special):
            raise ConfigError(
                "a tokenizer.json has its own pattern and special tokens",
                value=f"others for {self.name}",
                remedy="Leave pattern and special out.",
            )
        if self._by_name and self.path not in ENCODINGS or self.pattern == "":
            raise ConfigError(
                "a rank file comes with its pattern, and without one an encoding of tiktoken is named",
                value=self.path,
                remedy=f"Give the pattern, or name one of {', '.join(ENCODINGS)}.",
            )

    @property
    def _by_name(self) -> bool:
        """Whether it is an encoding that tiktoken knows."""
        return self.kind == "tiktoken" and self.pattern is None

    @property
    def fingerprint(self) -> str:
        """The sha256 of the file, in hexadecimal.

        Raises:
            InputError: if the file cannot be read, or tiktoken has not cached the encoding.
        """
        return hashlib.sha256(_content(self)).hexdigest()

    def count(self, data: "NDArray[np.uint8]", offsets: "NDArray[np.int64]") -> "NDArray[np.int64]":
        """Return how many tokens each of the texts ``data[offsets[i]:offsets[i + 1]]`` has, without any added ones.

        Threads can call it at once: the lock of the interpreter is free while a library works. The libraries start no
        threads of their own: unless the environment says otherwise, it is given ``TOKENIZERS_PARALLELISM=false``, for
        this process and its children.

        Args:
            data: uint8, the bytes of all texts.
            offsets: int64, shape (n + 1,).

        Returns:
            int64, shape (n,).

        Raises:
            InputError: if a text is not UTF-8 or the tokenizer cannot take it, or its file is missing or damaged.
            ConfigError: if the pattern is no regular expression, or a special token is none of the encoding's.
            EngineError: if the library is not installed.
        """
        import numpy as np  # configurations name tokenizers, and are read where nothing is counted

        count = _counter(self, _state(self))
        view, bounds = data.data, offsets.tolist()
        counts: list[int] = []
        for start, stop in _batches(bounds):
            texts = [_text(view, bounds, i) for i in range(start, stop)]
            with Refusals("the tokenizer can take every text", f"{self.name}, in texts {start} to {stop - 1}"):
                counts += count(texts)
        return np.array(counts, np.int64)


def _batches(bounds: Sequence[int]) -> Iterator[tuple[int, int]]:
    """Yield (first, end) of runs of texts of about ``BATCH_BYTES``."""
    first = 0
    for i in range(1, len(bounds)):
        if bounds[i] - bounds[first] >= BATCH_BYTES or i == len(bounds) - 1:
            yield first, i
            first = i


def _text(view: memoryview, bounds: Sequence[int], i: int) -> str:
    try:
        return str(view[bounds[i] : bounds[i + 1]], "utf-8")
    except UnicodeDecodeError as error:
        raise InputError(
            "texts whose tokens are counted are UTF-8",
            value=f"text {i}, byte {error.start}",
            remedy="Leave out texts that are not.",
        ) from error


@lru_cache(maxsize=16)
def _counter(tokenizer: Tokenizer, state: tuple[int, int]) -> _Count:
    """Return what counts a list of texts; once a process, and again where the file has another ``state``."""
    content = _content(tokenizer)
    return (_of_tokenizers if tokenizer.kind == "tokenizers" else _of_tiktoken)(tokenizer, content)


def _of_tokenizers(tokenizer: Tokenizer, content: bytes) -> _Count:
    os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")  # read by the library at every call
    library = _library("tokenizers")
    with Refusals("a tokenizer.json is one that the tokenizers library reads", tokenizer.path):
        loaded = library.Tokenizer.from_buffer(content)
    loaded.no_truncation()
    loaded.no_padding()
    encode = loaded.encode_batch_fast  # unlike encode it frees the interpreter's lock
    return lambda texts: [len(found) for found in encode(texts, add_special_tokens=False)]


def _of_tiktoken(tokenizer: Tokenizer, content: bytes) -> _Count:
    library = _library("tiktoken")
    special = set(tokenizer.special)
    if tokenizer.pattern is None:  # the file is the right one, so nothing is downloaded
        encoding = library.get_encoding(tokenizer.path)
        if unknown := sorted(special - encoding.special_tokens_set):
            raise ConfigError(
                f"special tokens are those of {tokenizer.path}",
                value=unknown[0],
                remedy="Leave it out, or spell it right.",
            )
    else:
        ranks = _ranks(content, tokenizer.path)
        first = max(ranks.values()) + 1
        with Refusals("a pattern is a regular expression", f"{tokenizer.name}, {tokenizer.pattern}", ConfigError):
            encoding = library.Encoding(
                tokenizer.name,
                pat_str=tokenizer.pattern,
                mergeable_ranks=ranks,
                special_tokens={token: first + i for i, token in enumerate(sorted(special))},
            )
    if special:
        return lambda texts: [len(encoding.encode(t, allowed_special=special, disallowed_special=())) for t in texts]
    encode = encoding.encode_ordinary
    return lambda texts: [len(encode(text)) for text in texts]


def _ranks(content: bytes, path: str) -> dict[bytes, int]:
    """Return the rank of each token of a rank file: lines of a token in base64, a space and a number."""
    ranks: dict[bytes, int] = {}
    for number, line in enumerate(content.splitlines(), 1):
        try:
            if line:
                token, rank = line.split()
                ranks[base64.b64decode(token, validate=True)] = int(rank)
        except ValueError as error:
            raise _damaged(path, f"line {number}") from error
    if len(set(ranks.values())) != len(ranks):
        raise _damaged(path, "a rank of two tokens")
    if missing := [byte for byte in range(256) if bytes([byte]) not in ranks]:
        raise _damaged(path, f"no token for byte {missing[0]:#04x}")  # texts that hold it would be counted wrong
    return ranks


def _damaged(path: str, what: str) -> InputError:
    return InputError(
        "a rank file of tiktoken has lines of a token in base64 and its rank, and a token for each byte",
        value=f"{path}: {what}",
        remedy="Fetch the file again.",
    )


def _content(tokenizer: Tokenizer) -> bytes:
    path = _file(tokenizer)
    try:
        content = path.read_bytes()
    except OSError as error:
        raise _unreadable(tokenizer, error) from error
    if tokenizer._by_name and hashlib.sha256(content).hexdigest() != ENCODINGS[tokenizer.path][1]:
        raise InputError(
            f"tiktoken's cached file of {tokenizer.path} is whole",
            value=str(path),
            remedy="Remove it and let tiktoken fetch it again.",
        )
    return content


def _state(tokenizer: Tokenizer) -> tuple[int, int]:
    """Return what tells whether the file is the one that was loaded before."""
    try:
        found = _file(tokenizer).stat()
    except OSError as error:
        raise _unreadable(tokenizer, error) from error
    return found.st_mtime_ns, found.st_size


def _unreadable(tokenizer: Tokenizer, error: OSError) -> InputError:
    if tokenizer._by_name:
        return InputError(
            f"the encoding {tokenizer.path} is in tiktoken's cache: nothing is downloaded",
            value=str(error),
            remedy=f"Run tiktoken.get_encoding({tokenizer.path!r}) once, or name the folder by TIKTOKEN_CACHE_DIR.",
        )
    return InputError(
        f"the file of tokenizer {tokenizer.name} can be read", value=str(error), remedy="Name a file that is there."
    )


def _file(tokenizer: Tokenizer) -> Path:
    """Return the path of the file; of an encoding by name, where tiktoken caches it."""
    if not tokenizer._by_name:
        return Path(tokenizer.path)
    name, _ = ENCODINGS[tokenizer.path]
    named = (os.environ.get(variable) for variable in ("TIKTOKEN_CACHE_DIR", "DATA_GYM_CACHE_DIR"))
    folder = next((path for path in named if path is not None), os.path.join(tempfile.gettempdir(), "data-gym-cache"))
    return Path(folder) / hashlib.sha1(_URL.format(name).encode(), usedforsecurity=False).hexdigest()


def _library(name: str) -> ModuleType:
    try:
        return importlib.import_module(name)
    except ImportError as error:
        raise EngineError(
            f"tokens are counted by the library {name}",
            value=f"no {error.name}",
            remedy="Install it: pip install 'tamis[tokens]'.",
        ) from error
