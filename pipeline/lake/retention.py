"""The plan: which tables stay, and from which of those each of the others is rebuilt.

After OPT-RET of R2D2 (https://arxiv.org/abs/2312.13427): the cheapest set of tables to keep, where a table that goes
has a parent that stays and can rebuild it in time. It is facility location, which is NP-hard, so each weakly connected
part of the graph is solved by itself: a tree by a dynamic program, a part of moderate size by HiGHS, a larger one by a
greedy choice and a local search, whose distance from a lower bound is told.

Where plans cost the same, the one that keeps most tables is chosen: nothing goes unless that saves something. Among
those, tables of lower number stay first. HiGHS is asked twice for this, first for the cost and then for the plan; it
answers the same question the same way each time, so plans are the same in every run.
"""

import heapq
from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Mask = NDArray[np.bool_]
Method = Literal["alone", "tree", "exact", "greedy"]

EXACT_UP_TO = 200
"""Tables of a part that HiGHS is given: seconds where costs differ, minutes in the worst case, all being equal."""

_EXACT_EDGES = 20_000
_BOUND_EDGES = 100_000
_NODE_LIMIT = 300
"""Branches after which HiGHS gives up; not seconds, so that a plan is the same on any machine."""

_SWAPS = 16
_ROUNDS = 20
_SCALE = 1e4
"""What the greatest cost of a part becomes for HiGHS, whose absolute gap of 1e-6 is then nothing."""


@dataclass(frozen=True, kw_only=True)
class RetentionProblem:
    """What keeping and rebuilding would cost, for n tables and m edges; costs in one currency over one horizon.

    Attributes:
        retain: float64, shape (n,): cost of keeping each table.
        parent, child: int64, shape (m,): the child can be rebuilt from the parent.
        rebuild: float64, shape (m,): cost of all rebuilds of the child from that parent.
        latency: float64, shape (m,): seconds that one rebuild takes.
        limit: float64, shape (n,): seconds that a rebuild of each table may take; infinite for any.
        must: bool, shape (n,): tables that stay whatever they cost.
    """

    retain: Floats
    parent: Ints
    child: Ints
    rebuild: Floats
    latency: Floats
    limit: Floats
    must: Mask

    def __post_init__(self) -> None:
        """Raise ``ValueError`` if lengths differ, an edge leads nowhere, or a number is negative or NaN."""
        tables, edges = len(self.retain), len(self.parent)
        if not len(self.limit) == len(self.must) == tables:
            raise ValueError("retain, limit and must have one entry for each table")
        if not len(self.child) == len(self.rebuild) == len(self.latency) == edges:
            raise ValueError("parent, child, rebuild and latency have one entry for each edge")
        for ends in (self.parent, self.child):
            if edges and not 0 <= ends.min() <= ends.max() < tables:
                raise ValueError(f"edges join tables numbered 0 to {tables - 1}")
        for name in ("retain", "rebuild", "latency", "limit"):
            if not np.all(getattr(self, name) >= 0):
                raise ValueError(f"{name} is at least 0")
        if not (np.all(np.isfinite(self.retain)) and np.all(np.isfinite(self.rebuild))):
            raise ValueError("costs are finite")

    def with_edges(self, chosen: Mask | Ints) -> "RetentionProblem":
        """Return the problem with some of its edges."""
        edges = {name: getattr(self, name)[chosen] for name in ("parent", "child", "rebuild", "latency")}
        return replace(self, **edges)


@dataclass(frozen=True)
class Part:
    """A weakly connected part of the graph, once edges that cannot help are gone.

    Attributes:
        tables: how many there are.
        method: how it was solved; all but ``greedy`` are exact.
        cost: of the plan.
        bound: what no plan can be cheaper than.
    """

    tables: int
    method: Method
    cost: float
    bound: float


