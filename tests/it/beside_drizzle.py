# SPDX-License-Identifier: MIT
"""What the real Drizzle does, and what mizzle does: case by case.

Each cell is measured, and must be as it is written here, so that a change in
either is noticed.  docs/beside-drizzle.md has the same table.  LONG=1 tries
large files in the sizes that are told.
"""
import os
import re
import sys
from concurrent.futures import ThreadPoolExecutor

import beside_cases as case
from beside_world import SUBJECTS, World, new_server
from harness import (SRCDIR, check, drizzle_home, needs_program, note,
                     verdict)

needs_program()


class Cell:
    """Words, and how good that is; `or_else` is as bad, and comes by chance."""

    def __init__(self, grade, words, or_else=None):
        self.grade, self.words, self.or_else = grade, words, or_else


def wrong(words, or_else=None):
    """Done wrong, and nobody is told."""
    return Cell(0, words, or_else)


def fails(words, or_else=None):
    """What should work does not, and is told so."""
    return Cell(1, words, or_else)


def told(words):
    """It is not done, rightly so, and says why."""
    return Cell(2, words)


def right(words):
    return Cell(3, words)


NONE = Cell(None, '–')  # there is no such case
NOTHING = told('nothing is kept')
APPLIED = right('applied')
TOGETHER = (APPLIED, APPLIED, APPLIED)
TWICE = 'applied twice, both exit 0'
RECORDED = right('applied and recorded')
PART = 'a part is kept; the next run '

# what, how, Drizzle 0.45, Drizzle 1.0, mizzle (with a journal, with folders)
TABLE = (
    ('an applied file was edited', case.edited, wrong('not noticed'),
     wrong('not noticed'), told('refused (5)')),
    ('an applied file is gone', case.deleted, told('fails: No file'),
     wrong('not noticed'), (told('refused (2)'), told('refused (5)'))),
    ('an applied migration is gone, from the journal too', case.removed,
     wrong('not noticed'), wrong('not noticed'), told('refused (5)')),
    ('one older than the newest was merged', case.older, wrong('skipped'),
     APPLIED, (told('refused (5)'), APPLIED)),
    ('one with the time of the newest was merged', case.as_old,
     wrong('skipped'), APPLIED, APPLIED),
    ('the second of three fails', case.second_fails, NOTHING, NOTHING,
     right('the first is kept')),
    ('killed at the second of three', case.killed, NOTHING, NOTHING,
     right('the first is kept')),
    ('ended by SIGTERM: the statement on the server', case.ended,
     wrong('runs on'), wrong('runs on'), right('is cancelled')),
    ('CONCURRENTLY, VACUUM, CREATE DATABASE, ALTER SYSTEM', case.outside,
     fails('fails: 25001'), fails('fails: 25001'), APPLIED),
    ('a value of an enum, used in the same file', case.enum_in_file,
     fails('fails: 55P04'), fails('fails: 55P04'), APPLIED),
    ('a value of an enum, used in the next file', case.enum_in_run,
     fails('fails: 55P04'), fails('fails: 55P04'), APPLIED),
    ('a value of an enum, used in the next run', case.enum_in_runs, *TOGETHER),
    ('COMMIT, then CREATE INDEX CONCURRENTLY', case.commit_trick, *TOGETHER),
    ('COMMIT, then a failure', case.commit_fails, fails(PART + 'fails: 42P07'),
     fails(PART + 'fails: 42P07'), right(PART + 'goes on')),
    ('BEGIN and COMMIT, then a failure', case.own_fails,
     fails(PART + 'fails: 42P07'), fails(PART + 'fails: 42P07'),
     right(PART + 'goes on')),
    ('ROLLBACK in a file', case.rolls_back,
     wrong('others are undone, for ever'),
     wrong('others are undone; the next run mends it'),
     right('undoes its own file alone')),
    ('SET search_path in a file', case.search_path,
     wrong('holds for all that follow'), wrong('holds for all that follow'),
     right('ends with its file')),
    ('100 000 statements', case.many, *TOGETHER),
    ('a statement of 107 MB', case.large, *TOGETHER),
    ('a file of 540 MB', case.huge, fails('fails: No file'),
     fails('fails: Cannot create a string'), APPLIED),
    ('an empty file', case.empty, RECORDED, RECORDED, RECORDED),
    ('only comments', case.comments, RECORDED, RECORDED, RECORDED),
    ('a .sql file that belongs to nothing', case.stray, wrong('ignored'),
     wrong('ignored'), right('ignored; check tells')),
    ('a folder whose name has no time', case.without_time, NONE,
     fails('fails: 22P02'), (NONE, told('refused (2)'))),
    ('an entry of the journal without its file', case.no_file,
     told('fails: No file'), NONE, (told('refused (2)'), NONE)),
    ('line ends of Windows', case.crlf, *TOGETHER),
    ('a role that may not CREATE in the database', case.cannot_create,
     fails('fails: 42501'), fails('fails: 42501'), APPLIED),
    ('a role without rights on the history', case.no_rights,
     told('fails: 42501'), told('fails: 42501'), told('refused (9)')),
    ('a pulled file, all of it a comment', case.pulled,
     fails('fails: 42601'), fails('fails: 42601'), told('refused (2)')),
    ('an error names', case.names, fails('SQL'), fails('SQL'),
     right('SQL, migration, file, line and column')),
    ('a database in LATIN1', case.latin1, *TOGETHER),
    ('two at once, an empty database', case.twice_fresh, fails('one fails'),
     fails('one fails'), right('once')),
    ('two at once, tables are pending', case.twice_pending,
     fails('one fails'), fails('one fails'), right('once')),
    ('two at once, data is pending', case.twice_data, wrong(TWICE),
     wrong(TWICE), right('once')),
    ('two at once, IF NOT EXISTS', case.twice_idempotent,
     fails('one fails', TWICE), fails('one fails', TWICE), right('once')),
)


