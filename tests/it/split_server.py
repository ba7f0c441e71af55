# SPDX-License-Identifier: MIT
"""The same scripts by psql and by `mizzle exec`, on a real server.

The server logs every statement that it gets: those of one are those of the
other, byte for byte but for the blanks and comments that psql drops; and what
stands in the tables afterwards is the same.  All scripts are valid; COUNT says
how many, SEED which.
"""
import os
import random
import re
import subprocess
import sys

from harness import (SRCDIR, Server, check, mizzle, needs_program, newdir, note,
                     skip, verdict, write)

sys.path.append(os.path.join(SRCDIR, 'tests', 'fuzz'))
from sql_maker import Maker                     # noqa: E402

COUNT = int(os.environ.get('COUNT') or 200)
SEED = os.environ.get('SEED') or '1'
BATCH = 40
TABLE = 'CREATE TABLE kept (id serial PRIMARY KEY, x text)'

needs_program()
server = Server('autovacuum=off', 'log_statement=all', 'log_line_prefix=@%d@')
SETTING = 'standard_conforming_strings'
if server.version() < 140000:
    skip('it has no BEGIN ATOMIC')


# ---- scripts

class Valid(Maker):
    """What the server takes, also when it runs it."""

    def text(self):
        """A string that it takes, whatever is in it."""
        while True:
            made = self.string()
            if made[0] not in 'bBxX':
                return made

    def rows(self):
        inside = ['a', '\\N', "'", ';', '$$', '--', '/*', '\\\\', '"', '\u00e9',
                  ' \\.', 'end']
        lines = [''.join(self.one(inside[:1] + inside[2:]) for _ in range(3))
                 for _ in range(self.rng.randrange(4))]
        return '\n'.join(lines + ['\\N', '\\.', ''])

    def copy(self):
        more = self.one(['', ' -- x', " INSERT INTO kept(x) VALUES ('after');",
                         ' /* ; */'])
        return 'COPY kept(x) FROM STDIN;' + more + '\n' + self.rows()

    def off(self):
        inside = self.quoted(['a', ';', "\\'", '\\\\', "''", '--', '$$', '\n'])
        return ('SET %s = off;\nINSERT INTO kept(x) VALUES (%s); SET %s TO on;'
                % (SETTING, inside, SETTING))

    def function(self):
        return ('CREATE OR REPLACE %s f%d() %s LANGUAGE sql BEGIN%sATOMIC '
                'SELECT CASE WHEN true THEN CASE x WHEN 1 THEN 2 END END FROM '
                '(SELECT 1 AS x) AS begin;%s SELECT %s AS end; END;') % (
                    *self.one([('FUNCTION', 1, 'RETURNS text'),
                               ('PROCEDURE', 2, '')]),
                    self.gap(), self.gap(), self.text())

    def statement(self):
        return self.one([
            lambda: 'INSERT INTO kept(x) VALUES (%s);' % self.text(),
            lambda: 'INSERT INTO kept(x) SELECT%s%s%s;' % (
                self.gap(), self.text(), self.gap()),
            self.function, self.copy, self.off,
            lambda: "DO $x$ BEGIN INSERT INTO kept(x) VALUES (%s); END $x$;" %
            self.text(),
            lambda: 'BEGIN; INSERT INTO kept(x) VALUES (%s); SAVEPOINT a; '
            'ROLLBACK TO a;%sCOMMIT;' % (self.text(), self.gap()),
            lambda: 'CREATE TEMP TABLE "x;\'y" (a int); DROP TABLE "x;\'y";',
            lambda: ';', lambda: self.comment(),
        ])()

    def script(self):
        return ''.join(self.statement() + self.gap()
                       for _ in range(self.rng.randrange(1, 8)))


def is_psqls(text):
    """psql would do something of its own: variables, or an E'...' that goes on
    in the next line, whose backslashes it forgets there."""
    return re.search(r":['\"a-zA-Z_{]", text) or re.search(
        r"(?:[eE]|%s = off).*\n" % SETTING, text) and '\\' in text


