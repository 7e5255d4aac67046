"""How a hasher is trained."""

from dataclasses import dataclass
from typing import Literal

from ..errors import ConfigError


@dataclass(frozen=True)
class TrainSettings:
    """How a hasher is trained; see ``train.train_hasher``.

    Attributes:
        encoder: a model of sentence-transformers, by name or folder.
        text: which text of a record it reads: ``marked`` with the names of columns, or ``texts`` without.
        max_tokens: what is behind them is not read.
        layers: how many of the highest layers of the encoder are trained; None: all, and its embeddings; 0: none.
        normalise: vectors are made to have length 1; where not, they are what the encoder makes.
        bits: of a code; 0: there is no head, and no code.
        hidden: sizes of hidden layers of the head, GELU between.
        radius, ratio: R and c of the margin loss of vectors.
        code_radius, code_ratio: those of codes, whose distance is 2 sqrt(share of bits that differ).
        hardest: for each end of a pair so many of the nearest others count.
        head: weight of the margin loss of codes.
        balance, decorrelation, quantisation: weights of the terms of ``loss``.
        calibration: weight of ``sdc.calibration_loss``.
        calibration_shape: alpha and beta of it.
        binarise: how codes are made differentiable: ``tanh`` of ever larger values, or ``straight-through``.
        sharpness: by what values are multiplied before the tanh, at the start and at the end; it grows by equal ratios.
        epochs: at most.
        batch: pairs of a step.
        rate, head_rate: learning rates of AdamW for encoder and head.
        weight_decay: of matrices.
        warm_up: share of the steps in which rates rise to those; then they fall to 0 in a straight line.
        clip: largest norm of the gradient.
        budget: K of the recall by which training is stopped: the nearest so many of each held-out query.
        patience: stop after so many epochs without a better recall.
        seed: of the head, of dropout and of the order of pairs.
        device: of torch: ``cpu``, ``cuda``, ``cuda:1``.
        precision: ``bfloat16``: products of matrices are computed in it, weights are kept in float32.
        threads: of torch on a CPU; None: as it is set. Sums may depend on it in their last bits.
    """

    encoder: str
    text: Literal["marked", "texts"] = "marked"
    max_tokens: int = 64
    layers: int | None = None
    normalise: bool = True
    bits: int = 64
    hidden: tuple[int, ...] = ()
    radius: float = 0.5
    ratio: float = 2.0
    code_radius: float = 0.3
    code_ratio: float = 4.0
    hardest: int = 5
    head: float = 1.0
    balance: float = 1.0
    decorrelation: float = 1.0
    quantisation: float = 0.1
    calibration: float = 0.0
    calibration_shape: tuple[float, float] = (5.0, 5.0)
    binarise: Literal["tanh", "straight-through"] = "tanh"
    sharpness: tuple[float, float] = (1.0, 5.0)
    epochs: int = 10
    batch: int = 32
    rate: float = 5e-5
    head_rate: float = 2e-3
    weight_decay: float = 0.01
    warm_up: float = 0.1
    clip: float = 1.0
    budget: int = 1
    patience: int = 3
    seed: int = 0
    device: str = "cpu"
    precision: Literal["float32", "bfloat16"] = "float32"
    threads: int | None = None

    def __post_init__(self) -> None:
        """Refuse settings that cannot be."""
        for name, least in (
            ("epochs", 1),
            ("batch", 2),
            ("hardest", 1),
            ("budget", 1),
            ("patience", 1),
            ("max_tokens", 4),
        ):
            _check(getattr(self, name) >= least, f"`{name}` is at least {least}", getattr(self, name))
        for name in ("bits", "seed", *(() if self.layers is None else ("layers",))):
            _check(getattr(self, name) >= 0, f"`{name}` is at least 0", getattr(self, name))
        for name in ("head", "balance", "decorrelation", "quantisation", "calibration", "weight_decay"):
            _check(getattr(self, name) >= 0, f"the weight `{name}` is at least 0", getattr(self, name))
        for name in ("radius", "code_radius", "rate", "head_rate", "clip"):
            _check(getattr(self, name) > 0, f"`{name}` is above 0", getattr(self, name))
        for name in ("ratio", "code_ratio"):
            _check(getattr(self, name) > 1, f"`{name}` is above 1", getattr(self, name))
        _check(0 <= self.warm_up < 1, "`warm_up` is a share below 1", self.warm_up)
        _check(all(size >= 1 for size in self.hidden), "hidden layers have a size of at least 1", self.hidden)
        _check(0 < self.sharpness[0] <= self.sharpness[1], "`sharpness` grows from above 0", self.sharpness)
        _check(min(self.calibration_shape) > 0, "`calibration_shape` is above 0", self.calibration_shape)
        _check(self.threads is None or self.threads >= 1, "`threads` is at least 1", self.threads)
        _check(self.text in ("marked", "texts"), "`text` is marked or texts", self.text)
        _check(self.binarise in ("tanh", "straight-through"), "`binarise` is tanh or straight-through", self.binarise)
        _check(self.precision in ("float32", "bfloat16"), "`precision` is float32 or bfloat16", self.precision)
        _check(self.bits > 0 or self.layers != 0, "there is an encoder or a head to train", "0 bits and 0 layers")
        _check(
            not self.normalise or self.radius * self.ratio < 2,
            "`radius` times `ratio` is below 2, the largest distance of vectors of length 1",
            self.radius * self.ratio,
        )
        _check(
            self.code_radius * self.code_ratio < 2,
            "`code_radius` times `code_ratio` is below 2, the largest distance of codes",
            self.code_radius * self.code_ratio,
        )


def _check(holds: bool, rule: str, value: object) -> None:
    if not holds:
        raise ConfigError(rule, value=value, remedy="Mend this setting of the training.")