def cells(row):
    """One for each subject."""
    ours = row[4] if isinstance(row[4], tuple) else (row[4], row[4])
    return (row[2], row[3], *ours)


def words_of(a, b):
    """mizzle's column."""
    if a == b or b == NONE.words:
        return a
    return b if a == NONE.words else 'journal: %s; folders: %s' % (a, b)


def measure(server, row, subject):
    world = World(server, subject, "ENCODING LATIN1 LOCALE 'C'"
                  if row[1] is case.latin1 else '')
    try:
        return row[1](world)
    except Exception as e:  # pylint: disable=broad-except
        return '? %r' % e   # the others are told all the same
    finally:
        world.drop()


def measured(server, pool):
    """The words for each cell that is a case here."""
    subjects = [s for s in SUBJECTS if drizzle_home() or s not in
                ('0.45', '1.0')]
    return {(row[0], s): pool.submit(measure, server, row, s)
            for row in TABLE for s, cell in zip(SUBJECTS, cells(row))
            if s in subjects and cell.grade is not None}


def judged(row, found):
    """The words that are shown for a row."""
    shown = []
    for subject, cell in zip(SUBJECTS, cells(row)):
        future = found.get((row[0], subject))
        got = future.result() if future else cell.words
        if got is None or not future:
            got = cell.words
        elif got != cell.or_else:
            check('%s: %s' % (row[0], subject), cell.words, got)
        shown.append(got)
    return row[0], shown[0], shown[1], words_of(*shown[2:])


def never_worse(row):
    drizzle_0, drizzle_1, *ours = cells(row)
    for theirs, cell in zip((drizzle_0, drizzle_1), ours):
        if theirs.grade is not None and cell.grade is not None:
            check(row[0] + ': mizzle is not worse', True,
                  cell.grade >= theirs.grade)
    for cell in ours:
        check(row[0] + ': mizzle does nothing wrong in silence', True,
              cell.grade != 0)


def silent_ones():
    """What nobody hears of with Drizzle has a status of its own."""
    for row in TABLE:
        if row[1] in (case.edited, case.removed):
            check(row[0] + ': status 5', True, all(
                '(5)' in c.words for c in cells(row)[2:]))
        if row[1] is case.older:
            check(row[0] + ': status 5', 'refused (5)', cells(row)[2].words)


def documented():
    """The rows of the table in the documentation."""
    with open(os.path.join(SRCDIR, 'docs', 'beside-drizzle.md'),
              encoding='utf-8') as f:
        lines = re.findall(r'^\| (.*) \|$', f.read(), re.MULTILINE)
    rows = [tuple(line.split(' | ')) for line in lines]
    return [row for row in rows if len(row) == 4][1:]


def main():
    server = new_server()
    os.environ['DRIZZLE_SAYS'] = '1'
    with ThreadPoolExecutor(3) as pool:
        found = measured(server, pool)
        shown = [judged(row, found) for row in TABLE]
    for row in TABLE:
        never_worse(row)
    silent_ones()
    want = [(row[0], row[2].words, row[3].words, words_of(
        *(c.words for c in cells(row)[2:]))) for row in TABLE]
    check('the documentation has the same table', '\n'.join(map(str, want)),
          '\n'.join(map(str, documented())))
    for line in (('case', 'Drizzle 0.45', 'Drizzle 1.0', 'mizzle'), *shown):
        note('%s | %s | %s | %s' % line)
    if not drizzle_home():
        note('no drizzle-orm here: what it does was not measured')
    sys.exit(verdict())


main()
