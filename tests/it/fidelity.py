# SPDX-License-Identifier: MIT
"""Real projects' folders, applied by mizzle, against what Drizzle made of them.

FIDELITY_WITH=drizzle runs the real Drizzle in place of mizzle, which tells
whether this test is right.  LONG=1 also halves the big folders.
"""
import csv
import glob
import json
import os
import re
import shutil
import sys
import time

from harness import (BREAK, LONG, Result, Server, check, drizzle,
                     drizzle_home, folders, mizzle, needs_program, newdir,
                     note, shared, skip, verdict, write)

SUBJECT = os.environ.get('FIDELITY_WITH', 'mizzle')
ONLY = sys.argv[1:] or os.environ.get('FIDELITY_ONLY', '').split()
HALF_MAX = 1000 if LONG else 30  # migrations
LEAVES = re.compile(r'(?im)^\s*(commit|begin|rollback|start transaction)\s*;'
                    r'|\bconcurrently\b|^\s*vacuum\b')

if not shared():
    skip('no corpora here (SHARED says where)')
CORPORA = os.path.join(shared(), 'corpora')
SAMPLES = os.path.join(shared(), 'samples')
if SUBJECT == 'mizzle':
    needs_program()

server = Server('autovacuum=off', 'max_locks_per_transaction=256')
if server.version() // 10000 != 15:
    skip('the truth was dumped by PostgreSQL 15')
FIRST_ROLES = server.roles()


# ---- folders and what is in them

class Folder:
    """A folder of the corpora or the samples, and parts of it."""

    def __init__(self, path):
        self.path = path
        self.v1 = not os.path.isdir(os.path.join(path, 'meta'))
        if self.v1:
            self.tags = sorted(
                name for name in os.listdir(path)
                if os.path.exists(os.path.join(path, name, 'migration.sql')))
        else:
            with open(os.path.join(path, 'meta/_journal.json'), 'rb') as f:
                self.journal = json.loads(f.read().decode('utf-8-sig'))
            self.entries = self.journal['entries']
            self.tags = [e['tag'] for e in self.entries]

    def file(self, tag):
        return os.path.join(self.path, tag, 'migration.sql') if self.v1 \
            else os.path.join(self.path, tag + '.sql')

    def text(self, tag):
        with open(self.file(tag), 'rb') as f:
            return f.read()

    def part(self, name, tags):
        """A copy that has only these migrations."""
        where = newdir(name)
        if self.v1:
            return folders(where, [(t, self.text(t)) for t in tags])
        for t in tags:
            if os.path.exists(self.file(t)):
                shutil.copy(self.file(t), os.path.join(where, t + '.sql'))
        write(os.path.join(where, 'meta/_journal.json'), json.dumps(
            {**self.journal,
             'entries': [e for e in self.entries if e['tag'] in tags]}))
        return where

    def all_text(self):
        found = glob.glob(os.path.join(glob.escape(self.path), '**/*.sql'),
                          recursive=True)
        return b'\n'.join(open(f, 'rb').read() for f in found).decode(
            'utf-8', 'replace')

    def leaves(self):
        """Has it statements that do not stay in a transaction?"""
        return any(LEAVES.search(self.text(t).decode('utf-8', 'replace'))
                   for t in self.tags if os.path.exists(self.file(t)))

    def chunk_lines(self, tag, number):
        """First and last line of a chunk."""
        chunks = self.text(tag).decode('utf-8', 'replace').split(BREAK)
        before = BREAK.join(chunks[:number - 1])
        first = before.count('\n') + 1
        return first, first + chunks[number - 1].count('\n') + 1


def lacking_extension(folder):
    have = server.sql('postgres',
                      'SELECT name FROM pg_available_extensions').split()
    wanted = re.findall(r'(?i)create extension (?:if not exists )?["\']?'
                        r'([a-z_0-9-]+)', folder.all_text())
    return next((e for e in wanted if e not in have), None)


# ---- running and comparing

def database(name='fidelity'):
    for role in set(server.roles()) - set(FIRST_ROLES):
        server.sql('postgres', 'DROP DATABASE IF EXISTS fidelity WITH (FORCE)',
                   'DROP DATABASE IF EXISTS other WITH (FORCE)',
                   'DROP ROLE "%s"' % role)
    return server.fresh(name, 'postgres', "ENCODING UTF8 LOCALE 'C.UTF-8'")


def apply(folder, path, db, *options, who=SUBJECT):
    url = server.url(db, 'postgres')
    if who == 'drizzle':
        return drizzle(1 if folder.v1 else 0, url, path)
    return mizzle('migrate', '--json', '--url', url, '--dir', path, *options,
                  timeout=300)