@dataclass(frozen=True)
class Retention:
    """A plan for n tables.

    Attributes:
        kept: bool, shape (n,).
        parent: int64, shape (n,): the kept table that a deleted one is rebuilt from; -1 for kept ones.
        cost: of keeping and rebuilding.
        bound: what no plan can be cheaper than; the cost itself where every part was solved exactly.
        part: int64, shape (n,): number of the part that each table is in, by its lowest table.
        parts: each part.
    """

    kept: Mask
    parent: Ints
    cost: float
    bound: float
    part: Ints
    parts: tuple[Part, ...]

    @property
    def gap(self) -> float:
        """By which share of its cost the plan may be too dear."""
        return (self.cost - self.bound) / self.cost if self.cost > self.bound else 0.0


def feasible(problem: RetentionProblem) -> RetentionProblem:
    """Return the problem without edges that cannot be used: too slow, from a table to itself, to a table that stays.

    A table that no edge leads to then must stay.
    """
    timely = problem.latency <= problem.limit[problem.child]
    kept = problem.with_edges(timely & (problem.parent != problem.child) & ~problem.must[problem.child])
    has_parent = np.zeros(len(problem.retain), np.bool_)
    has_parent[kept.child] = True
    return replace(kept, must=problem.must | ~has_parent)


def prefer(problem: RetentionProblem, group: Ints, rank: Ints) -> RetentionProblem:
    """Return the problem in which a policy decides between equal tables: none is rebuilt from a copy of worse rank.

    So the best copy stays, unless a table outside its group can rebuild it. Copies that must stay are better than any
    other. Other copies may stay too, where that is cheaper.

    Args:
        problem: with edges both ways between equal tables.
        group: int64, shape (n,): equal for equal tables.
        rank: int64, shape (n,): lower is better, no two copies the same.
    """
    usable = feasible(problem)
    place = np.empty(len(rank), np.int64)
    place[np.lexsort((np.arange(len(rank)), rank, ~usable.must))] = np.arange(len(rank))
    copies = group[usable.parent] == group[usable.child]
    return feasible(usable.with_edges(~copies | (place[usable.parent] < place[usable.child])))


def solve(problem: RetentionProblem, *, exact_up_to: int = EXACT_UP_TO) -> Retention:
    """Return the cheapest plan, or for large parts that are no trees a good one, with a lower bound.

    Args:
        problem: what it would cost.
        exact_up_to: tables of a part that HiGHS solves; larger ones are solved greedily.

    >>> line = RetentionProblem(
    ...     retain=np.array([10.0, 6, 6, 6]),
    ...     parent=np.array([0, 1, 2]), child=np.array([1, 2, 3]),
    ...     rebuild=np.array([2.0, 3, 1]), latency=np.zeros(3), limit=np.zeros(4), must=np.zeros(4, np.bool_),
    ... )
    >>> plan = solve(line)
    >>> plan.cost, plan.kept.tolist(), plan.parent.tolist()
    (19.0, [True, False, True, False], [-1, 0, -1, 2])
    """
    tables = len(problem.retain)
    useful = _useful(feasible(problem))
    part, members = _parts(useful)
    of_edge = part[useful.parent]
    order = np.argsort(of_edge, kind="stable")
    ends = np.searchsorted(of_edge[order], np.arange(len(members) + 1))
    place = np.empty(tables, np.int64)
    kept = np.ones(tables, np.bool_)
    parts = []
    for number, nodes in enumerate(members):
        place[nodes] = np.arange(len(nodes))
        edges = order[ends[number] : ends[number + 1]]
        graph = _Graph(
            useful.retain[nodes],
            useful.must[nodes],
            place[useful.parent[edges]],
            place[useful.child[edges]],
            useful.rebuild[edges],
        )
        kept[nodes], method, bound = _solve_part(graph, exact_up_to)
        cost = graph.cost(kept[nodes])
        parts.append(Part(len(nodes), method, cost, cost if bound is None else min(bound, cost)))
    return Retention(
        kept,
        _parents(useful, kept),
        float(sum(item.cost for item in parts)),
        float(sum(item.bound for item in parts)),
        part,
        tuple(parts),
    )


