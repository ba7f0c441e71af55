# SPDX-License-Identifier: MIT
"""A history of Drizzle 0.x under folders of 1.x becomes one of 1.x, exactly as
the real Drizzle 1.x makes it; and what both make of each other's rows."""
import re
import sys

from harness import (Server, check, drizzle, drizzle_home, finish, folders,
                     heard, journal, mizzle, needs_program, newdir, note,
                     sha256, start, start_drizzle, verdict)
from wire import Proxy

needs_program()
server = Server('autovacuum=off', 'max_connections=60')
TABLE = 'drizzle.__drizzle_migrations'
MS = 1704067200000  # 2024-01-01 00:00:00
A, B, C, D = ['2024010100000%d_%s' % (i, n) for i, n in enumerate('abcd')]
UPGRADED = 'was upgraded from the 3 columns of Drizzle 0.x to the 5 of 1.x'


def text(tag):
    return 'CREATE TABLE "%s" (id int);' % tag[15:]


def new(tags, name='new'):
    """The layout of 1.x; a tag, or a tag and what its file says."""
    pairs = [t if isinstance(t, tuple) else (t, text(t)) for t in tags]
    return folders(newdir(name), pairs)


def old(count):
    """What that was under 0.x, with milliseconds."""
    return journal(newdir('old'), [
        ('%04d_%s' % (i, t[15:]), text(t), MS + 1000 * i + 123)
        for i, t in enumerate((A, B, C, D)[:count])])


def three(db, rows, table=TABLE):
    """A history of 0.x with just these rows of (hash, created_at)."""
    server.fresh(db)
    schema = table.split('.')[0]
    server.sql(db, 'SET ROLE tester; CREATE SCHEMA IF NOT EXISTS %s; '
               'CREATE TABLE %s (id serial PRIMARY KEY, hash text NOT NULL, '
               'created_at bigint)' % (schema, table))
    for digest, when in rows:
        server.sql(db, "INSERT INTO %s (hash, created_at) VALUES ('%s', %s)"
                   % (table, digest, 'NULL' if when is None else when))


def run(command, where, *args, db='u', **more):
    return mizzle(command, '--json', '--url', server.url(db), '--dir', where,
                  *args, **more)


def rows(db='u', columns='id, hash, created_at, name, applied_at IS NULL'):
    return server.history(db, columns)


def columns(db='u'):
    return server.sql(db, "SELECT string_agg(attname, ' ' ORDER BY attnum) "
                      "FROM pg_attribute WHERE attrelid = '%s'::regclass "
                      'AND attnum > 0' % TABLE)


def h(tag):
    return sha256(text(tag))


# ---- exactly as Drizzle does it

# what, files, rows of (hash, created_at), the names that they get
CASES = [
    ('the usual', [A, B], [(h(A), MS + 123), (h(B), MS + 1456)], [A, B]),
    ('one more is pending', [A, B, C], [(h(A), MS + 123),
                                        (h(B), MS + 1456)], [A, B, C]),
    ('nothing is recorded', [A], [], [A]),
    ('whole seconds', [A, B], [(h(A), MS), (h(B), MS + 1000)], [A, B]),
    ('edited files', [A, B], [('x', MS + 123), ('y', MS + 1999)], [A, B]),
    ('other times', [A, B], [(h(A), 5), (h(B), MS + 77777)], [A, B]),
    ('no times', [A, B], [(h(B), None), (h(A), None)], [B, A]),
    ('times before 1970', [A], [(h(A), -5), (h(A), -12345)], [A, A]),
    ('recorded twice', [A, B], [(h(A), MS + 123), (h(A), MS + 123),
                                (h(B), MS + 1456)], [A, A, B]),
    ('the same second', [A, A[:14] + '_b', A[:14] + '_c'],
     [(h(A[:14] + '_b'), MS + 5), (h(A), MS + 9), (h(A[:14] + '_c'), MS + 12)],
     [A[:14] + '_b', A, A[:14] + '_c']),
    ('equal files', [(A, '--'), (B, '--'), (C, '--')],
     [(sha256('--'), MS + 1), (sha256('--'), MS + 1002), (sha256('--'), 7)],
     [A, B, C]),
    ('quotes', [(A + "'s", text(A))], [(h(A), MS + 1)], [A + "'s"]),
]


