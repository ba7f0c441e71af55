# SPDX-License-Identifier: MIT
"""Turns, and what is made of their numbers.  Nothing here runs or prints."""
import statistics


def take_turns(players, turns, warm=1):
    """{name: [result]}: each of them once, in an order that moves on by one,
    then each once again.  The first times, so many as warm says, are not
    counted; who fails once does not go on."""
    results = {name: [] for name in players}
    names = list(players)
    for r in range(turns + warm):
        order = names[r % len(names):] + names[:r % len(names)]
        for name in order:
            if results[name] and 'failed' in results[name][-1]:
                continue
            got = players[name]()
            if r >= warm or 'failed' in got:
                results[name].append(got)
    return results


def quartiles(values):
    """[low, median, high]"""
    return statistics.quantiles(values, n=4, method='inclusive') \
        if len(values) > 1 else list(values) * 3


def medians(runs):
    """Of every number that all of them have."""
    return {key: statistics.median(r[key] for r in runs) for key in runs[0]
            if all(isinstance(r.get(key), (int, float)) for r in runs)}


def paired(what, runs, others, key='ms'):
    """what(a, b) of each turn's pair; nothing where not all have taken part."""
    values = [(a.get(key), b.get(key)) for a, b in zip(runs, others)]
    if len(runs) != len(others) or not values or \
            any(None in pair for pair in values):
        return None
    return [what(a, b) for a, b in values]


def ratios(runs, others, key='ms'):
    return paired(lambda a, b: a / b if b else float('inf'), runs, others, key)


def slope(points):
    """Of the line through (x, y) that fits best."""
    mean_x = statistics.fmean(x for x, _ in points)
    mean_y = statistics.fmean(y for _, y in points)
    return sum((x - mean_x) * (y - mean_y) for x, y in points) / sum(
        (x - mean_x) ** 2 for x, _ in points)


def bend(points):
    """How many times as much one more costs at the end as at the beginning:
    the last step's slope by the first's."""
    first, last = slope(points[:2]), slope(points[-2:])
    return last / first if first > 0 else float('inf')


def points(rows, key):
    """Of {'SIZE what': [run]} one list of (size, number) a turn."""
    known = {int(name.split()[0].replace(',', '')): runs
             for name, runs in rows.items()
             if runs and all(key in run for run in runs)}
    turns = min(map(len, known.values()), default=0)
    return [[(size, known[size][turn][key]) for size in sorted(known)]
            for turn in range(turns)] if len(known) > 2 else []


def growth(rows, key):
    """{'slope', 'bend'} as quartiles, or {}."""
    lines = points(rows, key)
    return lines and {'slope': quartiles([slope(p) for p in lines]),
                      'bend': quartiles([bend(p) for p in lines])} or {}