def check(problem: RetentionProblem, retention: Retention) -> list[str]:
    """Return what is wrong with a plan, a sentence for each fault: nothing, if it can be carried out.

    A table that must stay stays; a deleted one has a kept parent, by an edge that meets its limit; and the cost is that
    of keeping and of the edges that are used.
    """
    faults = [f"table {table} must stay" for table in np.flatnonzero(problem.must & ~retention.kept)]
    faults += [
        f"table {table} stays and has a parent" for table in np.flatnonzero(retention.kept & (retention.parent >= 0))
    ]
    prices: dict[tuple[int, int], float] = {}
    timely = problem.latency <= problem.limit[problem.child]
    ends = zip(problem.parent[timely].tolist(), problem.child[timely].tolist(), strict=True)
    for edge, price in zip(ends, problem.rebuild[timely].tolist(), strict=True):
        prices[edge] = min(price, prices.get(edge, price))
    cost = float(problem.retain[retention.kept].sum())
    for table in np.flatnonzero(~retention.kept).tolist():
        parent = int(retention.parent[table])
        if parent < 0 or not retention.kept[parent]:
            faults.append(f"table {table} goes and its parent does not stay")
        elif parent == table or (parent, table) not in prices:
            faults.append(f"table {table} cannot be rebuilt from {parent} in time")
        else:
            cost += prices[parent, table]
    if not faults and not np.isclose(cost, retention.cost, rtol=1e-9, atol=1e-9):
        faults.append(f"the plan costs {cost}, not {retention.cost}")
    return faults


class _Graph:
    """A part, its tables numbered from 0; edges by parent and by child."""

    def __init__(self, retain: Floats, must: Mask, parent: Ints, child: Ints, rebuild: Floats) -> None:
        self.retain, self.must, self.parent, self.child, self.rebuild = retain, must, parent, child, rebuild
        self.size = len(retain)
        by_parent = np.lexsort((child, rebuild, parent))
        by_child = np.lexsort((parent, rebuild, child))
        self._out = np.searchsorted(parent[by_parent], np.arange(self.size + 1))
        self._in = np.searchsorted(child[by_child], np.arange(self.size + 1))
        self._children, self._out_costs = child[by_parent], rebuild[by_parent]
        self._parents, self._in_costs = parent[by_child], rebuild[by_child]

    def children(self, table: int) -> tuple[Ints, Floats]:
        """Return what can be rebuilt from a table, the cheapest first, and the costs."""
        edges = slice(self._out[table], self._out[table + 1])
        return self._children[edges], self._out_costs[edges]

    def parents(self, table: int) -> tuple[Ints, Floats]:
        """Return what a table can be rebuilt from, the cheapest first, and the costs."""
        edges = slice(self._in[table], self._in[table + 1])
        return self._parents[edges], self._in_costs[edges]

    def cost(self, kept: Mask) -> float:
        """Return the cost of keeping some tables; infinite if another has no parent among them."""
        cheapest = np.full(self.size, np.inf)
        usable = kept[self.parent]
        np.minimum.at(cheapest, self.child[usable], self.rebuild[usable])
        return float(self.retain[kept].sum() + cheapest[~kept].sum())


def _useful(problem: RetentionProblem) -> RetentionProblem:
    """Return a problem without edges that save nothing and, of edges between the same tables, with the cheapest."""
    saving = problem.with_edges(problem.rebuild < problem.retain[problem.child])
    sorted_ = saving.with_edges(np.lexsort((saving.rebuild, saving.child, saving.parent)))
    first = np.ones(len(sorted_.parent), np.bool_)
    first[1:] = (np.diff(sorted_.parent) != 0) | (np.diff(sorted_.child) != 0)
    return sorted_.with_edges(first)


