"""A hasher: one folder that makes vectors and codes of texts, the same from each of its copies.

    HASHER/hasher.json      what it is: format, encoder, head, sha256 of the other files
    HASHER/encoder.onnx     the encoder's graph
    HASHER/tokenizer.json   cuts texts into its tokens
    HASHER/head.npz         the layers behind it, if it has some
    HASHER/README.md        the card, for people

It appears under its name only when it is whole.
"""

import hashlib
import json
import os
import shutil
import threading
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..errors import ArtefactError, ConfigError, TamisError
from .head import Head, head_bytes, read_head
from .onnx_encoder import EncoderSettings, OnnxEncoder

FORMAT, VERSION = "tamis-hasher", 1
HEADER, GRAPH_FILE, TOKENIZER_FILE = "hasher.json", "encoder.onnx", "tokenizer.json"
HEAD_FILE, CARD_FILE = "head.npz", "README.md"
PROFILE = "record-v1"
"""How records are written as text; a hasher serves the profile that it was made for."""

TEXTS = ("marked", "texts")
METRICS = ("cosine", "euclidean")

_loading = threading.Lock()


@dataclass(frozen=True)
class HasherSettings:
    """What a hasher says of itself.

    Attributes:
        encoder: what is done around its graph.
        text: which text of a record it reads: ``marked`` or ``texts``.
        profile: of these texts.
        bands: (bands, bits of each) that its codes are cut into for buckets.
        metric: ``cosine`` or ``euclidean``: how its vectors are compared.
        trained: seeds, data, history, measures: whatever its maker writes down as JSON.

    Raises:
        ConfigError: one of them cannot be.
    """

    encoder: EncoderSettings
    text: str = "marked"
    profile: str = PROFILE
    bands: tuple[int, int] | None = None
    metric: str = "cosine"
    trained: Mapping[str, Any] | None = None

    def __post_init__(self) -> None:
        bands = (1, 1) if self.bands is None else self.bands
        whole = len(bands) == 2 and all(isinstance(n, int) and n >= 1 for n in bands)
        if self.text not in TEXTS or self.metric not in METRICS or not whole:
            raise ConfigError(
                f"a hasher reads {' or '.join(TEXTS)}, compares by {' or '.join(METRICS)}, and has bands of bits",
                value=f"text {self.text}, metric {self.metric}, bands {self.bands}",
                remedy="Mend these settings.",
            )


