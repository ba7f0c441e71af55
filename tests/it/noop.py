# SPDX-License-Identifier: MIT
"""Nothing to do: one question after login, few rights, no locks; and which
rights a first run needs."""
import re
import socket
import sys
import time

from harness import (Server, check, finish, folders, heard, journal, mizzle,
                     needs_program, newdir, note, start, verdict, wait_for,
                     workdir)
from wire import Proxy, frontend

needs_program()
server = Server('autovacuum=off')
proxy = Proxy(server.port)
WHERE = journal(newdir('noop'), [('0000_a', 'CREATE TABLE a (id int);'),
                                 ('0001_b', 'CREATE TABLE b (id int);')])
NEW = folders(newdir('noop5'), [('20240101000000_a',
                                 'CREATE TABLE a (id int);')])
THREE = ('CREATE SCHEMA drizzle', 'CREATE TABLE drizzle.__drizzle_migrations '
         '(id serial PRIMARY KEY, hash text NOT NULL, created_at bigint)')


def through_proxy(db, user='tester'):
    return server.url(db, user).replace(':%d/' % server.port,
                                        ':%d/' % proxy.port) \
        + '?sslmode=disable'


def one_question(what, where):
    del proxy.sessions[:]
    trace = workdir() + '/trace'
    got = mizzle('migrate', '--json', '--url', through_proxy('n'), '--dir',
                 where, '--trace', trace)
    check(what + ': nothing to do', (0, 0),
          (got.status, got.event('result').get('applied')))
    check(what + ': one connection', 1, len(proxy.sessions))
    wait_for(lambda: proxy.sessions[0]['front'].endswith(b'X\0\0\0\4'))
    sent = frontend(proxy.sessions[0]['front'])
    check(what + ': what was sent', ['', 'p', 'p', 'Q', 'X'],
          [tag for tag, _ in sent])
    check(what + ': the trace has it too', 1, len(re.findall(
        r'(?im)^.*\bquery\b', open(trace).read())))
    question = re.sub("'[^']*'", '', dict(sent).get('Q', b'').decode())
    check(what + ': it is no more than a question', None, re.search(
        r'(?i)\b(create|lock|insert|update|delete|alter|advisory)\b',
        question))
    check(what + ': no secret in the trace', None, re.search(
        'p@ss|' + re.escape(server.password), open(trace).read()))
    check(what + ': four round trips (plain, SCRAM), and the farewell', 5,
          proxy.sessions[0]['turns'])
    check(what + ': with that of TCP it says five', 5,
          got.event('result').get('round_trips'))


def few_rights():
    server.sql('postgres', "CREATE ROLE weak LOGIN PASSWORD '%s'"
               % server.password)
    server.sql('n', 'GRANT USAGE ON SCHEMA drizzle TO weak',
               'GRANT SELECT ON drizzle.__drizzle_migrations TO weak')
    before = server.dump('n')
    for command in 'migrate', 'status', 'verify':
        got = mizzle(command, '--url', server.url('n', 'weak'), '--dir',
                     WHERE)
        check('SELECT is enough: ' + command, 0, got.status) or \
            note(str(got))
    check('nothing was created', before, server.dump('n'))
    xid = server.sql('postgres',
                     'SELECT pg_snapshot_xmax(pg_current_snapshot())')
    mizzle('migrate', '--url', server.url('n', 'weak'), '--dir', WHERE)
    check('no transaction wrote', xid, server.sql(
        'postgres', 'SELECT pg_snapshot_xmax(pg_current_snapshot())'))