def _parts(problem: RetentionProblem) -> tuple[Ints, list[Ints]]:
    """Return the number of each table's part, parts in the order of their lowest tables, and the tables of each."""
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    tables = len(problem.retain)
    if tables == 0:
        return np.empty(0, np.int64), []
    ones = np.ones(len(problem.parent), np.int8)
    graph = coo_array((ones, (problem.parent, problem.child)), shape=(tables, tables))
    _, labels = connected_components(graph.tocsr(), directed=True, connection="weak")
    _, lowest, numbers = np.unique(labels, return_index=True, return_inverse=True)
    renumbered = np.empty(len(lowest), np.int64)
    renumbered[np.argsort(lowest)] = np.arange(len(lowest))
    part = renumbered[numbers]
    order = np.argsort(part, kind="stable")
    return part, np.split(order, np.flatnonzero(np.diff(part[order])) + 1)


def _parents(problem: RetentionProblem, kept: Mask) -> Ints:
    """Return the cheapest kept parent of each deleted table, the lowest of several; -1 for kept tables."""
    usable = problem.with_edges(kept[problem.parent] & ~kept[problem.child])
    best_last = np.lexsort((usable.parent, usable.rebuild, usable.child))[::-1]
    parent = np.full(len(kept), -1, np.int64)
    parent[usable.child[best_last]] = usable.parent[best_last]
    return parent


def _solve_part(graph: _Graph, exact_up_to: int) -> tuple[Mask, Method, float | None]:
    """Return what to keep, by which method, and a lower bound; None where the plan is the best."""
    if graph.size == 1:
        return np.ones(1, np.bool_), "alone", None
    if len(graph.parent) == graph.size - 1 and np.bincount(graph.child).max() == 1:
        return _solve_tree(graph), "tree", None
    plans, bound = [], 0.0
    if graph.size <= exact_up_to and len(graph.parent) <= _EXACT_EDGES:
        kept, proven = _solve_exactly(graph)
        if kept is not None and proven is None:
            return kept, "exact", None
        plans, bound = [plan for plan in (kept,) if plan is not None], proven or 0.0
    plans = [_improved(graph, plan) for plan in (_chosen_greedily(graph), *plans)]
    return min(plans, key=graph.cost), "greedy", max(bound, _lower_bound(graph))


def _solve_tree(graph: _Graph) -> Mask:
    """Return the best plan where each table has one parent: Dyn-Lin, with branches.

    ``stay[v]`` and ``go[v]`` are the best costs of all below v, each with the number of tables that go, which breaks
    ties. A table that goes needs its parent, and so its children stay.
    """
    has_parent = np.zeros(graph.size, np.bool_)
    has_parent[graph.child] = True
    order = [int(np.flatnonzero(~has_parent)[0])]
    for table in order:
        order.extend(graph.children(table)[0].tolist())
    stay, go = [(0.0, 0)] * graph.size, [(0.0, 0)] * graph.size
    for table in reversed(order):
        children = graph.children(table)[0].tolist()
        below = [min(stay[child], go[child]) for child in children]
        price = float(graph.parents(table)[1][0]) if has_parent[table] else np.inf
        stay[table] = (float(graph.retain[table]) + sum(cost for cost, _ in below), sum(gone for _, gone in below))
        go[table] = (price + sum(stay[child][0] for child in children), 1 + sum(stay[child][1] for child in children))
    kept = np.ones(graph.size, np.bool_)
    for table in order[1:]:
        kept[table] = not kept[graph.parents(table)[0][0]] or stay[table] <= go[table]
    return kept