@dataclass(frozen=True)
class Hasher:
    """A saved hasher: plain data that can be sent to other processes; each loads the graph when it first encodes.

    Attributes:
        path: its folder, absolute.
        settings: what it says of itself.
        head: the layers behind the encoder, or None.
        files: sha256 of each file, by name.
    """

    path: str
    settings: HasherSettings
    head: Head | None
    files: Mapping[str, str]

    @property
    def encoder_fingerprint(self) -> str:
        """A sha256 of what decides vectors: equal ones make equal vectors of equal texts on one kind of processor."""
        around = asdict(self.settings.encoder)
        del around["name"]
        return _digest({"encoder": around, "files": [self.files[name] for name in (GRAPH_FILE, TOKENIZER_FILE)]})

    @property
    def fingerprint(self) -> str:
        """A sha256 of all that decides what it makes of records."""
        own = {"text": self.settings.text, "profile": self.settings.profile, "bands": self.settings.bands}
        head = self.head and {"activation": self.head.activation, "file": self.files[HEAD_FILE]}
        return _digest({"encoder": self.encoder_fingerprint, "head": head, "metric": self.settings.metric, **own})

    @property
    def card(self) -> str:
        """What it says to people, as Markdown."""
        return (Path(self.path) / CARD_FILE).read_text(encoding="utf-8")

    def encode(self, texts: Sequence[str], *, threads: int = 1) -> NDArray[np.float32]:
        """Return the vectors of some texts; see ``OnnxEncoder.encode``.

        Args:
            texts: some texts.
            threads: of this process; they change no result.

        Returns:
            float32, shape (n, dim).

        Raises:
            ConfigError: onnxruntime or tokenizers is not installed.
            ArtefactError: the encoder is not one.
            InputError: a text is not Unicode.
        """
        files = self.files[GRAPH_FILE], self.files[TOKENIZER_FILE]
        with _loading:  # threads that come at once would each load it
            encoder = _encoder(self.path, self.settings.encoder, *files)
        return encoder.encode(texts, threads=threads)

    def cuts(self, texts: Sequence[str]) -> NDArray[np.bool_]:
        """Return which texts are longer than what the encoder reads of them; see ``OnnxEncoder.cuts``."""
        files = self.files[GRAPH_FILE], self.files[TOKENIZER_FILE]
        return _encoder(self.path, self.settings.encoder, *files).cuts(texts)

    def project(self, vectors: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return what the head makes of some vectors; the signs are the code.

        Args:
            vectors: float32, shape (n, dim).

        Returns:
            float32, shape (n, bits): equal bits on every machine.

        Raises:
            ConfigError: there is no head, or vectors have another number of values.
        """
        if self.head is None:
            raise ConfigError(
                "codes are made by a head", value=f"{self.path} has none", remedy="Train one, or use random planes."
            )
        if vectors.ndim != 2 or vectors.shape[1] != self.head.dim:
            raise ConfigError(
                "a head takes vectors of its encoder",
                value=f"shape {vectors.shape} where (n, {self.head.dim}) is due",
                remedy="Encode the texts with this hasher.",
            )
        return self.head(vectors)


def save_hasher(
    out: str | Path, settings: HasherSettings, *, graph: bytes, tokenizer: str, head: Head | None = None, card: str = ""
) -> Hasher:
    """Save a hasher, whole or not at all.

    Args:
        out: a new or empty folder.
        settings: what it says of itself.
        graph: bytes of the encoder's ONNX graph.
        tokenizer: text of the tokenizer.json.
        head: the layers behind the encoder.
        card: the README.md; default: one made of the settings.

    Raises:
        ConfigError: something is at ``out``, it cannot be written, or the head does not fit the encoder.
    """
    place = Path(out)
    if head is not None and head.dim != settings.encoder.dim:
        raise ConfigError(
            "a head takes vectors of its encoder",
            value=f"{head.dim} values of {settings.encoder.dim}",
            remedy="Give a head that was trained on this encoder.",
        )
    contents = {GRAPH_FILE: graph, TOKENIZER_FILE: tokenizer.encode()}
    if head is not None:
        contents[HEAD_FILE] = head_bytes(head)
    contents[CARD_FILE] = (card or _card_of(settings, head)).encode()
    header = {
        "format": FORMAT,
        "version": VERSION,
        **asdict(settings),
        "head": head and {"bits": head.bits, "hidden": head.hidden, "activation": head.activation},
        "files": {name: hashlib.sha256(content).hexdigest() for name, content in contents.items()},
    }
    contents[HEADER] = _header_bytes(header)
    _write_folder(place, contents)
    return load_hasher(place)


def load_hasher(path: str | Path) -> Hasher:
    """Return a saved hasher after a look at every byte of it; no library of others is loaded.

    Raises:
        ArtefactError: there is none, it is of another version, or a file is missing or changed.
    """
    folder = Path(path)
    header = _header(folder)
    files = header["files"]
    due = {GRAPH_FILE, TOKENIZER_FILE, CARD_FILE} | ({HEAD_FILE} if header["head"] else set())
    if set(files) != due:
        raise _damaged(folder, f"its header names {', '.join(sorted(files))} where {', '.join(sorted(due))} are due")
    for name, digest in files.items():
        _check(folder / name, digest)
    settings = _settings(folder, header)
    head = None
    if header["head"]:
        place = folder / HEAD_FILE
        head = read_head(place.read_bytes(), header["head"].get("activation"), str(place))
        if (head.dim, head.bits) != (settings.encoder.dim, header["head"].get("bits")):
            raise _damaged(folder, f"a head of {head.dim} values to {head.bits} bits beside another header")
    return Hasher(str(folder.absolute()), settings, head, files)


@lru_cache(maxsize=2)
def _encoder(path: str, settings: EncoderSettings, graph: str, tokenizer: str) -> OnnxEncoder:
    """Return the encoder of a folder, once a process; the digests tell another state of the folder apart."""
    folder = Path(path)
    for name, digest in ((GRAPH_FILE, graph), (TOKENIZER_FILE, tokenizer)):
        _check(folder / name, digest)
    text = (folder / TOKENIZER_FILE).read_text(encoding="utf-8")
    return OnnxEncoder(settings, (folder / GRAPH_FILE).read_bytes(), text, path)


def _header(folder: Path) -> dict[str, Any]:
    place = folder / HEADER
    try:
        header = json.loads(place.read_text(encoding="utf-8"))
        found = header["format"], header["version"]
    except (FileNotFoundError, NotADirectoryError):
        raise ArtefactError(
            "a hasher has a header", value=f"no {place}", remedy="Name the folder of a hasher, or train one."
        ) from None
    except (OSError, UnicodeDecodeError, json.JSONDecodeError, KeyError, TypeError) as error:
        raise _damaged(folder, f"{HEADER}: {error!r}") from error
    if found != (FORMAT, VERSION):
        raise ArtefactError(
            f"a hasher is of format {FORMAT} version {VERSION}",
            value=f"{place}: {found[0]} version {found[1]}",
            remedy="Use the version of Tamis that wrote it, or make it again.",
        )
    if not isinstance(header.get("files"), dict) or not isinstance(header.get("head"), dict | None):
        raise _damaged(folder, f"{HEADER} has no list of files, or a head that is none")
    return dict(header)


def _settings(folder: Path, header: Mapping[str, Any]) -> HasherSettings:
    try:
        bands = header["bands"] and tuple(header["bands"])
        names = ("text", "profile", "metric", "trained")
        return HasherSettings(
            EncoderSettings(**header["encoder"]), bands=bands, **{name: header[name] for name in names}
        )
    except (KeyError, TypeError, TamisError) as error:
        raise _damaged(folder, f"{HEADER}: {error}") from error


def _check(place: Path, digest: str) -> None:
    try:
        with open(place, "rb") as stream:
            found = hashlib.file_digest(stream, "sha256").hexdigest()
    except OSError as error:
        raise _damaged(place.parent, f"{place.name}: {error.strerror}") from error
    if found != digest:
        raise _damaged(place.parent, f"{place.name} has sha256 {found} where its header says {digest}")


def _damaged(folder: Path, why: str) -> ArtefactError:
    return ArtefactError("a hasher is whole", value=f"{folder}: {why}", remedy="Restore it, or make it again.")


def _write_folder(place: Path, contents: Mapping[str, bytes]) -> None:
    """Write files into a new folder, which gets its name when all are on the disk."""
    unfinished = place.with_name(f".{place.name}.{uuid.uuid4().hex[:12]}.unfinished")
    try:
        unfinished.mkdir(parents=True)
        for name, content in contents.items():
            with open(unfinished / name, "wb") as stream:
                stream.write(content)
                stream.flush()
                os.fsync(stream.fileno())
        unfinished.rename(place)
    except OSError as error:
        raise ConfigError(
            "a hasher is saved in a new or empty folder",
            value=f"{place}: {error.strerror}",
            remedy="Name another one, or check your rights and room.",
        ) from error
    finally:
        shutil.rmtree(unfinished, ignore_errors=True)


def _header_bytes(header: Mapping[str, Any]) -> bytes:
    try:
        return (json.dumps(header, ensure_ascii=False, indent=1, allow_nan=False) + "\n").encode()
    except (TypeError, ValueError) as error:
        raise ConfigError(
            "what a hasher says of its training is JSON without NaN",
            value=str(error),
            remedy="Leave it out, or write it as text.",
        ) from error


def _digest(facts: Mapping[str, Any]) -> str:
    return hashlib.sha256(json.dumps(facts, sort_keys=True, ensure_ascii=False).encode()).hexdigest()


def _card_of(settings: HasherSettings, head: Head | None) -> str:
    """Return a card that says what the settings say."""
    encoder = settings.encoder
    lines = [
        f"# Hasher of {encoder.name}",
        "",
        f"Makes a vector of {encoder.dim} values of a text, from its first {encoder.max_tokens} tokens.",
        f"It reads the `{settings.text}` of records in profile `{settings.profile}`; "
        f"vectors are compared by their {'cosine' if settings.metric == 'cosine' else 'distance'}.",
    ]
    if head is not None:
        lines.append(f"Its head makes a code of {head.bits} bits of a vector.")
    if settings.trained is None:
        lines.append("It was exported as it was, without training.")
    else:
        trained = json.dumps(settings.trained, ensure_ascii=False, indent=1)
        lines += ["", "## Training", "", "```json", trained, "```"]
    use = ["from tamis.hashing.neural.hasher import load_hasher", "", 'hasher = load_hasher("FOLDER")']
    use.append('vectors = hasher.encode(["COL name VAL Sony TV"])')
    use += ["codes = hasher.project(vectors) > 0"] if head is not None else []
    return "\n".join([*lines, "", "## Use", "", "```python", *use, "```", ""])
