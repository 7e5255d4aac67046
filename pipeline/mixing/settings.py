"""Settings of a method that weighs sources."""

from typing import Annotated, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from ...hashing.mixing.overlap import ONE_IN
from ...hashing.mixing.tilt import Tilt
from ..mixture import Count, parse_count

Prior = Literal["unique", "size", "uniform"] | dict[str, Annotated[float, Field(ge=0, allow_inf_nan=False)]]


_FEEDBACK = ("tilt", "dynamic")
USED_BY: dict[str, tuple[str, ...]] = {
    "temperature": ("temperature",),
    "prior": _FEEDBACK,
    "distance": _FEEDBACK,
    "draws": _FEEDBACK,
    "seed": (*_FEEDBACK, "importance"),
    "eta": (*_FEEDBACK, "router"),
    "strength": _FEEDBACK,
    "smoothing": (*_FEEDBACK, "router"),
    "sign": (*_FEEDBACK, "router"),
    "updates": ("router",),
    "steps": ("router",),
    "share": ("importance",),
    "purpose": ("leverage",),
    "ridge": ("leverage",),
    "normalise": ("smart",),
}
"""Methods that a setting is for; settings that are not here are for all."""


class MixingSettings(BaseModel):
    """What all methods and each of them can be told."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    budget: Annotated[Count | None, BeforeValidator(parse_count)] = Field(
        None, description="How much in all, as 300M; default: weights alone, with no limit to a source."
    )
    max_epochs: float = Field(1.0, gt=0, allow_inf_nan=False, description="Passes over a source at most.")
    passes_of: Literal["all", "unique"] = Field(
        "all",
        description="What a pass is over: `all` words that a source holds, or its effective `unique` ones, so that what"
        " is there twice, or in other sources too, counts as repeated.",
    )
    temperature: float = Field(2.0, gt=0, description="`temperature`: 1 is by size, larger is more even.")
    prior: Prior = Field("unique", description="`tilt`, `coverage`: where weights start, and what smoothing mixes in.")
    distance: Literal["hellinger", "root-js", "l2", "l2-corrected"] = Field(
        "hellinger", description="`tilt`, `coverage`."
    )
    draws: int | None = Field(
        None,
        ge=1,
        le=10**8,
        description="`tilt`, `coverage`: thin histograms to so many draws; a small source looks unlike all others.",
    )
    seed: int = Field(0, ge=0, lt=2**64, description="Of these draws.")
    eta: float | None = Field(
        None, ge=0, le=1e6, description="Exponent of a distance; default: by `strength`, and 10 for `router`."
    )
    strength: float = Field(1.0, ge=0, le=100, description="How far apart the scale rule puts least and most distant.")
    smoothing: float = Field(0.05, ge=0, le=1, description="How much of the prior is mixed in.")
    sign: Literal["distinct", "common"] = Field("distinct", description="Which sources get more.")
    updates: int = Field(1, ge=1, le=100_000, description="`router`: how many, with loads that stay.")
    steps: int | None = Field(
        None,
        ge=1,
        le=2**53,
        description="`router`: of the whole training, with loads of several; default: the last weights hold as long as "
        "those before.",
    )
    share: float = Field(
        0.1, gt=0, le=1, description="`importance`: of all words, how many the sample takes; with a budget, that many."
    )
    one_in: int = Field(ONE_IN, ge=1, le=2**32, description="One of how many distinct shingles is compared.")
    purpose: Literal["finetune", "pretrain"] = Field("pretrain", description="`leverage`: distinct or common get more.")
    ridge: float = Field(10.0, gt=0, allow_inf_nan=False, description="`leverage`.")
    normalise: bool = Field(False, description="`smart`: divide gains by the largest.")

    @property
    def tilt(self) -> Tilt:
        """How far weights follow distances."""
        return Tilt(eta=self.eta, strength=self.strength, smoothing=self.smoothing, sign=self.sign)