def _solve_exactly(graph: _Graph) -> tuple[Mask | None, float | None]:
    """Return the best plan and None; if HiGHS gives up, the best it found, if any, and what no plan is cheaper than."""
    from scipy.optimize import Bounds, LinearConstraint, milp
    from scipy.sparse import csr_array

    costs, equal, linked, lower = _program(graph)
    edges = len(graph.parent)
    asked = {
        "integrality": np.r_[np.ones(graph.size), np.zeros(edges)],
        "bounds": Bounds(lower, 1),
        "options": {"mip_rel_gap": 0.0, "node_limit": _NODE_LIMIT},
    }
    rules = LinearConstraint(equal, 1, 1), LinearConstraint(linked, -np.inf, 0)
    found = milp(costs, constraints=rules, **asked)
    kept = None if found.x is None else np.asarray(found.x[: graph.size] > 0.5)
    if kept is None or found.status != 0:
        proven = 0.0 if found.mip_dual_bound is None else max(found.mip_dual_bound, 0.0)
        return kept, proven * float(graph.retain.max()) / _SCALE
    most = np.r_[-1 - np.arange(graph.size, 0, -1) / (graph.size + 1) ** 2, np.zeros(edges)]
    no_dearer = LinearConstraint(csr_array(costs[np.newaxis]), -np.inf, found.fun + 1e-9)
    again = milp(most, constraints=(*rules, no_dearer), **asked)
    if again.status == 0:
        other = np.asarray(again.x[: graph.size] > 0.5)
        if graph.cost(other) <= graph.cost(kept) * (1 + 1e-12):
            return other, None
    return kept, None


def _lower_bound(graph: _Graph) -> float:
    """Return what no plan can be cheaper than: by linear programming, or for very many edges by each table alone."""
    from scipy.optimize import linprog

    if len(graph.parent) <= _BOUND_EDGES:
        costs, equal, linked, lower = _program(graph)
        bounds = np.c_[lower, np.ones(len(costs))]
        found = linprog(
            costs, A_eq=equal, b_eq=np.ones(graph.size), A_ub=linked, b_ub=np.zeros(linked.shape[0]), bounds=bounds
        )
        if found.status == 0:
            return float(found.fun) * float(graph.retain.max()) / _SCALE
    least = graph.retain.copy()
    free = ~graph.must[graph.child]
    np.minimum.at(least, graph.child[free], graph.rebuild[free])
    return float(least.sum())


def _program(graph: _Graph) -> tuple[Floats, Any, Any, Floats]:
    """Return scaled costs of tables and edges, the rows of ``stays + rebuilt = 1`` and ``rebuilt <= parent stays``.

    An edge costs less than keeping its child, so the greatest cost is that of a table. Last come lower limits.
    """
    from scipy.sparse import coo_array

    tables, edges = graph.size, len(graph.parent)
    costs = np.r_[graph.retain, graph.rebuild] * (_SCALE / graph.retain.max())
    number = np.arange(edges)
    rows, columns = np.r_[np.arange(tables), graph.child], np.r_[np.arange(tables), tables + number]
    equal = coo_array((np.ones(tables + edges), (rows, columns)), shape=(tables, tables + edges)).tocsr()
    values = np.r_[np.ones(edges), -np.ones(edges)]
    rows, columns = np.r_[number, number], np.r_[tables + number, graph.parent]
    linked = coo_array((values, (rows, columns)), shape=(edges, tables + edges)).tocsr()
    return costs, equal, linked, np.r_[graph.must.astype(np.float64), np.zeros(edges)]


def _chosen_greedily(graph: _Graph) -> Mask:
    """Return tables to keep: again and again the one that settles others, and itself, at the least cost for each.

    What a choice costs for each table it settles never falls while others are settled, so that an old price that is
    still the least is the right one.
    """
    kept, price = graph.must.copy(), np.full(graph.size, np.inf)
    settled = kept.copy()
    heap = [(_ratio(graph, table, kept, settled, price)[0], table) for table in range(graph.size)]
    heapq.heapify(heap)
    while heap:
        _, table = heapq.heappop(heap)
        ratio, reached = _ratio(graph, table, kept, settled, price)
        if ratio == np.inf:
            continue
        if heap and (ratio, table) > heap[0]:
            heapq.heappush(heap, (ratio, table))
            continue
        children, costs = graph.children(table)
        free = np.flatnonzero(~settled[children])[:reached]
        kept[table] = settled[table] = True
        settled[children[free]] = True
        price[children[free]] = costs[free]
        heapq.heappush(heap, (_ratio(graph, table, kept, settled, price)[0], table))
    return kept