def as_drizzle_does():
    for what, files, history, names in CASES:
        where = new(files)
        three('u', history)
        # of two rows of one migration Drizzle thinks nothing
        allowed = '--allow-modified', '--allow-missing'
        got = run('migrate', where, *allowed)
        if not check(what + ': upgraded', 0, got.status):
            note(str(got))
        check(what + ': one line says so', 1, got.err.count(UPGRADED))
        check(what + ': the names', '\n'.join(names), rows(columns='name'))
        check(what + ': the rest of them is as it was', '\n'.join(
            '%s|%s|t' % (a, '' if b is None else b) for a, b in history),
            '\n'.join(rows(columns='hash, created_at, applied_at IS NULL')
                      .splitlines()[:len(history)]))
        again = run('migrate', where, *allowed)
        check(what + ': once', (0, 0, 0), (
            again.status, again.err.count(UPGRADED),
            again.event('result')['applied']))
        if not drizzle_home():
            continue
        three('v', history)
        theirs = drizzle(1, server.url('v'), where)
        check(what + ': the rows are those of Drizzle',
              (theirs.err, rows('v')), ('', rows()))
        check(what + ': so is the table', server.dump('v'), server.dump('u'))
        is_content(what, where)


def is_content(what, where):
    before = server.history('u', '*')
    got = drizzle(1, server.url('u'), where)
    check(what + ': Drizzle has nothing to do', (0, '', before),
          (got.status, got.err, server.history('u', '*')))


def after_the_real_one():
    """0.x, `up`, mizzle, 1.x: nothing runs twice."""
    if not drizzle_home():
        return
    server.fresh('u')
    where = old(2)
    check('0.x applies', 0, drizzle(0, server.url('u'), where).status)
    where = new([A, B, C])
    got = run('migrate', where)
    check('0.x, then 1.x: the new one is applied', (0, 1), (
        got.status, got.event('result')['applied']))
    is_content('0.x, then 1.x', where)
    check('0.x, then 1.x: it has a time', 't', server.sql(
        'u', "SELECT applied_at > now() - interval '1 hour' FROM %s "
        "WHERE name = '%s'" % (TABLE, C)))


def odd_tables():
    """The trigger is the column name, and nothing else."""
    three('u', [(h(A), MS + 1)])
    server.sql('u', 'ALTER TABLE %s ADD applied_at timestamptz DEFAULT now(),'
               ' ADD remark text' % TABLE)
    check('only applied_at: upgraded', 0, run('migrate', new([A])).status)
    check('only applied_at: columns', 'id hash created_at applied_at remark '
          'name', columns())
    check('only applied_at: it is NULL', A + '|', rows(
        columns='name, applied_at'))
    three('u', [(h(A), MS + 1)])
    server.sql('u', 'ALTER TABLE %s ADD name text' % TABLE,
               "UPDATE %s SET name = '%s'" % (TABLE, A))
    check('only name: left alone', (0, 'id hash created_at name'),
          (run('migrate', new([A])).status, columns()))
    table = '"My ""odd"" one".t'
    three('u', [(h(A), MS + 1)], table)
    check('elsewhere', 0, run('migrate', new([A, B]), '--schema',
                              'My "odd" one', '--table', 't').status)
    check('elsewhere: names', A + '\n' + B, server.history('u', 'name', table))


# ---- when it is not

def unmatched():
    three('u', [(h(A), MS + 123), ('x', 5), ('y', MS + 99000)])
    where = new([A, B])
    before = server.history('u', '*')
    for command in 'migrate', 'plan':
        got = run(command, where)
        error = got.event('error')
        check('unmatched, %s: refused' % command, (5, 'history'),
              (got.status, error.get('code')))
        check('unmatched, %s: says which' % command, re.compile(
            r'of its rows 2 are no migration of the folder \(id 2, 3\); '
            'nothing was changed'), error.get('message', ''))
        check('unmatched, %s: says what to do' % command, True,
              'mizzle repair' in error.get('hint', ''))
    check('unmatched: nothing was changed', (before, 'id hash created_at'),
          (server.history('u', '*'), columns()))
    if drizzle_home():
        check('unmatched: Drizzle says the same', True, '(ids: 2, 3)' in
              drizzle(1, server.url('u'), where).err)
    got = run('migrate', where, '--allow-missing')
    check('unmatched, allowed: goes on with 3', (0, 1, 'id hash created_at'), (
        got.status, got.event('result')['applied'], columns()))
    check('unmatched, repaired', (0, 2), (lambda g: (
        g.status, g.event('result')['repaired']))(run('repair', where,
                                                      '--yes')))
    check('unmatched, repaired: upgraded', (0, '%s\n%s' % (A, B)),
          (run('migrate', where).status, rows(columns='name')))


