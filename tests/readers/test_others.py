"""What others read from our shards: the rows that pyarrow reads, each as often, on one rank or on several.

Each library is used as its documentation says. What each needs:

    datasets   nothing. Ranks share files, or row groups after `reshard()`, if their number divides by the number of
               ranks; else every rank reads all and keeps each n-th row.
    litdata    an index of its own (`index_parquet_dataset`), in a folder that exists; `drop_last=False`, or ranks lose
               rows; polars, though it reads with pyarrow; leave to write: it puts a copy of the index beside the files.
    grain      `experimental.ParquetIterDataset` reads files, at most 16 of them interleaved; single rows by number need
               a source of one's own. It knows no ranks: slices of the list of files, or of a map-style source, do.
    torch      an IterableDataset that looks at `get_worker_info()`, as any; datasets' streams do.
"""

import shutil
from collections import Counter
from functools import lru_cache
from itertools import islice

import duckdb
import pyarrow.parquet as pq
import pytest

pytestmark = pytest.mark.readers

SET = "train-0-main"
WORLDS = (1, 2, 3)


@pytest.fixture(scope="module")
def files(out):
    """The files of the largest set: 12 of 8 row groups, and a tail."""
    files = [str(path) for path in sorted((out / "data" / SET).glob("*.parquet"))]
    assert [pq.ParquetFile(path).num_row_groups for path in files][:12] == [8] * 12
    return files


@pytest.fixture(scope="module")
def expected(files):
    """How often each row is there: some of them more than once."""
    counts = counted(row for path in files for row in pq.read_table(path).to_pylist())
    assert max(counts.values()) > 1
    return counts


def counted(rows):
    return Counter((row["id"], row["text"], float(row["score"]), str(row["source"])) for row in rows)


def merged(parts):
    return sum((counted(part) for part in parts), Counter())


# --- datasets


@pytest.fixture
def stream(files):
    datasets = pytest.importorskip("datasets")
    return datasets.load_dataset("parquet", data_files=files, split="train", streaming=True)


def test_datasets_copy_all_values(out, files, tmp_path):
    datasets = pytest.importorskip("datasets")
    loaded = datasets.load_dataset("parquet", data_files=files, split="train", cache_dir=str(tmp_path))
    assert loaded.to_list() == [row for path in files for row in pq.read_table(path).to_pylist()]


@pytest.mark.parametrize("resharded", [False, True])
@pytest.mark.parametrize("world", WORLDS)
def test_datasets_stream_ranks(stream, expected, world, resharded):
    from datasets.distributed import split_dataset_by_node

    stream = stream.reshard() if resharded else stream
    assert stream.num_shards == (102 if resharded else 13)
    parts = [list(split_dataset_by_node(stream, rank=rank, world_size=world)) for rank in range(world)]
    assert merged(parts) == expected
    uneven = max(map(len, parts)) - min(map(len, parts))
    assert uneven <= (8 if stream.num_shards % world == 0 else 1)  # where they do not divide, every rank reads all