def no_locks():
    """Strong locks of others do not disturb a run that has nothing to do."""
    for what, lock in (
            ('an application writes', 'LOCK TABLE drizzle.'
             '__drizzle_migrations IN SHARE ROW EXCLUSIVE MODE'),
            ('rows are locked', 'SELECT FROM drizzle.__drizzle_migrations '
             'FOR UPDATE')):
        holder = server.hold('n', 'BEGIN', lock)
        began = time.monotonic()
        got = mizzle('migrate', '--url', server.url('n'), '--dir', WHERE)
        check(what + ': not disturbed', (0, True),
              (got.status, time.monotonic() - began < 20))
        holder.close()

    # a migrator of any kind at work: readers say so and do not hang
    holder = server.hold('n', 'BEGIN', 'LOCK TABLE drizzle.'
                         '__drizzle_migrations IN ACCESS EXCLUSIVE MODE')
    for command in 'status', 'verify', 'plan':
        got = mizzle(command, '--url', server.url('n'), '--dir', WHERE)
        check('%s while someone migrates: does not hang' % command, True,
              got.status != 'timeout')
        check('%s while someone migrates: says so' % command, re.compile(
            'migrat|lock', re.IGNORECASE), got.err)
    got = mizzle('migrate', '--url', server.url('n'), '--dir', WHERE,
                 '--lock-wait', '1s')
    check('migrate waits as long as it may', 4, got.status)
    check('and says for what', re.compile('migrat|lock', re.IGNORECASE),
          got.err)
    got = mizzle('migrate', '--json', '--url', server.url('n'), '--dir',
                 WHERE, '--lock-wait', '0')
    check('or not at all', (4, 'locked'),
          (got.status, got.event('error').get('code')))
    waiting = start('migrate', '--url', server.url('n'), '--dir', WHERE)
    check('it waits', True, heard(waiting, 'waiting: '))
    check('it is still waiting', None, waiting.poll())
    holder.close()
    got = finish(waiting)
    check('it goes on when the lock is gone', 0, got.status)


def first_run():
    """What a role must be allowed to do, and what not."""
    server.sql('postgres', 'DROP DATABASE n WITH (FORCE)', 'DROP ROLE weak',
               "CREATE ROLE weak LOGIN PASSWORD '%s'" % server.password)
    server.fresh('n', 'postgres')
    server.sql('n', 'GRANT CREATE ON DATABASE n TO weak',
               'GRANT CREATE ON SCHEMA public TO weak')
    got = mizzle('migrate', '--url', server.url('n', 'weak'), '--dir', WHERE)
    check('CREATE on the database is enough', 0, got.status) or note(str(got))

    for schema in 'drizzle', 'public':
        server.sql('postgres', 'DROP DATABASE n WITH (FORCE)')
        server.fresh('n', 'postgres')
        server.sql('n', 'GRANT CREATE ON SCHEMA public TO weak')
        if schema == 'drizzle':
            server.sql('n', 'CREATE SCHEMA drizzle AUTHORIZATION weak')
        for want in 2, 0:
            got = mizzle('migrate', '--json', '--url',
                         server.url('n', 'weak'), '--dir', WHERE, '--schema',
                         schema)
            check('no CREATE on the database, schema %s is there' % schema,
                  (0, want), (got.status, got.event('result').get('applied'))
                  ) or note(str(got))
    # everything was made by someone else
    server.sql('postgres', 'DROP DATABASE n WITH (FORCE)')
    server.fresh('n', 'postgres')
    server.sql('n', 'GRANT CREATE ON SCHEMA public TO weak', *THREE,
               'GRANT USAGE ON SCHEMA drizzle TO weak',
               'GRANT ALL ON drizzle.__drizzle_migrations TO weak',
               'GRANT ALL ON SEQUENCE drizzle.__drizzle_migrations_id_seq '
               'TO weak')
    got = mizzle('migrate', '--url', server.url('n', 'weak'), '--dir', WHERE)
    check('the table is there and belongs to another', 0, got.status) or \
        note(str(got))


def pending_is_told_apart():
    """One migration: few round trips as well."""
    server.fresh('n')
    del proxy.sessions[:]
    got = mizzle('migrate', '--json', '--url', through_proxy('n'), '--dir',
                 WHERE)
    check('a first run', 0, got.status)
    note('a first run of two migrations: %s turns, %s round_trips' % (
        sum(s['turns'] for s in proxy.sessions),
        got.event('result').get('round_trips')))


for where in WHERE, NEW:
    server.fresh('n')
    mizzle('migrate', '--url', server.url('n'), '--dir', where)
    one_question('nothing to do in %s columns' % (3 if where == WHERE else 5),
                 where)
server.fresh('n')
mizzle('migrate', '--url', server.url('n'), '--dir', WHERE)
few_rights()
no_locks()
first_run()
pending_is_told_apart()
proxy.close()
sys.exit(verdict())
