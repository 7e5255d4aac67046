"""Compress MMLU-Pro: how well 100 and 200 of its 12,032 questions tell the scores of models that were held out.

    python benchmarks/compression.py --data DIR [--k 100 200] [--splits 50]

29 models; each split learns from 20 and holds 9 out, drawn by a seed. Errors are in points of accuracy (percent): RMSE
over the 9 models, and the median of the splits; tau is Kendall's. Random questions are drawn 20 times in each split:
all draws count for their median, and a share of splits is one of splits and draws. Bars: a median of at most 0.65 of
that of random questions, and below random questions with a fitted line in 80 % of the splits. Held-out models touch
neither the choice nor the predictor.
"""

import argparse
import os
import time
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
from end_to_end import machine

from tamis.hashing.compression.genetic import Breeding
from tamis.pipeline.compression.compress import CompressionSettings
from tamis.pipeline.compression.held_out import FITTED, RANDOM, TAMIS, judge_on_held_out, splits_of
from tamis.pipeline.compression.texts import text_pairs

HELD_OUT = 9


def mmlu_pro(data: Path) -> tuple[np.ndarray, list[str]]:
    """Return scores, shape (models, questions), NaN where a model has no answer; and the texts with their options."""
    folder = data / "E-mmlu-pro"
    questions = pq.read_table(folder / "questions.parquet").sort_by("question_id")
    answers = pq.read_table(folder / "predictions.parquet", columns=["model", "question_id", "correct"])
    models, model_of = np.unique(answers["model"].to_numpy(), return_inverse=True)
    place = np.searchsorted(questions["question_id"].to_numpy(), answers["question_id"].to_numpy())
    scores = np.full((len(models), questions.num_rows), np.nan)
    scores[model_of, place] = answers["correct"].to_numpy()
    texts = [
        "\n".join([question, *options])
        for question, options in zip(questions["question"].to_pylist(), questions["options"].to_pylist(), strict=True)
    ]
    return scores, texts


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--k", type=int, nargs="+", default=[100, 200])
    parser.add_argument("--splits", type=int, default=50)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--generations", type=int, nargs="+", default=[Breeding().generations, 0])
    parser.add_argument("--sharpest", type=float, default=CompressionSettings().sharpest)
    parser.add_argument("--weight", type=float, default=CompressionSettings().weight)
    arguments = parser.parse_args()
    scores, texts = mmlu_pro(arguments.data)
    started = time.perf_counter()
    pairs = text_pairs(texts, len(texts), CompressionSettings().text_threshold)
    print(machine(), f"load {os.getloadavg()[0]:.1f}")
    print(f"{scores.shape[0]} models, {scores.shape[1]:,} questions, {int(np.isnan(scores).sum()):,} cells missing")
    print(f"{len(pairs):,} pairs alike in text, {time.perf_counter() - started:.1f} s")
    splits = splits_of(len(scores), HELD_OUT, arguments.splits, seed=arguments.seed)
    for k in arguments.k:
        for generations in arguments.generations:
            settings = CompressionSettings(
                sharpest=arguments.sharpest, weight=arguments.weight, breeding=Breeding(generations=generations)
            )
            started = time.perf_counter()
            judged = judge_on_held_out(scores, pairs, k, splits, seed=arguments.seed, settings=settings)
            seconds = (time.perf_counter() - started) / len(splits)
            print(f"k {k}, {generations} generations, {seconds:.1f} s a split, load {os.getloadavg()[0]:.1f}")
            own, random = judged[TAMIS].errors, np.median(judged[RANDOM].errors)
            mean = judged[FITTED].errors.mean(axis=1, keepdims=True)
            print(f"  below the mean of fitted draws in {100 * (own < mean).mean():.0f} % of splits")
            for name, found in judged.items():
                better = f"{100 * (own < found.errors).mean():.0f} %" if name != TAMIS else ""
                under_fitted = f"{100 * (found.errors < judged[FITTED].errors).mean():.0f} %" if name != FITTED else ""
                print(
                    f"  {name:15} RMSE {np.median(found.errors):5.2f}  to random {np.median(found.errors) / random:.3f}"
                    f"  tau {np.nanmedian(found.taus):.3f}  tamis better {better:5} below fitted {under_fitted}"
                )


if __name__ == "__main__":
    main()
