"""Training of a hasher: encoder and head together, from pairs of texts that are one thing."""

import copy
import math
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ..errors import ConfigError, InputError
from ..mix import derive_seed
from .data import Examples, TrainData
from .held_out import HeldOutMeasures, measured
from .loss import (
    balance_loss,
    batch_margin_loss,
    decorrelation_loss,
    distances,
    quantisation_loss,
    straight_through,
)
from .network import Network, check_device
from .sdc import calibration_loss
from .settings import TrainSettings

if TYPE_CHECKING:
    from torch import Tensor


@dataclass(frozen=True)
class Progress:
    """How far training is.

    Attributes:
        epoch, epochs: the one that runs, from 1, of how many at most.
        step, steps: of the epoch; step = steps: it is at its end.
        losses: means of the epoch so far, by name.
        measures: of the held-out pairs, at the end of an epoch; epoch 0 is before all training.
    """

    epoch: int
    epochs: int
    step: int
    steps: int
    losses: dict[str, float]
    measures: HeldOutMeasures | None


@dataclass(frozen=True)
class Trained:
    """A trained network.

    Attributes:
        network: with the weights of the best epoch.
        best: which epoch that is, from 1.
        history: of each epoch, epoch 0 before all training: its number, ``losses`` and ``held_out`` as plain values.
        data: what the data say of themselves.
    """

    network: Network
    best: int
    history: list[dict[str, Any]] = field(default_factory=list)
    data: dict[str, Any] = field(default_factory=dict)

    def card(self) -> dict[str, Any]:
        """Return what is to be known of this training, as plain values."""
        return {
            "settings": asdict(self.network.settings),
            "best_epoch": self.best,
            "history": self.history,
            "data": self.data,
        }


def train_hasher(
    data: TrainData, settings: TrainSettings, progress: Callable[[Progress], None] | None = None
) -> Trained:
    """Train encoder and head with the margin loss, until no more held-out pairs are found.

    The loss of a batch is that of its vectors plus, with a head, that of its codes and their terms. All texts of a
    batch that are of another group than a pair are its negatives, hard ones among them. The epoch with the best
    held-out recall is kept: the mean of those by vectors and by codes; of equal ones the one with the lowest held-out
    loss, then the first. On a CPU the same data, settings and number of threads give the same weights.

    Args:
        data: where examples come from.
        settings: all else.
        progress: is told after each step and each epoch.

    Raises:
        ConfigError: the encoder or the device is not there, the layers do not fit, or the data are of another text of
            records than the settings name.
        InputError: there is nothing to train from, or no negative in it; the loss is not finite.
    """
    first = data.examples(0)
    _check(first, data)
    if data.text != settings.text:
        raise ConfigError(
            "data and settings name the same text of records",
            value=f"{data.text} and {settings.text}",
            remedy="Mend `text` of one of them.",
        )
    check_device(settings.device)
    with _own_state(settings):
        network = Network(settings)
        run = _Run(network, data, progress or (lambda _: None), len(_batches(first, settings, 0)))
        run.measure(0, {})
        for epoch in range(1, settings.epochs + 1):
            run.measure(epoch, run.train(epoch, first if epoch == 1 else data.examples(epoch - 1)))
            if epoch - run.best >= settings.patience:
                break
        run.restore()
    return Trained(network, run.best, run.history, data.summary())


