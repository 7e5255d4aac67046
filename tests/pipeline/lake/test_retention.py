"""Plans against all 2^n of them, and against one another."""

import itertools
import subprocess
import sys

import numpy as np
import pytest

from tamis.pipeline.lake import retention
from tamis.pipeline.lake.retention import RetentionProblem, check, feasible, prefer, solve


def problem(retain, edges, *, limit=None, must=()):
    """A problem of edges (parent, child, rebuild) or (parent, child, rebuild, latency)."""
    full = [(*edge, 0.0)[:4] for edge in edges]
    parent, child, rebuild, latency = zip(*full, strict=True) if full else ((), (), (), ())
    forced = np.zeros(len(retain), np.bool_)
    forced[list(must)] = True
    return RetentionProblem(
        retain=np.array(retain, np.float64),
        parent=np.array(parent, np.int64),
        child=np.array(child, np.int64),
        rebuild=np.array(rebuild, np.float64),
        latency=np.array(latency, np.float64),
        limit=np.full(len(retain), np.inf) if limit is None else np.array(limit, np.float64),
        must=forced,
    )


def best_of_all(asked):
    """The least cost, by trying every set of tables to keep with plain loops."""
    tables = len(asked.retain)
    least = np.inf
    for kept in itertools.product([False, True], repeat=tables):
        cost = 0.0
        for table in range(tables):
            if kept[table]:
                cost += asked.retain[table]
                continue
            ways = [
                asked.rebuild[edge]
                for edge in range(len(asked.parent))
                if asked.child[edge] == table
                and asked.parent[edge] != table
                and kept[asked.parent[edge]]
                and asked.latency[edge] <= asked.limit[table]
            ]
            cost += min(ways, default=np.inf) if not asked.must[table] else np.inf
        least = min(least, cost)
    return least


def random_problem(seed, tables, *, density=0.4, cycles=0, whole=False):
    """A random DAG, some pairs joined both ways; whole numbers bring many ties."""
    rng = np.random.default_rng(seed)
    order = rng.permutation(tables)
    edges = [
        (order[i], order[j], rng.uniform(0, 8), rng.uniform(0, 10))
        for i in range(tables)
        for j in range(i + 1, tables)
        if rng.random() < density
    ]
    for _ in range(cycles):
        a, b = rng.choice(tables, 2, replace=False)
        edges += [(a, b, rng.uniform(0, 3), 1.0), (b, a, rng.uniform(0, 3), 1.0)]
    retain = rng.uniform(1, 10, tables)
    if whole:
        retain, edges = np.ceil(retain), [(p, c, np.ceil(cost), slow) for p, c, cost, slow in edges]
    limit = np.where(rng.random(tables) < 0.3, 5.0, np.inf)
    return problem(retain, edges, limit=limit, must=np.flatnonzero(rng.random(tables) < 0.1))


def test_the_golden_line():
    plan = solve(problem([10, 6, 6, 6], [(0, 1, 2), (1, 2, 3), (2, 3, 1)]))
    assert (plan.cost, plan.bound, plan.gap) == (19, 19, 0)
    assert plan.kept.tolist() == [True, False, True, False]
    assert plan.parent.tolist() == [-1, 0, -1, 2]
    assert [part.method for part in plan.parts] == ["tree"]


@pytest.mark.parametrize("cycles", [0, 3])
@pytest.mark.parametrize("whole", [False, True])
def test_exact_plans_are_the_best_of_all(cycles, whole):
    for seed in range(18):
        asked = random_problem(seed, 2 + seed % 9, cycles=cycles, whole=whole)
        plan = solve(asked)
        assert check(asked, plan) == []
        assert plan.cost == pytest.approx(best_of_all(asked))
        assert plan.bound == plan.cost


def test_twelve_tables():
    asked = random_problem(5, 12, cycles=2)
    assert solve(asked).cost == pytest.approx(best_of_all(asked))


def test_lines_by_the_program_and_by_highs(monkeypatch):
    rng = np.random.default_rng(1)
    lines = []
    for _ in range(500):
        tables = int(rng.integers(2, 9))
        edges = [(i, i + 1, rng.integers(0, 9)) for i in range(tables - 1)]
        lines.append(problem(rng.integers(1, 12, tables), edges))
    by_program = [solve(line) for line in lines]
    assert {part.method for plan in by_program for part in plan.parts} == {"alone", "tree"}
    monkeypatch.setattr(retention, "_solve_tree", lambda graph: retention._solve_exactly(graph)[0])
    for line, plan in zip(lines, by_program, strict=True):
        assert check(line, plan) == []
        other = solve(line)
        assert (plan.cost, plan.kept.sum()) == (other.cost, other.kept.sum())


def test_trees_with_branches_are_the_best_of_all():
    for seed in range(30):
        rng = np.random.default_rng(seed)
        edges = [(rng.integers(0, i), i, rng.integers(0, 9)) for i in range(1, 10)]
        asked = problem(rng.integers(1, 12, 10), edges)
        plan = solve(asked)
        assert "exact" not in {part.method for part in plan.parts}
        assert plan.cost == best_of_all(asked)


