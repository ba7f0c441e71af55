# SPDX-License-Identifier: MIT
"""A real server, a folder of migrations, and what becomes of both.

A scenario takes a database, disturbs a run, and calls settle(): that looks at
how the run ended, runs mizzle until `verify` is content, and compares all
there is in the database with what an undisturbed run leaves behind.
"""
import re
import threading
import time
from collections import Counter
from itertools import count

from folders import SETS, STATE, TABLES_HERE
from harness import (Server, finish, folders, journal, mizzle, newdir,
                     start)
from talk import Ended, Talk

# Whose DROP is refused, or cancelled, leaves the table of the progress behind,
# empty, for the next who needs it.
TIDY = '''DO $$ BEGIN
    IF to_regclass('drizzle.__mizzle_progress') IS NOT NULL THEN
        IF NOT EXISTS (SELECT FROM drizzle.__mizzle_progress) THEN
            DROP TABLE drizzle.__mizzle_progress;
        END IF;
    END IF;
END $$'''
TRIES = 8           # runs until it must be done
SECONDS = 120       # and how long they may take
STATUSES = {1, 2, 3, 4, 5, 6, 7, 9}     # cli.md's, but for those of bugs
NEXT_STEP = {4, 5, 6, 9}    # status: it is for the user to do something
# Of two who create the history together the server may number the sequence of
# the one that succeeds.
SEQUENCE = re.compile(r'(__drizzle_migrations_id_seq)\d+')
CRASH = re.compile('Sanitizer|runtime error|core dumped|Assertion|\x00')


def unclear(got, also=()):
    """What is wrong with how a run ended; None if nothing is.  `also` are
    statuses that the fault itself explains (143, -9)."""
    if got.status == 0 or got.status in also and got.status < 0:
        return None
    if got.status not in STATUSES and got.status not in also:
        return 'status %s' % got.status
    if CRASH.search(got.err):
        return 'it crashed'
    errors = re.findall(r'(?m)^error: .*$', got.err)
    if len(errors) != 1:
        return '%d errors' % len(errors)
    if len(errors[0]) < 20:
        return 'says nothing: ' + errors[0]
    if (got.status in NEXT_STEP or 'lost at COMMIT' in errors[0]) and \
            not re.search(
            r'(?m)^  hint: |^   = hint: ', got.err):
        return 'no next step'
    return None


class Outcome:
    """What came of one run: what the table counts."""

    def __init__(self):
        self.lost, self.doubled = [], []
        self.stuck = None
        self.error = False
        self.unclear = None
        self.said = []      # every Result, the disturbed one first
        self.runs_after = 0

    def bad(self):
        return bool(self.lost or self.doubled or self.stuck or self.unclear)

    def __str__(self):
        what = [n + ': ' + str(v)[:1000] for n, v in (
            ('lost', self.lost), ('doubled', self.doubled),
            ('stuck', self.stuck), ('unclear', self.unclear)) if v]
        return '\n'.join(what + [str(g)[:1000] for g in self.said])


def differences(want, got):
    """(lost, doubled) of two states."""
    lost, doubled = [], []
    for name in want.keys() | got.keys():
        w, g = want.get(name, Counter()), got.get(name, Counter())
        if name.endswith('.counter'):
            for line in w:
                key, n = line.split(' ')
                if line not in g:
                    found = [r for r in g if r.startswith(key + ' ')]
                    more = found and int(found[0].split(' ')[1]) > int(n)
                    (doubled if more else lost).append((name, line, found))
            continue
        lost += [(name, line) for line in (w - g).elements()]
        doubled += [(name, line) for line in (g - w).elements()]
    return lost, doubled