def scripts():
    maker, made = Valid(random.Random(SEED)), []
    while len(made) < COUNT:
        text = maker.script().replace('\v', ' ')    # a blank since 16
        if not is_psqls(text) and len(text) > 5:
            made.append(text)
    return made


# ---- running them

def log_size():
    return os.path.getsize(os.path.join(server.dir, 'server.log'))


def logged(db, since):
    """The statements that the server got for a database."""
    with open(os.path.join(server.dir, 'server.log'), 'rb') as f:
        f.seek(since)
        entries = re.split(rb'\n(?!\t)', f.read())
    start = b'@%s@LOG:  statement: ' % db.encode()
    return [e[len(start):].replace(b'\n\t', b'\n') for e in entries
            if e.startswith(start)]


def errors(since):
    with open(os.path.join(server.dir, 'server.log'), 'rb') as f:
        f.seek(since)
        return re.findall(rb'\n?@[^\n]*@(?:ERROR|FATAL): [^\n]*', f.read())


def by_psql(files):
    done = subprocess.run(
        [server.psql, '-X', '-q', '-v', 'ON_ERROR_STOP=1', '-h', server.dir,
         '-p', str(server.port), '-U', 'postgres', '-d', 'theirs'] +
        [x for name in files for x in ('-f', name)],
        stdin=subprocess.DEVNULL, capture_output=True)
    return done.returncode, done.stderr.decode(errors='replace')


def bare(statement):
    """Without what one of them drops: blank lines, blanks and comments around
    it, the semicolon."""
    text, before = statement, None
    while text != before:
        before = text
        text = re.sub(rb'\A(?:\s+|--[^\r\n]*(?:[\r\n]|\Z))', b'', text)
        text = re.sub(rb'[\s;]+\Z', b'', text)
        if text.startswith(b'/*'):
            depth = 0
            for part in re.finditer(rb'/\*|\*/', text):
                depth += 1 if part.group() == b'/*' else -1
                if depth == 0:
                    text = text[part.end():]
                    break
    return re.sub(rb'\n+', b'\n', text)


def same(their, our):
    """What is behind a statement, before its semicolon, may be missing."""
    rest = bare(their)[len(bare(our)):]
    return bare(their).startswith(bare(our)) and bare(rest) == b''


def first_difference(theirs, ours):
    theirs = [t for t in theirs if bare(t)]
    for i, (their, our) in enumerate(zip(theirs, ours)):
        if not same(their, our):
            return 'statement %d\n psql: %r\n ours: %r' % (i + 1, their, our)
    if len(theirs) != len(ours):
        return 'psql %d, mizzle %d' % (len(theirs), len(ours))
    return None


def rows(db):
    return server.sql(db, "SELECT count(*), md5(string_agg(coalesce(x, 'NULL'),"
                      " '|' ORDER BY id)) FROM kept")


def compare(files):
    since = log_size()
    status, said = by_psql(files)
    result = mizzle('exec', '--url', server.socket('ours', 'postgres'), *files)
    if not check('psql takes the scripts', (0, ''), (status, said)) or \
            not check('mizzle takes them', 0, result.status):
        note(result)
        note(errors(since))
        return False
    ours = [o for o in logged('ours', since) if not is_own(o)]
    theirs = logged('theirs', since)
    return check('no fewer statements than files', True,
                 len(theirs) >= len(files)) and check(
        'the same statements', None, first_difference(theirs, ours))


def is_own(statement):
    """What mizzle says for itself."""
    return re.match(rb'SET LOCAL |SELECT pg_catalog\.|RESET ', statement)


def main():
    for db in ('theirs', 'ours'):
        server.fresh(db, owner='postgres')
        server.sql(db, TABLE)
    where, made = newdir('scripts'), scripts()
    files = [write(os.path.join(where, '%d.sql' % i), text)
             for i, text in enumerate(made)]
    for i in range(0, len(files), BATCH):
        if not compare(files[i:i + BATCH]):
            break
    check('the same rows', rows('theirs'), rows('ours'))
    note('%d scripts, %s rows and their hash' % (COUNT, rows('ours')))


main()
sys.exit(verdict())