def only_told():
    """Who only looks changes nothing, but says it."""
    three('u', [(h(A), MS + 123)])
    where = new([A])
    for command in 'status', 'verify', 'plan', 'migrate --dry-run':
        got = run(*command.split()[:1], where, *command.split()[1:])
        check(command + ' says it', (0, True), (
            got.status, 'mizzle migrate upgrades it to the 5' in got.err))
    check('and none does it', 'id hash created_at', columns())
    check('a rollback does not either', 9, run('rollback', where).status)
    check('nor a repair', (0, 'id hash created_at'), (
        run('repair', where).status, columns()))
    check('a baseline does', (0, 'id hash created_at name applied_at'), (
        run('baseline', new([A, B])).status, columns()))
    check('a baseline: names', A + '\n' + B, rows(columns='name'))
    where = old(2)
    server.fresh('u')
    run('migrate', where)
    check('under a journal it stays as it is', (0, '', 'id hash created_at'), (
        run('migrate', where).status, run('verify', where).err, columns()))


def without_rights():
    """Who may not goes on all the same, as long as nothing else is in the
    way."""
    three('u', [(h(A), MS + 123)])
    server.sql('u', 'CREATE ROLE guest LOGIN',
               'GRANT USAGE ON SCHEMA drizzle TO guest',
               'GRANT CREATE ON SCHEMA public TO guest',
               'GRANT SELECT ON %s TO guest' % TABLE)
    for what, grant, files, status in (
            ('to read', 'SELECT', [A], 0),
            ('to read, one pending', 'SELECT', [A, B], 9),
            ('to write, one pending', 'INSERT, UPDATE, DELETE', [A, B], 0)):
        server.sql('u', 'GRANT %s ON %s TO guest' % (grant, TABLE),
                   'GRANT USAGE ON ALL SEQUENCES IN SCHEMA drizzle TO guest')
        got = mizzle('migrate', '--url', server.socket('u', 'guest'), '--dir',
                     new(files))
        check(what + ': status', status, got.status) or note(str(got))
        check(what + ': warned', 1, got.err.count(
            'warning: the history stays one of Drizzle 0.x, until its owner '
            'upgrades it with mizzle migrate: '))
        check(what + ': as it was', 'id hash created_at', columns())
    check('then its owner', (0, A + '\n' + B), (
        run('migrate', new([A, B])).status, rows(columns='name')))
    three('u', [(h(A), MS + 123)])
    server.sql('postgres', 'ALTER DATABASE u SET '
               'default_transaction_read_only = on')
    got = run('migrate', new([A]))
    check('read-only, nothing pending', (0, True), (
        got.status, 'read-only' in got.err))


def out_of_order():
    """What 0.x has skipped is not run because the table has changed."""
    three('u', [(h(A), MS + 123), (h(C), MS + 2123)])
    where = new([A, B, C])
    for _ in range(2):
        got = run('migrate', where)
        check('skipped long ago: refused', (5, True, 'id hash created_at'), (
            got.status, B in got.event('error')['message'], columns()))
    got = run('migrate', where, '--out-of-order', 'skip')
    check('skipped again', (0, 0, A + '\n' + C), (
        got.status, got.event('result')['applied'], rows(columns='name')))
    three('u', [(h(A), MS + 123), (h(C), MS + 2123)])
    got = run('migrate', where, '--out-of-order', 'apply')
    check('applied on demand', (0, 1, '%s\n%s\n%s' % (A, C, B)), (
        got.status, got.event('result')['applied'], rows(columns='name')))


# ---- at the same time