class _Run:
    """One training as it goes."""

    def __init__(self, network: Network, data: TrainData, tell: Callable[[Progress], None], steps: int) -> None:
        import torch

        self.network, self.data, self.tell = network, data, tell
        settings = network.settings
        encoder = [one for one in network.encoder.parameters() if one.requires_grad]
        head = [] if network.head is None else list(network.head.parameters())
        self.weights = encoder + head
        groups = []
        for some, rate in ((encoder, settings.rate), (head, settings.head_rate)):
            groups.append({"params": [w for w in some if w.dim() > 1], "lr": rate})
            groups.append({"params": [w for w in some if w.dim() <= 1], "lr": rate, "weight_decay": 0.0})
        groups = [group for group in groups if group["params"]]
        self.optimiser = torch.optim.AdamW(groups, weight_decay=settings.weight_decay)
        self.steps = steps * settings.epochs
        warm = max(1, round(settings.warm_up * self.steps))
        self.schedule = torch.optim.lr_scheduler.LambdaLR(
            self.optimiser,
            lambda step: min((step + 1) / warm, max(0.0, (self.steps - step) / max(1, self.steps - warm))),
        )
        self.step = 0
        self.best = 0
        self.rank = (-1.0, -np.inf)
        self.kept: list[dict[str, Any]] = []
        self.history: list[dict[str, Any]] = []

    def train(self, epoch: int, examples: Examples) -> dict[str, float]:
        """Train one epoch and return the means of its losses."""
        import torch

        settings = self.network.settings
        batches = _batches(examples, settings, epoch)
        sums: dict[str, float] = {}
        for module in self.network.modules:
            module.train()
        for done, pairs in enumerate(batches, 1):
            parts = self.losses(examples, pairs)
            each = torch.stack(list(parts.values()))
            loss = each.sum()
            *values, total = torch.cat([each.detach(), loss.detach()[None]]).tolist()  # the one wait for the device
            if not math.isfinite(total):
                raise InputError(
                    "the loss of each step is finite",
                    value=f"epoch {epoch}, step {done}: {total}",
                    remedy="Train with lower rates.",
                )
            self.optimiser.zero_grad(set_to_none=True)
            loss.backward()
            torch.nn.utils.clip_grad_norm_(self.weights, settings.clip)
            self.optimiser.step()
            self.schedule.step()
            self.step += 1
            for name, value in zip(parts, values, strict=True):
                sums[name] = sums.get(name, 0.0) + value
            means = {name: total / done for name, total in sums.items()}
            self.tell(Progress(epoch, settings.epochs, done, len(batches), means, None))
        return {name: total / len(batches) for name, total in sums.items()}

    def losses(self, examples: Examples, pairs: NDArray[np.int64]) -> dict[str, "Tensor"]:
        """Return the weighted losses of some pairs by name."""
        import torch

        settings, network = self.network.settings, self.network
        hard = examples.negatives[pairs].ravel()
        used = np.unique(np.concatenate([examples.first[pairs], examples.second[pairs], hard[hard >= 0]]))
        used = np.random.Generator(np.random.PCG64([settings.seed, self.step])).permutation(used)
        place = np.full(len(examples.texts), -1, np.int64)
        place[used] = np.arange(len(used))
        device = network.encoder.device
        first, second, groups = (
            torch.from_numpy(some).to(device)
            for some in (place[examples.first[pairs]], place[examples.second[pairs]], examples.groups[used])
        )
        vectors = network.vectors([examples.texts[i] for i in used])
        parts = {}
        if settings.layers != 0:
            parts["vectors"] = batch_margin_loss(
                distances(vectors), first, second, groups, settings.radius, settings.ratio, settings.hardest
            )
        if network.head is None:
            return parts
        values = network.head(vectors)
        low, high = settings.sharpness
        sharp = low * (high / low) ** (self.step / max(1, self.steps - 1))
        bits = torch.tanh(sharp * values) if settings.binarise == "tanh" else straight_through(values)
        apart = distances(bits / settings.bits**0.5)
        margins = (settings.code_radius, settings.code_ratio, settings.hardest)
        parts["codes"] = settings.head * batch_margin_loss(apart, first, second, groups, *margins)
        if settings.balance:
            parts["balance"] = settings.balance * balance_loss(bits)
        if settings.decorrelation and settings.bits > 1:
            parts["decorrelation"] = settings.decorrelation * decorrelation_loss(bits)
        if settings.quantisation:
            parts["quantisation"] = settings.quantisation * quantisation_loss(values)
        if settings.calibration:
            loss = calibration_loss(vectors, values, *settings.calibration_shape)
            parts["calibration"] = settings.calibration * loss
        return parts

    def measure(self, epoch: int, losses: dict[str, float]) -> None:
        """Measure the held-out pairs, and keep the weights if they are the best ones so far."""
        measures = measured(self.network, self.data.held_out)
        self.history.append({"epoch": epoch, "losses": losses, "held_out": asdict(measures)})
        rank = (measures.mean_recall, -measures.loss)
        if epoch and (self.best == 0 or rank > self.rank):
            self.best, self.rank = epoch, rank
            self.kept = [copy.deepcopy(module.state_dict()) for module in self.network.modules]
        self.tell(Progress(epoch, self.network.settings.epochs, 1, 1, losses, measures))

    def restore(self) -> None:
        """Take the weights of the best epoch."""
        for module, state in zip(self.network.modules, self.kept, strict=True):
            module.load_state_dict(state)
            module.eval()


def _batches(examples: Examples, settings: TrainSettings, epoch: int) -> list[NDArray[np.int64]]:
    """Return the pairs of each step: all in a new order, in batches of nearly the same size."""
    seed = derive_seed(settings.seed, "order")
    order = np.random.Generator(np.random.PCG64([seed, epoch])).permutation(len(examples))
    return np.array_split(order, -(-len(order) // settings.batch))


def _check(examples: Examples, data: TrainData) -> None:
    if not len(examples) or not len(data.held_out.pairs):
        raise InputError(
            "there are pairs to train from and to hold back",
            value=f"{len(examples):,} and {len(data.held_out.pairs):,}",
            remedy="Give more matches.",
        )
    used = np.concatenate([examples.first, examples.second, examples.negatives[examples.negatives >= 0]])
    if len(np.unique(examples.groups[used])) < 2:
        raise InputError(
            "records of two things or more are to be told apart", value="one", remedy="Give matches of more things."
        )


@contextmanager
def _own_state(settings: TrainSettings) -> Iterator[None]:
    """Seed what torch draws from, and put its state back after."""
    import torch

    threads, strict = torch.get_num_threads(), torch.are_deterministic_algorithms_enabled()
    on_gpu = settings.device.startswith("cuda")
    with torch.random.fork_rng(devices=[torch.device(settings.device)] if on_gpu else []):
        torch.manual_seed(derive_seed(settings.seed, "dropout") >> 1)
        try:
            torch.set_num_threads(settings.threads or threads)
            if not on_gpu:  # where CUDA's libraries have such algorithms, they want a variable of the environment
                torch.use_deterministic_algorithms(True)
            yield
        finally:
            torch.set_num_threads(threads)
            torch.use_deterministic_algorithms(strict)
