# SPDX-License-Identifier: MIT
"""One of four subjects with a database and a folder of its own: Drizzle 0.45
and 1.0, and mizzle with the folders of either."""
import os
import re
from itertools import count

from harness import (Server, drizzle, folders, journal, mizzle, newdir,
                     start, start_drizzle, wait_for, WHEN)
from session import Session

SUBJECTS = ('0.45', '1.0', 'journal', 'folders')    # the last two are mizzle
_names = count()


class World:
    """What a case is done in.  Migrations are (letter, sql[, second])."""

    def __init__(self, server, subject, more=''):
        self.server, self.subject = server, subject
        self.is_drizzle = subject in ('0.45', '1.0')
        self.is_v1 = subject in ('1.0', 'folders')
        self.db = server.fresh('beside%d' % next(_names), 'postgres', more)
        self.where = None

    def tag(self, letter, second=None):
        number = ord(letter) - ord('a')
        if not self.is_v1:
            return '%04d_%s' % (number, letter)
        return '202401010000%02d_%s' % (
            number if second is None else second, letter)

    def file(self, letter):
        return os.path.join(self.where, self.tag(letter), 'migration.sql') \
            if self.is_v1 else os.path.join(self.where,
                                            self.tag(letter) + '.sql')

    def put(self, *migrations):
        """A folder that has these, anew; a letter alone makes a table."""
        self.where = newdir(self.db)
        full = [(m, 'CREATE TABLE %s (n int);' % m) if isinstance(m, str)
                else m for m in migrations]
        times = [m[2] if len(m) > 2 else ord(m[0]) - ord('a') for m in full]
        if self.is_v1:
            folders(self.where, [(self.tag(m[0], t), m[1])
                                 for m, t in zip(full, times)])
        else:
            journal(self.where, [(self.tag(m[0]), m[1], WHEN + 1000 * t)
                                 for m, t in zip(full, times)])

    def url(self, user='postgres'):
        return self.server.url(self.db, user)

    def begin(self, user='postgres'):
        if self.is_drizzle:
            return start_drizzle(int(self.is_v1), self.url(user), self.where)
        return start('migrate', '--url', self.url(user), '--dir', self.where)

    def go(self, *migrations, user='postgres'):
        """Apply them, or what is there."""
        if migrations:
            self.put(*migrations)
        if self.is_drizzle:
            return drizzle(int(self.is_v1), self.url(user), self.where)
        return mizzle('migrate', '--url', self.url(user), '--dir', self.where,
                      timeout=600)

    def check(self):
        return mizzle('check', '--dir', self.where)

    # ---- what there is of it

    def sql(self, *statements):
        return self.server.sql(self.db, *statements)

    def tables(self):
        """Those of one letter."""
        return self.sql(
            "SELECT coalesce(string_agg(relname, '' ORDER BY relname), '') "
            "FROM pg_class WHERE relkind = 'r' AND length(relname) = 1 AND "
            "relnamespace = 'public'::regnamespace")

    def rows(self, columns='count(*)'):
        if not self.sql("SELECT to_regclass('drizzle.__drizzle_migrations')"):
            return '0'
        return self.sql('SELECT %s FROM drizzle.__drizzle_migrations'
                        % columns)

    def is_done(self, got, tables, rows):
        return (got.status, self.tables(), self.rows()) == (
            0, tables, str(rows))

    # ---- words

    def failure(self, got):
        """How it ended: with which SQLSTATE or status."""
        if got.status == 0:
            return 'exit 0: ' + self.odd(got)
        if not self.is_drizzle:
            return ('fails (%s)' if got.status in (1, 6) else
                    'refused (%s)') % got.status
        known = re.match(r'([0-9A-Z]{5}) |(?:ERR_\w+ )?'
                         '(No file|Cannot create a string)', got.err)
        return 'fails: %s' % (known[1] or known[2]) if known else \
            self.odd(got)

    def odd(self, got):
        """What no word is for: seen in the report only."""
        return '? %s, tables %s, %s' % (got.status, self.tables(),
                                        got.err[-300:])

    # ---- at a certain moment

    def gate(self):
        """Held by us; LOCK TABLE gate waits at it until it is closed."""
        return Session(self.server, self.db,
                       'CREATE TABLE IF NOT EXISTS gate ()', 'BEGIN',
                       'LOCK TABLE gate IN ACCESS EXCLUSIVE MODE')

    def at_gate(self):
        return int(self.sql(
            'SELECT count(DISTINCT pid) FROM pg_locks WHERE NOT granted AND '
            "relation = 'gate'::regclass"))

    def gone(self):
        return wait_for(lambda: self.server.sessions(self.db) == '0')

    def drop(self):
        self.server.sql('postgres', 'DROP DATABASE IF EXISTS "%s" WITH '
                        '(FORCE)' % self.db)


GATE = 'LOCK TABLE gate IN ROW EXCLUSIVE MODE;'


def new_server():
    server = Server('autovacuum=off', 'max_connections=60')
    server.sql('postgres', "CREATE ROLE limited LOGIN PASSWORD '%s'"
               % server.password)
    return server