def _ratio(graph: _Graph, table: int, kept: Mask, settled: Mask, price: Floats) -> tuple[float, int]:
    """Return the least cost for each table that keeping one table settles, and how many of its children that takes."""
    children, costs = graph.children(table)
    free = costs[~settled[children]]
    itself = int(not settled[table])
    opening = 0.0 if kept[table] else float(graph.retain[table] - (0.0 if itself else price[table]))
    if not itself and len(free) == 0:
        return np.inf, 0
    ratios = (opening + np.r_[0.0, np.cumsum(free)][1 - itself :]) / np.arange(1, len(free) + 1 + itself)
    best = int(np.argmin(ratios))
    return float(ratios[best]), best + 1 - itself


def _improved(graph: _Graph, kept: Mask) -> Mask:
    """Return what no single step makes cheaper: to keep a table, to delete one, or to swap two that share an edge."""
    search = _Search(graph, kept)
    for _ in range(_ROUNDS):
        moved = False
        for table in np.flatnonzero(~graph.must).tolist():
            moved |= search.flip(table) or search.swap(table)
        if not moved:
            break
    return search.kept


class _Search:
    """A plan, and for each table the costs of its cheapest and next cheapest kept parent."""

    def __init__(self, graph: _Graph, kept: Mask) -> None:
        self.graph, self.kept = graph, kept.copy()
        self.first, self.second = np.full(graph.size, np.inf), np.full(graph.size, np.inf)
        self.source = np.full(graph.size, -1, np.int64)
        self.least = 1e-12 * float(graph.retain.max())
        for table in range(graph.size):
            self._look(table)

    def flip(self, table: int) -> bool:
        """Keep a deleted table or delete a kept one, if that saves; return whether."""
        change = self._deleting(table) if self.kept[table] else self._keeping(table)
        if change < -self.least:
            self._set(table, not self.kept[table])
            return True
        return False

    def swap(self, table: int) -> bool:
        """Delete a kept table and keep a parent or child of it, if that saves; return whether."""
        if not self.kept[table]:
            return False
        near = np.r_[self.graph.parents(table)[0], self.graph.children(table)[0]]
        for other in near[~self.kept[near]][:_SWAPS].tolist():
            change = self._keeping(other)
            self._set(other, True)
            if change + self._deleting(table) < -self.least:
                self._set(table, False)
                return True
            self._set(other, False)
        return False

    def _keeping(self, table: int) -> float:
        children, costs = self.graph.children(table)
        gone = ~self.kept[children]
        saved = np.maximum(self.first[children[gone]] - costs[gone], 0).sum()
        return float(self.graph.retain[table] - self.first[table] - saved)

    def _deleting(self, table: int) -> float:
        if self.first[table] == np.inf:
            return np.inf
        children = self.graph.children(table)[0]
        moved = children[~self.kept[children] & (self.source[children] == table)]
        return float(self.first[table] - self.graph.retain[table] + (self.second[moved] - self.first[moved]).sum())

    def _set(self, table: int, kept: bool) -> None:
        self.kept[table] = kept
        for child in self.graph.children(table)[0].tolist():
            self._look(child)

    def _look(self, table: int) -> None:
        parents, costs = self.graph.parents(table)
        there = np.flatnonzero(self.kept[parents])[:2]
        found = np.r_[costs[there], np.inf, np.inf]
        self.first[table], self.second[table] = found[0], found[1]
        self.source[table] = parents[there[0]] if len(there) else -1