def history(db, v1):
    columns = 'id, hash, created_at' + (', name' if v1 else '')
    if server.sql(db, "SELECT to_regclass('drizzle.__drizzle_migrations')"
                  ) == '':
        return []
    return [row.split('|') for row in
            server.history(db, columns).splitlines()]


def truth(name, kind, mode):
    path = os.path.join(CORPORA, 'truth', name, '%s.%s.%s' % (
        kind, mode, 'sql' if kind == 'schema' else 'tsv'))
    if not os.path.exists(path):
        return None
    with open(path, 'rb') as f:
        return f.read()


def truth_rows(name, mode):
    lines = (truth(name, 'migrations', mode) or b'').decode().splitlines()
    return [line.split('\t') for line in lines[1:]]


def same_dump(what, want, db):
    """Byte by byte; the first difference is what is shown."""
    got = server.dump(db)
    if got == want:
        return check(what, True, True)
    a, b = want.decode().splitlines(), got.decode().splitlines()
    at = next((i for i, (x, y) in enumerate(zip(a, b)) if x != y),
              min(len(a), len(b)))
    return check('%s, line %d' % (what, at + 1), '\n'.join(a[at:at + 4]),
                 '\n'.join(b[at:at + 4]))


def same_counts(name, db):
    for line in (truth(name, 'rowcounts', 'all') or b'').decode().splitlines():
        table, count = line.rsplit('\t', 1)
        check('%s: rows of %s' % (name, table), count,
              server.sql(db, 'SELECT count(*) FROM ' + table))


def next_xid():
    return server.sql('postgres',
                      'SELECT pg_snapshot_xmax(pg_current_snapshot())')


def nothing_more(name, folder, db):
    """A second run does nothing at all."""
    before = next_xid()
    again = apply(folder, folder.path, db)
    check(name + ': a second run ends well', 0, again.status)
    check(name + ': a second run writes nothing', before, next_xid())
    if SUBJECT == 'mizzle' and again.status == 0:
        result = again.event('result')
        check(name + ': a second run has nothing to do', (0, 0),
              (result.get('applied'), result.get('pending')))


# ---- one folder

def expect_success(name, folder, db, mode='all'):
    same_dump(name + ': schema', truth(name, 'schema', 'all'), db)
    check(name + ': history', truth_rows(name, 'all'),
          history(db, folder.v1))
    same_counts(name, db)


def untouched(name, db):
    check(name + ': nothing was sent', '0', server.sql(
        db, "SELECT count(*) FROM pg_namespace WHERE nspname = 'drizzle'"))


def expect_failure(name, folder, row, run, db):
    """As far as the migration before the failing one, and no further."""
    error = run.event('error')
    tag, _, chunk = row['all_error_at'].partition('#')
    kept = folder.tags[:folder.tags.index(tag)]
    check(name + ': status', 1, run.status)
    check(name + ': names the failing migration and the SQLSTATE',
          (tag, row['all_errcode']), (error.get('tag'), error.get('sqlstate')))
    first, last = folder.chunk_lines(tag, int(chunk))
    line = error.get('line') or 0
    check(name + ': names a line of the failing chunk (%d to %d, got %s)' % (
        first, last, line), True, first <= line <= last)
    reference = newdir('reference')
    shutil.rmtree(reference)
    want = truth(name, 'schema', 'incr')
    if row['incr'] != 'FAIL' or row['incr_error_at_deploy'] != tag:
        reference = folder.part('reference', kept)
        server.fresh('other', 'postgres', "ENCODING UTF8 LOCALE 'C.UTF-8'")
        apply(folder, reference, 'other')
        want = server.dump('other')
    got = [r[1] for r in history(db, folder.v1)]
    check(name + ': keeps the migrations before it', len(kept), len(got))
    same_dump(name + ': keeps what they made', want, db)


def one_folder(row):
    name = row['name']
    folder = Folder(os.path.join(CORPORA, 'folders', name))
    missing = lacking_extension(folder)
    if missing:
        return 'skipped', 'the server has no extension ' + missing
    db = database()
    run = apply(folder, folder.path, db)
    if SUBJECT == 'drizzle':
        check(name + ': as TRUTH.tsv says', row['all'] == 'ok',
              run.status == 0)
        if row['all'] == 'ok':
            expect_success(name, folder, db)
            nothing_more(name, folder, db)
        return row['all'], ''
    if name.endswith(('latin1-comment', 'bom-sql', 'nul', 'bom-journal')) \
            or row['all'] == 'FAIL' and not row['all_error_at']:
        check(name + ': bad input is found before anything is sent', 2,
              run.status)
        untouched(name, db)
        return 'bad input', run.event('error').get('message', '')[:90]
    if row['all'] == 'FAIL':
        expect_failure(name, folder, row, run, db)
        db = database()
        run = apply(folder, folder.path, db, '--transaction', 'all')
        check(name + ': all in one transaction fails as well', 1, run.status)
        check(name + ': and keeps nothing', [], history(db, folder.v1))
        return 'fails', '%s at %s' % (row['all_errcode'], row['all_error_at'])
    if not check(name + ': is applied', 0, run.status):
        note(str(run)[:800])
        return 'FAILED', ''
    result = run.event('result')
    check(name + ': says how many', (len(folder.tags), 0),
          (result.get('applied'), result.get('pending')))
    expect_success(name, folder, db)
    nothing_more(name, folder, db)
    if len(folder.tags) <= HALF_MAX or LONG:
        in_one_transaction(name, folder)
    return 'ok', ''