def test_greedy_is_between_bound_and_double():
    worst = 1.0
    for seed in range(40):
        asked = random_problem(seed, 40, density=0.15, cycles=4)
        best, quick = solve(asked), solve(asked, exact_up_to=0)
        assert check(asked, quick) == []
        assert quick.bound <= best.cost + 1e-9
        assert best.cost <= quick.cost + 1e-9
        worst = max(worst, quick.cost / best.cost)
    assert worst < 1.05


def test_no_flip_and_no_swap_makes_a_greedy_plan_cheaper():
    for seed in range(10):
        asked = random_problem(seed, 20, density=0.2, cycles=3)
        usable = feasible(asked)
        graph = retention._Graph(usable.retain, usable.must, usable.parent, usable.child, usable.rebuild)
        first = retention._chosen_greedily(graph)
        kept = retention._improved(graph, first)
        assert graph.cost(kept) <= graph.cost(first) < np.inf
        flips = [[table] for table in range(20)] + [list(edge) for edge in zip(graph.parent, graph.child, strict=True)]
        for flip in flips:
            other = kept.copy()
            other[flip] ^= True
            swapped = len(flip) == 1 or kept[flip[0]] != kept[flip[1]]
            if swapped and other[graph.must].all():
                assert graph.cost(other) >= graph.cost(kept) - 1e-9


def test_the_bound_without_a_linear_program(monkeypatch):
    asked = random_problem(3, 40, density=0.15)
    sharp = solve(asked, exact_up_to=0)
    monkeypatch.setattr(retention, "_BOUND_EDGES", 0)
    loose = solve(asked, exact_up_to=0)
    assert 0 < loose.bound <= sharp.bound <= sharp.cost == loose.cost
    assert loose.gap >= sharp.gap


def test_highs_giving_up_leaves_a_good_plan(monkeypatch):
    monkeypatch.setattr(retention, "_NODE_LIMIT", 0)
    rng = np.random.default_rng(1)
    pairs = [(i, int(j)) for i in range(60) for j in rng.choice(60, 2, replace=False) if i != j]
    asked = problem(np.ones(60), [(a, b, 0) for a, b in pairs] + [(b, a, 0) for a, b in pairs])
    plan = solve(asked)
    assert [part.method for part in plan.parts] == ["greedy"]
    assert check(asked, plan) == []
    quick = solve(asked, exact_up_to=0)
    assert quick.bound <= plan.bound < plan.cost <= quick.cost


@pytest.mark.parametrize("exact_up_to", [0, 200])
def test_numbering_changes_nothing(exact_up_to):
    for seed in range(20):
        asked = random_problem(seed, 25, density=0.2, cycles=2)
        new = np.random.default_rng(seed + 1000).permutation(25)
        edges = np.random.default_rng(seed).permutation(len(asked.parent))
        renamed = RetentionProblem(
            retain=asked.retain[np.argsort(new)],
            parent=new[asked.parent[edges]],
            child=new[asked.child[edges]],
            rebuild=asked.rebuild[edges],
            latency=asked.latency[edges],
            limit=asked.limit[np.argsort(new)],
            must=asked.must[np.argsort(new)],
        )
        plan, other = solve(asked, exact_up_to=exact_up_to), solve(renamed, exact_up_to=exact_up_to)
        assert other.kept[new].tolist() == plan.kept.tolist()
        assert other.cost == pytest.approx(plan.cost)


def test_order_of_edges_changes_nothing_among_ties():
    for seed in range(10):
        asked = random_problem(seed, 14, cycles=3, whole=True)
        turned = asked.with_edges(np.arange(len(asked.parent))[::-1])
        assert solve(turned).kept.tolist() == solve(asked).kept.tolist()
        assert solve(turned).parent.tolist() == solve(asked).parent.tolist()


def test_of_equal_costs_most_stay_and_low_numbers_first():
    plan = solve(problem([5, 5, 5], [(0, 1, 2), (1, 0, 2), (0, 2, 2), (2, 0, 2), (1, 2, 2), (2, 1, 2)]))
    assert plan.kept.tolist() == [True, False, False]
    assert plan.parent.tolist() == [-1, 0, 0]
    assert solve(problem([5, 5], [(0, 1, 5)])).kept.tolist() == [True, True]
    kept_either_way = solve(problem([4, 4, 4, 4], [(0, 1, 1), (1, 2, 1), (2, 3, 1), (3, 0, 1)]))
    assert kept_either_way.kept.tolist() == [True, False, True, False]


def test_the_cheapest_of_several_edges_counts():
    plan = solve(problem([9, 9], [(0, 1, 7), (0, 1, 3), (0, 1, 5)]))
    assert (plan.cost, plan.parent.tolist()) == (12, [-1, 0])


