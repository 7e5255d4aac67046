"""Daft in ``peers.py``: the steps of its MinHash guide; components by igraph, with which the guide checks its own."""

import time

import daft
import igraph
import peers_worker
from daft import col
from daft.functions import monotonically_increasing_id


@daft.func()
def band_numbers(bands: list[list[int]]) -> list[int]:
    """Return 0, 1, ... for the bands of a row."""
    return list(range(len(bands)))


def removed(edges: dict[str, list[int]]) -> list[int]:
    """Return the nodes that are not the first of their component."""
    nodes = sorted(set(edges["u"]) | set(edges["v"]))
    place = {node: i for i, node in enumerate(nodes)}
    pairs = [(place[u], place[v]) for u, v in zip(edges["u"], edges["v"], strict=True)]
    found = igraph.Graph(n=len(nodes), edges=pairs).connected_components(mode="weak")
    return [nodes[i] for component in found for i in sorted(component)[1:]]


def main() -> None:
    """Normalise, sketch, group rows by band, join groups to components and keep the first row of each."""
    begun = time.perf_counter()
    job = peers_worker.job()
    settings = job.settings
    clean = col("text").normalize(remove_punct=True, lowercase=True, nfd_unicode=True, white_space=True)
    rows = daft.read_parquet(str(job.folder)).with_column("node", monotonically_increasing_id()).collect()
    values = settings["bands"] * settings["rows"]
    sketch = col("clean").minhash(num_hashes=values, ngram_size=settings["ngram"], seed=42, hash_function="xxhash")
    edges = (
        rows.select("node", clean.alias("clean"))
        .select("node", sketch.alias("sketch"))
        .with_column("bands", col("sketch").chunk(settings["rows"]))
        .with_column("band", band_numbers(col("bands")))
        .select("node", "bands", "band")
        .explode("bands", "band")
        .groupby(col("band"), col("bands"))
        .agg(col("node").list_agg().alias("nodes"))
        .with_column("u", col("nodes").list_min())
        .explode("nodes")
        .select("u", col("nodes").alias("v"))
        .where(col("u") != col("v"))
        .distinct()
        .to_pydict()
    )
    gone = daft.from_pydict({"node": removed(edges)}).with_column("node", col("node").cast(daft.DataType.uint64()))
    rows.join(gone, on="node", how="anti").exclude("node").write_parquet(str(job.kept), compression="zstd")
    peers_worker.report(begun)


if __name__ == "__main__":
    main()