@pytest.mark.parametrize("world", WORLDS)
def test_datasets_share_whole_files_without_the_tail(files, world):
    datasets = pytest.importorskip("datasets")
    from datasets.distributed import split_dataset_by_node

    stream = datasets.load_dataset("parquet", data_files=files[:-1], split="train", streaming=True)
    parts = [list(split_dataset_by_node(stream, rank=rank, world_size=world)) for rank in range(world)]
    assert merged(parts) == counted(row for path in files[:-1] for row in pq.read_table(path).to_pylist())
    assert {len(part) for part in parts} == {12 * 11 * 8 // world}


@pytest.mark.parametrize("world", WORLDS)
@pytest.mark.parametrize("after", [0, 1, 100, 250])
def test_datasets_resume(stream, expected, world, after):
    from datasets.distributed import split_dataset_by_node

    parts = []
    for rank in range(world):
        begun = split_dataset_by_node(stream, rank=rank, world_size=world)
        first = list(islice(begun, after))
        state = begun.state_dict()
        resumed = split_dataset_by_node(stream, rank=rank, world_size=world)
        resumed.load_state_dict(state)
        parts.append(first + list(resumed))
    assert merged(parts) == expected


# --- litdata


@pytest.fixture(scope="module")
def lit_folders(files, tmp_path_factory):
    """A copy of the files, and the index of it."""
    litdata = pytest.importorskip("litdata")
    folder, index = tmp_path_factory.mktemp("copied"), tmp_path_factory.mktemp("index")
    for path in files:
        shutil.copy(path, folder)
    litdata.index_parquet_dataset(str(folder), cache_dir=str(index), num_workers=1)
    return folder, index


def lit(folder, index, rank=0, world=1):
    from litdata.streaming import StreamingDataset
    from litdata.streaming.item_loader import ParquetLoader
    from litdata.utilities.env import _DistributedEnv

    dataset = StreamingDataset(
        str(folder), item_loader=ParquetLoader(), index_path=str(index), shuffle=False, drop_last=False
    )
    dataset.distributed_env = _DistributedEnv(world, rank, 1)  # as torch.distributed would say
    return dataset


@pytest.mark.parametrize("world", WORLDS)
def test_litdata_ranks(files, lit_folders, expected, world):
    parts = [list(lit(*lit_folders, rank, world)) for rank in range(world)]
    assert merged(parts) == expected
    assert max(map(len, parts)) - min(map(len, parts)) <= 1
    left = {path.name for path in lit_folders[0].iterdir()}
    assert left == {"index.json", *(path.rpartition("/")[2] for path in files)}


def test_litdata_rows_by_number(lit_folders, expected):
    dataset = lit(*lit_folders)
    assert counted(dataset[i] for i in range(len(dataset))) == expected


def test_litdata_resumes(lit_folders, expected):
    from litdata import StreamingDataLoader

    begun = StreamingDataLoader(lit(*lit_folders), batch_size=8, num_workers=0, collate_fn=list)
    first = list(islice(begun, 20))
    state = begun.state_dict()
    resumed = StreamingDataLoader(lit(*lit_folders), batch_size=8, num_workers=0, collate_fn=list)
    resumed.load_state_dict(state)
    assert counted(row for batch in [*first, *resumed] for row in batch) == expected


# --- grain


class Rows:
    """Rows by number, a row group at a time."""

    def __init__(self, files):
        groups = ((path, i) for path in files for i in range(pq.ParquetFile(path).num_row_groups))
        self.places = [
            (path, group, row)
            for path, group in groups
            for row in range(pq.ParquetFile(path).metadata.row_group(group).num_rows)
        ]
        self.group = lru_cache(8)(lambda path, group: pq.ParquetFile(path).read_row_group(group).to_pylist())

    def __len__(self):
        return len(self.places)

    def __getitem__(self, number):
        path, group, row = self.places[number]
        return self.group(path, group)[row]


@pytest.mark.parametrize("world", WORLDS)
def test_grain_ranks_by_files(files, expected, world):
    pytest.importorskip("grain")
    from grain.experimental import ParquetIterDataset

    assert merged(list(ParquetIterDataset(files[rank::world])) for rank in range(world)) == expected


@pytest.mark.parametrize("world", WORLDS)
def test_grain_ranks_by_rows_shuffle_and_resume(files, expected, world):
    grain = pytest.importorskip("grain")
    parts = []
    for rank in range(world):
        rows = grain.MapDataset.source(Rows(files)).shuffle(seed=1)[rank::world].to_iter_dataset()
        begun = iter(rows)
        first = list(islice(begun, 100))
        state = begun.get_state()
        resumed = iter(rows)
        resumed.set_state(state)
        parts.append(first + list(resumed))
    assert merged(parts) == expected
    assert max(map(len, parts)) - min(map(len, parts)) <= 1


def test_grain_resumes_files(files, expected):
    pytest.importorskip("grain")
    from grain.experimental import ParquetIterDataset

    begun = iter(ParquetIterDataset(files))
    first = list(islice(begun, 100))
    state = begun.get_state()
    resumed = iter(ParquetIterDataset(files))
    resumed.set_state(state)
    assert counted(first + list(resumed)) == expected


# --- torch


@pytest.mark.parametrize("workers", [0, 1, 2])
def test_torch_over_datasets(stream, expected, workers):
    data = pytest.importorskip("torch.utils.data")
    columns = stream.select_columns(["id", "text", "score", "source"])
    assert counted(data.DataLoader(columns, batch_size=None, num_workers=workers)) == expected


@pytest.mark.parametrize("workers", [0, 1, 2])
@pytest.mark.parametrize("world", WORLDS)
def test_torch_over_pyarrow(files, expected, world, workers):
    data = pytest.importorskip("torch.utils.data")

    class Groups(data.IterableDataset):
        """Row groups, dealt to ranks and their workers."""

        def __init__(self, rank):
            self.rank = rank

        def __iter__(self):
            info = data.get_worker_info()
            turn, turns = (self.rank, world) if info is None else (self.rank * workers + info.id, world * workers)
            groups = [(path, i) for path in files for i in range(pq.ParquetFile(path).num_row_groups)]
            for path, group in groups[turn::turns]:
                table = pq.ParquetFile(path).read_row_group(group, columns=["id", "text", "score", "source"])
                yield from table.to_pylist()

    parts = [list(data.DataLoader(Groups(rank), batch_size=None, num_workers=workers)) for rank in range(world)]
    assert merged(parts) == expected


# --- DuckDB and Polars


def test_duckdb(out, files, expected):
    found = duckdb.sql(f"SELECT id, text, score, source FROM '{out}/data/{SET}/*.parquet'").to_arrow_table()
    assert counted(found.to_pylist()) == expected


def test_duckdb_counts_from_footers(out, files):
    rows = sum(pq.ParquetFile(path).metadata.num_rows for path in files)
    found = duckdb.sql(f"SELECT sum(num_rows) FROM parquet_file_metadata('{out}/data/{SET}/*.parquet')").fetchall()
    assert found == [(rows,)]


@pytest.mark.parametrize("lazy", [False, True])
def test_polars(out, files, lazy):
    polars = pytest.importorskip("polars")
    pattern = str(out / "data" / SET / "*.parquet")
    found = polars.scan_parquet(pattern).collect() if lazy else polars.read_parquet(pattern)
    rows = [row for path in files for row in pq.read_table(path).to_pylist()]
    assert found.to_dicts() == rows
