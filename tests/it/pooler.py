# SPDX-License-Identifier: MIT
"""Through PgBouncer, in the modes that people have."""
import os
import re
import signal
import sys

from bouncer import PgBouncer, there, version
from harness import (SRCDIR, check, finish, folders, heard, journal, mizzle,
                     needs_program, newdir, note, skip, start,
                     verdict, wait_for, write)
from session import Session
from tlsworld import SECRET, TlsServer, certs, home

needs_program()
if not there():
    skip('no PgBouncer here')
server = TlsServer(roles=('app',), hba=(
    'hostssl all app 127.0.0.1/32 scram-sha-256',))
FULL = dict(sslmode='verify-full', sslrootcert=certs('root.crt'))
REAL = os.path.join(SRCDIR, 'drizzle')
note('PgBouncer ' + version())


def words(pool, db, **more):
    return server.words(**{**dict(port=pool.port, user='app', dbname=db,
                                  password=SECRET, **FULL), **more})


def go(pool, command, db, *args, folder=REAL, **more):
    return mizzle(command, '--json', '--url', words(pool, db, **more),
                  *(['--dir', folder] if command != 'ping' else []), *args,
                  env={'HOME': home()})


def applied(got):
    return got.status, got.event('result').get('applied')


def works(pool, mode):
    db = server.fresh('p_' + mode, 'app')
    got = go(pool, 'ping', db)
    check(mode + ': ping', 0, got.status) or note(str(got)[:400])
    check(mode + ': it says what is between', re.compile(
        r'"pooler":(true|"[^"]*PgBouncer|\{)', re.I), got.out) or note(
        got.out)
    got = go(pool, 'status', db)
    check(mode + ': status before the first run', (0, 8), (
        got.status, got.event('result').get('pending'))) or note(
        str(got)[:400])
    got = go(pool, 'migrate', db)
    check(mode + ': all of drizzle/', (0, 8), applied(got)) or note(
        str(got)[:400])
    got = go(pool, 'migrate', db)
    check(mode + ': nothing is left to do', (0, 0), applied(got))
    check(mode + ': verify', 0, go(pool, 'verify', db).status)
    check(mode + ': the history is complete', '8', server.sql(
        db, 'SELECT count(*) FROM drizzle.__drizzle_migrations'))


def history_commands(pool, mode):
    """What changes the history itself goes through it as well."""
    db = server.fresh('h_' + mode, 'app')
    texts = [('a', 'CREATE TABLE a (id int);'), ('b', 'CREATE TABLE b ();')]
    old = journal(newdir('old-' + mode), [
        ('000%d_%s' % (i, n), s) for i, (n, s) in enumerate(texts)],
        start=1704067200123)
    new = folders(newdir('new-' + mode), [
        ('2024010100000%d_%s' % (i, n), s) for i, (n, s) in enumerate(texts)])
    for i, (n, _) in enumerate(texts):
        write(os.path.join(new, '2024010100000%d_%s' % (i, n), 'down.sql'),
              'SET search_path = nowhere; DROP TABLE public.' + n)
    check(mode + ': an old history', (0, 2),
          applied(go(pool, 'migrate', db, folder=old)))
    got = go(pool, 'migrate', db, folder=new)
    check(mode + ': is upgraded', (0, True), (
        got.status, 'was upgraded from the 3 columns' in got.err))
    server.sql(db, 'UPDATE drizzle.__drizzle_migrations SET name = NULL')
    got = go(pool, 'repair', db, '--yes', folder=new)
    check(mode + ': repaired', (0, 2), (
        got.status, got.event('result').get('repaired')))
    got = go(pool, 'rollback', db, '--steps', '2', folder=new)
    check(mode + ': rolled back', (0, 2), (
        got.status, got.event('result').get('rolled_back'))) or note(
        str(got)[:400])
    check(mode + ': nothing is left', '||0', server.sql(
        db, "SELECT to_regclass('a'), to_regclass('b'), (SELECT count(*) "
        'FROM drizzle.__drizzle_migrations)'))


def many(pool, mode):
    """Migrators at once: each migration once, whoever shares a backend."""
    db = server.fresh('m_' + mode, 'app')
    folder = folders(newdir('many-' + mode), [
        ('2024010100000%d_m' % i, 'CREATE TABLE IF NOT EXISTS t (n int);'
         'INSERT INTO t VALUES (%d); SELECT pg_sleep(0.05);' % i)
        for i in range(4)])
    running = [start('migrate', '--json', '--dir', folder, '--url', words(
        pool, db), env={'HOME': home()}) for _ in range(4)]
    done = [finish(p) for p in running]
    check(mode + ': four at once', [0] * 4, [g.status for g in done]) or \
        note('\n'.join(str(g)[:400] for g in done if g.status))
    check(mode + ': each migration once', '0,1,2,3', server.sql(
        db, "SELECT string_agg(n::text, ',' ORDER BY n) FROM t"))