def test_edges_over_the_limit_are_not_used():
    asked = problem([9, 9, 9], [(0, 1, 1, 4.0), (0, 2, 1, 6.0)], limit=[5, 5, 5])
    assert feasible(asked).must.tolist() == [True, False, True]
    assert solve(asked).parent.tolist() == [-1, 0, -1]


def test_a_pinned_table_stays():
    assert solve(problem([9, 9], [(0, 1, 1)], must=[1])).kept.all()


def test_a_policy_decides_which_copy_stays():
    both = [(0, 1, 1), (1, 0, 1), (1, 2, 1), (2, 1, 1), (0, 2, 1), (2, 0, 1)]
    group, rank = np.zeros(3, np.int64), np.array([2, 0, 1])
    assert solve(prefer(problem([9, 9, 9], both), group, rank)).parent.tolist() == [1, -1, 1]
    pinned = prefer(problem([9, 9, 9], both, must=[0]), group, rank)
    assert solve(pinned).parent.tolist() == [-1, 0, 0]
    slow = prefer(problem([9, 9, 9], [(*edge, 5.0) for edge in both], limit=[9, 9, 1]), group, rank)
    assert solve(slow).parent.tolist() == [2, 2, -1]


def test_all_copies_may_go_if_a_larger_table_stays():
    edges = [(0, 1, 1), (0, 2, 1), (1, 2, 1), (2, 1, 1)]
    asked = prefer(problem([20, 9, 9], edges), np.array([0, 1, 1]), np.array([0, 1, 0]))
    assert solve(asked).parent.tolist() == [-1, 0, 0]


def test_a_dear_copy_may_stay_beside_the_best():
    asked = prefer(problem([9, 9], [(0, 1, 50), (1, 0, 1)]), np.zeros(2, np.int64), np.array([0, 1]))
    assert solve(asked).kept.all()


def test_no_tables_and_no_edges():
    nothing = solve(problem([], []))
    assert (nothing.cost, nothing.gap, nothing.parts) == (0, 0, ())
    alone = solve(problem([3, 0], []))
    assert alone.kept.all()
    assert [part.method for part in alone.parts] == ["alone", "alone"]


def test_parts_are_numbered_by_their_lowest_table():
    plan = solve(problem([9, 9, 9, 9, 9], [(4, 0, 1), (2, 1, 1)]))
    assert plan.part.tolist() == [0, 1, 1, 2, 0]
    assert [part.tables for part in plan.parts] == [2, 2, 1]
    assert plan.cost == sum(part.cost for part in plan.parts)


def test_a_large_part():
    rng = np.random.default_rng(7)
    tables = 5000
    edges = [(0, i, rng.uniform(4, 9)) for i in range(1, tables)]
    edges += [(int(rng.integers(0, i)), i, rng.uniform(0, 5)) for i in range(1, tables) for _ in range(2)]
    asked = problem(rng.uniform(5, 10, tables), edges)
    plan = solve(asked)
    assert check(asked, plan) == []
    (part,) = (part for part in plan.parts if part.method == "greedy")
    assert part.tables > 4000
    assert 0 <= plan.gap < 0.1


def test_the_checker_finds_faults():
    asked = problem([9, 9, 9], [(0, 1, 1), (1, 2, 1)], must=[0])
    good = solve(asked)
    assert check(asked, good) == []
    kept, parent = np.array([False, False, True]), np.array([-1, 0, 1])
    faults = check(asked, retention.Retention(kept, parent, 1.0, 1.0, good.part, good.parts))
    assert faults == [
        "table 0 must stay",
        "table 2 stays and has a parent",
        "table 0 goes and its parent does not stay",
        "table 1 goes and its parent does not stay",
    ]
    other = retention.Retention(np.array([True, True, False]), np.array([-1, -1, 0]), 18, 18, good.part, good.parts)
    assert check(asked, other) == ["table 2 cannot be rebuilt from 0 in time"]
    dear = retention.Retention(good.kept, good.parent, 20, 20, good.part, good.parts)
    assert check(asked, dear) == ["the plan costs 19.0, not 20"]


@pytest.mark.parametrize(
    ("change", "rule"),
    [
        ({"limit": np.zeros(1)}, "one entry for each table"),
        ({"rebuild": np.zeros(2)}, "one entry for each edge"),
        ({"child": np.array([7])}, "numbered 0 to 1"),
        ({"retain": np.array([1.0, np.nan])}, "retain is at least 0"),
        ({"latency": np.array([-1.0])}, "latency is at least 0"),
        ({"retain": np.array([1.0, np.inf])}, "finite"),
    ],
)
def test_problems_that_are_none(change, rule):
    good = problem([1, 2], [(0, 1, 1)])
    with pytest.raises(ValueError, match=rule):
        RetentionProblem(**({name: getattr(good, name) for name in good.__dataclass_fields__} | change))


def test_importing_is_light():
    code = "import sys, tamis.pipeline.lake.retention, tamis.pipeline.lake.costs; print('scipy' in sys.modules)"
    assert subprocess.check_output([sys.executable, "-c", code], text=True).strip() == "False"
