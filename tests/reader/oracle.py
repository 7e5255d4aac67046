"""order-v1 once more, word by word as its specification has it, in plain Python."""

U64 = 2**64


def mix(x):
    x = (x ^ (x >> 30)) * 0xBF58476D1CE4E5B9 % U64
    x = (x ^ (x >> 27)) * 0x94D049BB133111EB % U64
    return x ^ (x >> 31)


def key(label, seed, epoch, i):
    base = mix((mix((mix(label) + seed) % U64) + epoch) % U64)
    return mix((base + (i + 1) * 0x9E3779B97F4A7C15) % U64)


def by_key(label, seed, epoch, numbers):
    return sorted(numbers, key=lambda i: (key(label, seed, epoch, i), i))


def sequence(*, groups, group_rows, tail_rows, seed, epoch, streams, window, chunk):
    """Return the numbers of the rows of a set in the order of an epoch."""

    def shuffled(rows):
        return by_key(2, seed, epoch, rows)

    def rows_of(group):
        return range(group * group_rows, (group + 1) * group_rows)

    perm = by_key(1, seed, epoch, range(groups))
    rounds = groups // streams
    of_stream = []
    for s in range(streams):
        own = [perm[j * streams + s] for j in range(rounds)]
        windows = [own[i : i + window] for i in range(0, rounds, window)]
        of_stream.append([row for some in windows for row in shuffled([r for group in some for r in rows_of(group)])])
    found = []
    for n in range(rounds * group_rows // chunk):
        for s in range(streams):
            found += of_stream[s][n * chunk : (n + 1) * chunk]
    for group in perm[rounds * streams :]:
        found += shuffled(rows_of(group))
    tail = range(groups * group_rows, groups * group_rows + tail_rows)
    for start in range(0, tail_rows, group_rows):
        found += shuffled(tail[start : start + group_rows])
    return found