def at_once():
    where = new([A, B, C])
    for drizzles in (0, 2):
        if drizzles and not drizzle_home():
            continue
        three('u', [(h(A), MS + 123)])
        running = [start('migrate', '--json', '--url', server.url('u'),
                         '--dir', where) for _ in range(8)]
        others = [start_drizzle(1, server.url('u'), where)
                  for _ in range(drizzles)]
        got = [finish(r) for r in running]
        what = 'eight at once, %d of Drizzle: ' % drizzles
        for other in others:
            finish(other)   # may lose the race, as it does among its own
        check(what + 'all end well', [0] * 8, [g.status for g in got]) or \
            note(next(g for g in got if g.status).out[:500])
        check(what + 'the names', '%s\n%s\n%s' % (A, B, C),
              rows(columns='name'))
        if not drizzles:
            check(what + 'one does it', 1,
                  sum(g.err.count(UPGRADED) for g in got))


def waits():
    three('u', [(h(A), MS + 123)])
    where = new([A])
    holder = server.hold('u', 'BEGIN', 'LOCK TABLE %s IN SHARE MODE' % TABLE)
    got = run('migrate', where, '--lock-wait', '100ms')
    check('held: status', 4, got.status)
    running = start('migrate', '--url', server.url('u'), '--dir', where)
    check('held: waits', True, heard(running, 'waiting: '))
    holder.close()
    check('held: and then', (0, A), (finish(running).status,
                                     rows(columns='name')))


def old_shape_new_shape():
    """A row is never written without a name because the shape was another
    when it was read."""
    three('u', [(h(A), MS + 123)])
    where = journal(newdir('journal'), [
        ('0000_a', text(A), MS + 123), ('0001_b', text(B), MS + 1123)])
    done = []

    def hook(data):
        if b'pg_try_advisory_xact_lock' in data and not done:
            done.append(True)
            server.sql('u', 'ALTER TABLE %s ADD name text, ADD applied_at '
                       'timestamptz' % TABLE, "UPDATE %s SET name = '%s'" % (
                           TABLE, A))
    proxy = Proxy(server.port, hook)
    got = mizzle('migrate', '--dir', where, '--url', server.url('u').replace(
        ':%d/' % server.port, ':%d/' % proxy.port) + '?sslmode=disable')
    proxy.close()
    check('another shape: ends well', ([True], 0), (done, got.status))
    check('another shape: with a name', A + '\n' + B, rows(columns='name'))


# ---- one on the other's table

def old_one_on_the_new_table():
    """0.x writes no name there; 1.x would run that again."""
    if not drizzle_home():
        return
    server.fresh('u')
    where = new([A, B])
    check('1.x applies', 0, drizzle(1, server.url('u'), where).status)
    journal_of = journal(newdir('mixed'), [
        ('%04d_%s' % (i, t[15:]), text(t), MS + 1000 * i)
        for i, t in enumerate((A, B, C))])
    got = drizzle(0, server.url('u'), journal_of)
    check('0.x on the table of 1.x', (0, A + '\n' + B + '\n'), (
        got.status, rows(columns='name') + '\n'))
    where = new([A, B, C])
    got = run('status', where)
    check('status: all is applied', ['applied'] * 3, [
        e['state'] for e in got.events() if e['event'] == 'migration'])
    for command in 'verify', 'migrate':
        got = run(command, where)
        check(command + ': warns', (0, True), (
            got.status, '1 applied migration is not recorded under' in
            got.err))
    check('repaired', (0, 1), (lambda g: (
        g.status, g.event('result')['repaired']))(run('repair', where,
                                                      '--yes')))
    is_content('repaired', where)


def new_rows_of_whole_seconds():
    """A journal on a table that 1.x made: 0.x would run the last again."""
    server.fresh('u')
    check('1.x: applied', 0, run('migrate', new([A, B])).status)
    where = old(2)
    got = run('migrate', where)
    check('the journal: nothing runs again', (0, 0), (
        got.status, got.event('result')['applied']))
    check('the journal: repaired', (0, 2), (lambda g: (
        g.status, g.event('result')['repaired']))(run('repair', where,
                                                      '--yes')))
    if drizzle_home():
        before = server.history('u', '*')
        got = drizzle(0, server.url('u'), where)
        check('the journal: 0.x is content', (0, '', before), (
            got.status, got.err, server.history('u', '*')))


as_drizzle_does()
after_the_real_one()
odd_tables()
unmatched()
only_told()
without_rights()
out_of_order()
at_once()
waits()
old_shape_new_shape()
old_one_on_the_new_table()
new_rows_of_whole_seconds()
sys.exit(verdict())