def steps(pool, mode):
    """An index is built CONCURRENTLY while five others wait for the lock."""
    db = server.fresh('i_' + mode, 'app')
    folder = journal(newdir('steps-' + mode), [
        ('0000_t', 'CREATE TABLE t (n int); CREATE TABLE u (n int);'),
        ('0001_i', 'INSERT INTO u VALUES (1); CREATE INDEX CONCURRENTLY i '
         'ON t (n); INSERT INTO u VALUES (2);')])
    check(mode + ': the first', 0,
          go(pool, 'migrate', db, '--to', '0000_t', folder=folder).status)
    lock = Session(server, db, 'BEGIN', 'LOCK TABLE t')
    running = [start('migrate', '--json', '--dir', folder, '--url',
                     words(pool, db), env={'HOME': home()})]
    check(mode + ': it waits for the table', True, wait_for(
        lambda: server.sql(db, "SELECT count(*) FROM pg_locks WHERE NOT "
                           "granted AND relation = 't'::regclass") == '1'))
    running += [start('migrate', '--json', '--dir', folder, '--url',
                      words(pool, db), env={'HOME': home()})
                for _ in range(5)]
    for other in running[1:]:
        check(mode + ': the others wait', True, heard(other, 'waiting: '))
    lock.close()
    done = [finish(p) for p in running]
    check(mode + ': all end well', [0] * 6, [g.status for g in done]) or \
        note('\n'.join(str(g)[:400] for g in done if g.status))
    check(mode + ': once, and the index is valid', '1,2|t|2', server.sql(
        db, "SELECT (SELECT string_agg(n::text, ',') FROM u), indisvalid, "
        '(SELECT count(*) FROM drizzle.__drizzle_migrations) FROM pg_index '
        "WHERE indrelid = 't'::regclass"))


def one_connection():
    """The lock needs a second one: told soon, and nothing is half done."""
    pool = PgBouncer(server, [('app', SECRET)], pool_mode='transaction',
                     default_pool_size=1)
    db = server.fresh('one', 'app')
    folder = journal(newdir('one'), [
        ('0000_t', 'CREATE TABLE t (n int); COMMIT; VACUUM t;')])
    got = go(pool, 'migrate', db, folder=folder, connect_timeout=3)
    check('a pool of one: told', (3, True), (
        got.status, 'in time' in got.err)) or note(str(got))
    check('a pool of one: nothing was run', '', server.sql(
        db, "SELECT to_regclass('public.t')"))


def rows(pool, mode):
    """COPY with its rows, also when the server stops listening early."""
    db = server.fresh('r_' + mode, 'app')
    many = ''.join('%d\t%s\n' % (i, 'x' * 100) for i in range(100000))
    good = 'CREATE TABLE r (i int, t text);\nCOPY r FROM STDIN;\n%s\\.\n'
    folder = journal(newdir('rows-' + mode), [('0000_r', good % many)])
    bad = journal(newdir('bad-' + mode), [('0000_r', good % ('x\n' + many))])
    for i in range(3):
        got = go(pool, 'migrate', db, folder=bad)
        check(mode + ': a bad row', (1, '22P02', 3), (
            got.status, got.event('error').get('sqlstate'),
            got.event('error').get('line'))) or note(str(got)[:400])
    got = go(pool, 'migrate', db, folder=folder)
    check(mode + ': rows', (0, 1), applied(got)) or note(str(got)[:400])
    check(mode + ': all of them', '100000', server.sql(
        db, 'SELECT count(*) FROM r'))


def cancel(pool, mode):
    db = server.fresh('s_' + mode, 'app')
    folder = journal(newdir('sleep-' + mode), [
        ('0000_s', 'CREATE TABLE s (n int); SELECT pg_sleep(60);')])
    process = start('migrate', '--dir', folder, '--url', words(pool, db),
                    env={'HOME': home()})
    check(mode + ': it sleeps', True, wait_for(
        lambda: server.sleeping(db) == '1'))
    process.send_signal(signal.SIGTERM)
    got = finish(process)
    check(mode + ': SIGTERM', 128 + signal.SIGTERM, got.status) or note(
        str(got))
    check(mode + ': nobody sleeps on', True, wait_for(
        lambda: server.sleeping(db) == '0'))
    check(mode + ': nothing was kept', '', server.sql(
        db, "SELECT to_regclass('public.s')"))


def refused(pool, mode):
    got = go(pool, 'ping', 'p_' + mode, channel_binding='require')
    check(mode + ': it does not offer channel binding', 3, got.status)
    check(mode + ': and that is said', re.compile('channel.binding', re.I),
          got.err + got.out)
    got = go(pool, 'ping', 'p_' + mode, sslmode='disable')
    check(mode + ': it wants TLS', 3, got.status)
    got = go(pool, 'ping', 'p_' + mode, options='-c search_path=x')
    check(mode + ': options: it does not take them', 3, got.status)
    check(mode + ': options: the hint says what to do', re.compile(
        'pooler|PgBouncer|direct', re.I), got.err + got.out) or note(
        str(got))
    got = go(pool, 'migrate', 'pgbouncer')
    check(mode + ': its own database is no place for migrations', True,
          got.status in (3, 9)) or note(str(got)[:400])
    got = go(pool, 'ping', 'p_' + mode, password='wrong')
    check(mode + ': the wrong password', 3, got.status)


pools = {mode: PgBouncer(server, [('app', SECRET)], pool_mode=mode,
                         default_pool_size=12 if mode == 'session' else 4)
         for mode in ('session', 'transaction', 'statement')}
for name in 'session', 'transaction':
    works(pools[name], name)
    history_commands(pools[name], name)
    many(pools[name], name)
    steps(pools[name], name)
    rows(pools[name], name)
    cancel(pools[name], name)
    refused(pools[name], name)
one_connection()
server.fresh('p_statement', 'app')
result = go(pools['statement'], 'migrate', 'p_statement')
check('statement mode cannot be used', True, result.status in (1, 3, 9)) or \
    note(str(result)[:400])
check('statement mode: the message names it', re.compile(
    'statement.(pooling|mode)', re.I), result.out + result.err) or note(
    str(result))
sys.exit(verdict())