def in_one_transaction(name, folder):
    if len(folder.tags) < 2:
        return
    db = database()
    run = apply(folder, folder.path, db, '--transaction', 'all')
    if 'unsafe use of new value' in run.out:  # and Drizzle would, too
        return
    if run.status == 9 and folder.leaves():
        untouched(name, db)
        return
    check(name + ': is applied in one transaction', 0, run.status)
    expect_success(name + '', folder, db)


# ---- half by one, half by the other

def halves(row):
    name = row['name']
    folder = Folder(os.path.join(CORPORA, 'folders', name))
    half = folder.part('half', folder.tags[:len(folder.tags) // 2])
    complete = int(row['half_rows']) == len(folder.tags)
    notes = []

    db = database()
    check(name + ': Drizzle applies the first half', 0,
          apply(folder, half, db, who='drizzle').status)
    run = apply(folder, folder.path, db)
    if run.status == 5 and row['incr_skipped']:
        notes.append('refuses what Drizzle skips')
        check(name + ': names what it refuses', True,
              any(t in run.out for t in row['incr_skipped'].split(',')))
        run = apply(folder, folder.path, db, '--out-of-order', 'apply')
    if not complete and row['all'] != 'ok':
        notes.append('Drizzle skips, and all at once fails')
    elif check(name + ': mizzle applies the second half', 0, run.status):
        mode = 'half' if complete else 'all'
        same_dump(name + ': schema after Drizzle and mizzle',
                  truth(name, 'schema', mode), db)
        check(name + ': history after Drizzle and mizzle',
              sorted(r[1:] for r in truth_rows(name, mode)),
              sorted(r[1:] for r in history(db, folder.v1)))
    else:
        note(str(run)[:800])

    db = database()
    check(name + ': mizzle applies the first half', 0,
          apply(folder, half, db).status)
    check(name + ': Drizzle applies the second half', 0,
          apply(folder, folder.path, db, who='drizzle').status)
    same_dump(name + ': schema after mizzle and Drizzle',
              truth(name, 'schema', 'half'), db)
    check(name + ': history after mizzle and Drizzle',
          truth_rows(name, 'half'), history(db, folder.v1))
    return 'half ok', ', '.join(notes)


# ---- deployments one by one

def not_skipped(row):
    """What Drizzle skips when it comes late, mizzle refuses or applies."""
    name = row['name']
    folder = Folder(os.path.join(CORPORA, 'folders', name))
    if not row['incr_skipped'] or lacking_extension(folder) \
            or SUBJECT == 'drizzle':
        return
    late = row['incr_skipped'].split(',')[0]
    at = folder.tags.index(late)
    db = database()
    check(name + ': deployed up to ' + late, 0, apply(
        folder, folder.part('before', folder.tags[:at]), db).status)
    part = folder.part('upto', folder.tags[:at + 1])
    run = apply(folder, part, db)
    check(name + ': %s is not skipped' % late, True,
          run.status == 5 and late in run.out
          or run.status == 0 and len(history(db, folder.v1)) == at + 1)
    run = apply(folder, part, db, '--out-of-order', 'apply')
    check(name + ': %s is applied on demand' % late, (0, at + 1),
          (run.status, len(history(db, folder.v1))))


# ---- the samples: against the real Drizzle, at the same time

def csv_rows(name):
    with open(os.path.join(SAMPLES, 'expected', name)) as f:
        return [row[:4] for row in list(csv.reader(f))[1:]]


def dump_of(name):
    with open(os.path.join(SAMPLES, 'expected', name), 'rb') as f:
        return b''.join(line for line in f.read().splitlines(keepends=True)
                        if not line.startswith((b'\\restrict', b'\\unrestrict',
                                                b'-- Dumped ')))


def expected_samples():
    for name in 'v0-full', 'v1-rc5-full':
        folder = Folder(os.path.join(SAMPLES, name))
        db = database()
        run = apply(folder, folder.path, db)
        if not check('sample %s: is applied' % name, 0, run.status):
            note(str(run)[:800])
            continue
        same_dump('sample %s: schema' % name,
                  dump_of(name + '.orm-pg.schema.sql'), db)
        check('sample %s: history' % name,
              csv_rows(name + '.orm-pg.migrations.csv'),
              history(db, folder.v1))
        nothing_more('sample ' + name, folder, db)
        if folder.v1:
            check('sample %s: applied_at is now' % name, 't', server.sql(
                db, "SELECT bool_and(applied_at BETWEEN now() - interval "
                "'5 min' AND now()) FROM drizzle.__drizzle_migrations"))


def compared_samples():
    done = ('v0-full', 'v1-rc5-full')
    for name in sorted(os.listdir(SAMPLES)):
        if not name.startswith(('v0-', 'v1-')) or name in done:
            continue
        folder = Folder(os.path.join(SAMPLES, name))
        db = database()
        theirs = apply(folder, folder.path, db, who='drizzle')
        want = server.dump(db), history(db, folder.v1)
        db = database()
        ours = apply(folder, folder.path, db)
        if theirs.status and name.endswith('-concurrently'):
            note('sample %-34s Drizzle fails, mizzle does not' % name)
            check('sample %s: is applied' % name, 0, ours.status)
            check('sample %s: with its index' % name, 'f', server.sql(
                db, 'SELECT bool_or(NOT indisvalid) FROM pg_index'))
        elif theirs.status:
            note('sample %-34s fails, as with Drizzle: %s' % (
                name, ours.event('error').get('message', '')[:80]))
            check('sample %s: fails, as with Drizzle' % name, True,
                  ours.status in (1, 2))
        else:
            check('sample %s: is applied' % name, 0, ours.status)
            same_dump('sample %s: schema' % name, want[0], db)
            check('sample %s: history' % name, want[1],
                  history(db, folder.v1))


def upgraded_sample():
    """0.x, then `up`: the table is upgraded as Drizzle 1 upgrades it."""
    old = Folder(os.path.join(SAMPLES, 'v0-full'))
    new = Folder(os.path.join(SAMPLES, 'v1-up-from-v0-full'))
    for first in 'drizzle', SUBJECT:
        what = 'sample v0-full by %s, then up' % first
        db = database()
        check(what + ': is applied', 0,
              apply(old, old.path, db, who=first).status)
        if SUBJECT == 'mizzle':
            run = apply(new, new.path, db)
            check(what + ': nothing to apply', (0, 0),
                  (run.status, run.event('result').get('applied')))
            check(what + ': the upgraded history', csv_rows(
                'v0-full-then-v1-up.orm-pg.migrations.csv'),
                history(db, True))
            nothing_more(what, new, db)
        check(what + ': Drizzle 1 goes on', 0,
              apply(new, new.path, db, who='drizzle').status)
        check(what + ': history', csv_rows(
            'v0-full-then-v1-up.orm-pg.migrations.csv'), history(db, True))
        same_dump(what + ': schema',
                  dump_of('v0-full-then-v1-up.orm-pg.schema.sql'), db)


def main():
    with open(os.path.join(CORPORA, 'TRUTH.tsv'), newline='') as f:
        rows = list(csv.DictReader(f, delimiter='\t', quoting=csv.QUOTE_NONE))
    rows = [r for r in rows if not ONLY or any(o in r['name'] for o in ONLY)]
    totals = {}
    note('%-52s %-6s %4s  %-9s %s' % ('folder', 'layout', 'n', 'result',
                                      'note'))
    for row in rows:
        began = time.monotonic()
        result, why = one_folder(row)
        totals[result] = totals.get(result, 0) + 1
        note('%-52s %-6s %4s  %-9s %s (%.1f s)' % (
            row['name'], row['format'], row['journal_entries'], result, why,
            time.monotonic() - began))
        if result in ('ok', 'FAILED'):
            not_skipped(row)
    if not drizzle_home():
        note('no drizzle-orm here: half and half, and the samples without '
             'expectations, were left out')
    else:
        for row in rows:
            if row['half'] == 'ok' \
                    and 2 <= int(row['journal_entries']) <= HALF_MAX \
                    and 'latin1' not in row['name'] \
                    and not lacking_extension(Folder(os.path.join(
                        CORPORA, 'folders', row['name']))):
                result, why = halves(row)
                totals[result] = totals.get(result, 0) + 1
                if why:
                    note('%-52s %s' % (row['name'], why))
    if not ONLY or 'samples' in ONLY:
        expected_samples()
        if drizzle_home():
            compared_samples()
            upgraded_sample()
    note(', '.join('%d %s' % (n, what) for what, n in sorted(totals.items())))


main()
sys.exit(verdict())
