# SPDX-License-Identifier: MIT
"""Folders of migrations, and scripts, made and real."""
import json
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(__file__), '..', 'it'))
from harness import BREAK, journal, newdir, shared, workdir

SHAPE = (
    'CREATE TABLE t%d (id serial PRIMARY KEY, name varchar(80) NOT NULL, '
    'created_at timestamptz DEFAULT now());\n',
    'CREATE UNIQUE INDEX t%d_name ON t%d (name);\n',
    'ALTER TABLE t%d ADD COLUMN note text;\n')
ROWS = 1000     # of one INSERT of seed()
SEED = 'CREATE TABLE seed (id int, name text, mail text, note text);\n'
MIGRATIONS = {'made': lambda m: (BREAK + '\n').join(
    s.replace('%d', str(m)) for s in SHAPE),
    'tiny': lambda m: 'INSERT INTO tally VALUES (%d);\n' % m if m else
    'CREATE TABLE tally (n int);\n'}


class Folder:
    """A folder in the journal layout."""

    def __init__(self, name, path):
        self.name, self.path = name, path

    def files(self):
        with open(os.path.join(self.path, 'meta', '_journal.json')) as f:
            return [os.path.join(self.path, e['tag'] + '.sql')
                    for e in json.load(f)['entries']]

    def contents(self):
        for name in self.files():
            with open(name, 'rb') as f:
                yield f.read()


_folders = {}


def folder(shape, migrations):
    """So many migrations that are 'made', of a table, an index and a column
    each, or 'tiny', of a row."""
    name = '%s%d' % (shape, migrations)
    if name not in _folders:
        _folders[name] = Folder(name, journal(newdir(name), [
            ('%04d_m' % m, MIGRATIONS[shape](m)) for m in range(migrations)]))
    return _folders[name]


def seed_statement(n):
    """A thousand rows of a table of people, 130 kB."""
    return 'INSERT INTO seed (id, name, mail, note) VALUES\n%s;\n' % ',\n'.join(
        "(%d, 'Person number %d', 'person.%d@mail.example.test', 'it''s what "
        "they said of themselves when they were asked: %d')" % (i, i, i, i)
        for i in range(n * ROWS, (n + 1) * ROWS))


def seed(mb):
    """A script of so many MB."""
    path = os.path.join(workdir(), 'seed%g.sql' % mb)
    if not os.path.exists(path):
        size, n = 0, 0
        with open(path, 'w') as f:
            size += f.write(SEED)
            while size < mb * 1e6:
                size += f.write(seed_statement(n))
                n += 1
    return path


def one_file(mb):
    """A folder of one migration, which is that script."""
    name = 'file%g' % mb
    if name not in _folders:
        where = journal(newdir(name), [('0000_m', '')])
        os.link(seed(mb), where + '/link')
        os.rename(where + '/link', where + '/0000_m.sql')
        _folders[name] = Folder(name, where)
    return _folders[name]


# ---- real ones

def largest():
    """Of the folders of real projects, with its statements, the largest that
    Drizzle can apply, any server too, and in one transaction."""
    place = shared() and os.path.join(shared(), 'corpora')
    if not place or not os.path.exists(os.path.join(place, 'TRUTH.tsv')):
        return None, 0
    with open(os.path.join(place, 'TRUTH.tsv')) as f:
        head, *rows = [line.rstrip('\n').split('\t') for line in f]
    rows = [dict(zip(head, row)) for row in rows]
    for row in sorted(rows, key=lambda r: -int(r['statements'] or 0)):
        found = Folder('real', os.path.join(place, 'folders', row['name']))
        if row['all'] == 'ok' and row['format'] == 'v0' and plain(found):
            return found, int(row['statements'])
    return None, 0


def plain(of):
    for text in of.contents():
        text = text.decode('utf-8', 'replace').upper()
        if any(word in text for word in ('EXTENSION', 'CONCURRENTLY',
                                         'VECTOR(', 'COMMIT;')):
            return False
    return True
