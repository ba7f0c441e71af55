# SPDX-License-Identifier: MIT
"""What was counted: a row for each scenario."""
import threading
from collections import Counter

HEAD = ('scenario', 'runs', 'lost', 'doubled', 'stuck', 'clear errors')
SHOWN = 3   # of what went wrong in a scenario


class Row:
    """The counts of one scenario.  add() may be called by several threads."""

    def __init__(self, name):
        self.name = name
        self.runs = self.lost = self.doubled = self.stuck = 0
        self.errors = self.unclear = 0
        self.skipped = None     # why there were no runs
        self.notes = []         # lines below the table
        self.wrong = []         # what went wrong, and how to see it again
        self.seen = Counter()   # statuses of the disturbed runs
        self.seconds = 0
        self._lock = threading.Lock()

    def add(self, outcome, what=''):
        with self._lock:
            self.runs += 1
            self.lost += bool(outcome.lost)
            self.doubled += bool(outcome.doubled)
            self.stuck += bool(outcome.stuck)
            self.errors += bool(outcome.error)
            self.unclear += bool(outcome.unclear)
            for got in outcome.said[:1]:
                self.seen[got.status] += 1
            if outcome.bad():
                self.wrong.append('%s: %s' % (what, outcome))
                if len(self.wrong) <= SHOWN:    # the rest is counted
                    print('WRONG %s, %s' % (self.name, self.wrong[-1]),
                          flush=True)

    def fail(self, text):
        """Something else is wrong than what is counted."""
        with self._lock:
            self.wrong.append(text)
            if len(self.wrong) <= SHOWN:
                print('WRONG %s, %s' % (self.name, text), flush=True)

    def note(self, text):
        with self._lock:
            self.notes.append(text)

    def skip(self, why):
        self.skipped = why

    def passed(self):
        return self.skipped is not None or self.runs > 0 and not self.wrong

    def cells(self):
        if self.skipped is not None:
            return (self.name, 'skipped', '', '', '', '')
        # an error that is not clear may be of a run that came later
        return (self.name, str(self.runs), str(self.lost), str(self.doubled),
                str(self.stuck), '%d of %d' % (
                    max(self.errors - self.unclear, 0), self.errors))


class Table:
    def __init__(self):
        self.rows = []

    def row(self, name):
        self.rows.append(Row(name))
        return self.rows[-1]

    def total(self):
        done = [r for r in self.rows if r.skipped is None]
        return ('all', *(str(sum(getattr(r, k) for r in done)) for k in
                         ('runs', 'lost', 'doubled', 'stuck')),
                '%d of %d' % (sum(max(r.errors - r.unclear, 0) for r in done),
                              sum(r.errors for r in done)))

    def lines(self, markdown=False):
        cells = [HEAD, *(r.cells() for r in self.rows), self.total()]
        if markdown:
            yield '| ' + ' | '.join(HEAD) + ' |'
            yield '|---|' + '--:|' * (len(HEAD) - 1)
            for row in cells[1:]:
                yield '| ' + ' | '.join(row) + ' |'
            return
        widths = [max(len(row[i]) for row in cells) for i in range(len(HEAD))]
        for row in cells:
            yield '  '.join(
                cell.ljust(w) if i == 0 else cell.rjust(w)
                for i, (cell, w) in enumerate(zip(row, widths))).rstrip()

    def verdict(self, markdown=False):
        """Prints it; the exit status."""
        print()
        for line in self.lines(markdown):
            print(line)
        for row in self.rows:
            for text in row.notes:
                print('%s: %s' % (row.name, text))
            if row.skipped:
                print('skipped: %s: %s' % (row.name, row.skipped))
            if row.wrong:
                print('FAIL %s: %d wrong, the first: %s' % (
                    row.name, len(row.wrong),
                    row.wrong[0].split('\n')[0]))
            elif not row.passed():
                print('FAIL %s: it never ran' % row.name)
        bad = sum(not row.passed() for row in self.rows)
        print('%d passed, %d failed' % (len(self.rows) - bad, bad))
        return 1 if bad else 0