class Database:
    """One of a world's; close() drops it."""

    def __init__(self, world, name):
        self.world, self.name = world, name
        self.claims = True      # what a run said can be looked at behind it
        self.pooled = False     # through something that keeps connections
        self.leaves = False     # what is not dropped, and harms nobody: TIDY

    def url(self, port=None, query='?sslmode=disable', user=None):
        server = self.world.server
        text = server.url(self.name, user=user or self.world.user,
                          query=query)
        return text.replace(':%d/' % server.port, ':%d/' % port) if port \
            else text

    def talk(self, seconds=60):
        """A session; a server that was ended is waited for."""
        end = time.monotonic() + seconds
        while True:
            try:
                return Talk(self.world.server, self.name)
            except (OSError, Ended):
                if time.monotonic() > end:
                    raise
                time.sleep(0.02)

    def close(self):
        self.world.ask('DROP DATABASE IF EXISTS "%s" WITH (FORCE)' %
                       self.name)


class World:
    """settings are the server's; server= takes one that is there.  kind is one
    of folders.SETS, or parts are the migrations; layout is 'journal' or
    'folders'; options are those of every run."""

    _number = count()

    def __init__(self, *settings, server=None, kind='whole', layout='journal',
                 options=(), template='template0', parts=None,
                 user='tester'):
        self.server = server or Server('autovacuum=off',
                                       'max_connections=150', *settings)
        self.kind, self.layout, self.options = kind, layout, tuple(options)
        self.template = template
        self.parts, self.user = parts or SETS[kind], user
        self.tags, self.dir = self.make_folder()
        self._truth, self._lock = None, threading.Lock()
        self._asking = threading.local()

    def ask(self, sql, seconds=60):
        """Of the database postgres; a server that was ended is waited for."""
        end = time.monotonic() + seconds
        while True:
            try:
                if not getattr(self._asking, 'talk', None):
                    self._asking.talk = Talk(self.server)
                return self._asking.talk(sql)
            except (OSError, Ended):
                self._asking.talk = None
                if time.monotonic() > end:
                    raise
                time.sleep(0.02)

    def like(self, **more):
        """Another world in the same server."""
        return World(server=self.server, **{**dict(
            kind=self.kind, layout=self.layout, options=self.options,
            template=self.template, user=self.user), **more})

    def make_folder(self):
        where = newdir('folder-%d' % next(World._number))
        if self.layout == 'journal':
            made = [('%04d_%s' % (i, n), s) for i, (n, s) in enumerate(self.parts)]
            journal(where, made)
        else:
            made = [('2024010100%04d_%s' % (i, n), s)
                    for i, (n, s) in enumerate(self.parts)]
            folders(where, made)
        return [tag for tag, _ in made], where

    def database(self, more=''):
        """A fresh one; `more` is of CREATE DATABASE."""
        name = 'f%d' % next(World._number)
        self.ask('CREATE DATABASE "%s" OWNER %s TEMPLATE %s %s %s' % (
            name, self.user, self.template, self.server.quickly, more))
        return Database(self, name)

    # ---- what is there

    def state(self, db):
        """{'schema': lines, table: rows, ...}, each counted."""
        with db.talk() as ask:
            found = {'schema': Counter(
                tuple(part and SEQUENCE.sub(r'\1', part) for part in line)
                for line in ask(STATE))}
            rows = []
            for name, quoted in ask(TABLES_HERE):
                found[name] = Counter()
                columns = 't::text'
                if name.endswith('.__drizzle_migrations'):
                    columns = "concat(hash, ' ', created_at" + (
                        ", ' ', name)" if self.layout == 'folders' else ')')
                elif name.endswith('.counter'):
                    columns = "concat(name, ' ', n)"
                rows.append("SELECT '%s', %s FROM %s t" % (name, columns,
                                                           quoted))
            for name, row in ask(' UNION ALL '.join(rows)) if rows else ():
                found[name][row] += 1
            return found

    def recorded(self, db):
        """How many rows the history has."""
        with db.talk() as ask:
            if ask("SELECT to_regclass('drizzle.__drizzle_migrations')") == \
                    [(None,)]:
                return 0
            return int(ask('SELECT count(*) FROM '
                           'drizzle.__drizzle_migrations')[0][0])

    def truth(self):
        """What an undisturbed run leaves behind."""
        with self._lock:
            if self._truth is None:
                db = self.database()
                got = self.migrate(db)
                if got.status:
                    raise RuntimeError('undisturbed: %s' % got)
                self._truth = self.state(db)
                db.close()
            return self._truth

    # ---- runs

    def arguments(self, db, *options, command='migrate', url=None):
        more = () if command == 'verify' else (*self.options, *options)
        return (command, '--dir', self.dir, '--url', url or db.url(), *more)

    def start(self, db, *options, url=None, **more):
        return start(*self.arguments(db, *options, url=url), **more)

    @staticmethod
    def ended(run, timeout=SECONDS):
        return finish(run, timeout)

    def migrate(self, db, *options, url=None, **more):
        return mizzle(*self.arguments(db, *options, url=url), **more)

    def verify(self, db, *options, **more):
        return mizzle(*self.arguments(db, command='verify'), *options, **more)

    def finish(self, db, outcome, *options, also=()):
        """Run it until verify says that it is done."""
        end = time.monotonic() + SECONDS
        for _ in range(TRIES):
            looked = self.verify(db, '--wait', '30s', timeout=60)
            if looked.status == 0:
                return
            left = end - time.monotonic()
            if left <= 0 or looked.status == 'timeout':
                break
            got = self.migrate(db, '--wait', '30s', '--lock-wait', '60s',
                               *options, timeout=max(left, 10))
            outcome.said += [looked, got]
            outcome.runs_after += 1
            if got.status:
                outcome.unclear = outcome.unclear or unclear(got, also)
        looked = self.verify(db, '--wait', '30s', timeout=60)
        if looked.status:
            outcome.said.append(looked)
            outcome.stuck = 'verify: status %s after %d runs' % (
                looked.status, outcome.runs_after)

    def quiet(self, db, seconds=60):
        """Who was cut off or killed is gone from the server; a pooler may keep
        what is idle."""
        end = time.monotonic() + seconds
        while self.ask("SELECT 1 FROM pg_stat_activity WHERE datname = '%s' "
                       "AND backend_type = 'client backend'%s" % (
                           db.name, " AND state <> 'idle'" if db.pooled
                           else '')):
            if time.monotonic() > end:
                return False
            time.sleep(0.005)
        return True

    def judge(self, db, outcome):
        """Compare with an undisturbed run."""
        if not self.quiet(db):
            outcome.stuck = outcome.stuck or 'a session is left'
        if db.leaves:
            with db.talk() as ask:
                ask(TIDY)
        if not outcome.stuck:
            outcome.lost, outcome.doubled = differences(self.truth(),
                                                        self.state(db))

    def false_claim(self, db, got):
        """What it says of the migrations, and is not so; None if it is."""
        rows = self.recorded(db)
        told = re.search(r'hint: (\S+) was not applied: run again', got.err)
        if told and self.tags.index(told[1]) < rows:
            return 'it says that %s was not applied' % told[1]
        told = re.search(r'[(;] ?(\d+) migrations? (?:before it )?w(?:as|ere) '
                         r'applied', got.err)
        if told and int(told[1]) != rows:
            return 'it says that %s were applied: it were %d' % (told[1], rows)
        return None

    def settle(self, db, *said, also=(), options=()):
        """The outcome of runs that were disturbed; drops the database."""
        outcome = Outcome()
        outcome.said += said
        for got in said:
            if got.status == 'timeout':
                outcome.stuck = 'the run did not end by itself'
            elif got.status not in (0, -9):     # who is killed says nothing
                outcome.error = True
                outcome.unclear = outcome.unclear or unclear(got, also)
        if len(said) == 1 and not outcome.unclear and db.claims:
            outcome.unclear = self.false_claim(db, said[0])
        self.finish(db, outcome, *options)
        if outcome.runs_after and said and any(g.status == 0 for g in said):
            outcome.lost.append('a run said that all is done, and it was not')
        told = outcome.lost
        self.judge(db, outcome)
        outcome.lost = told + outcome.lost
        db.close()
        return outcome
