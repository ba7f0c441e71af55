# SPDX-License-Identifier: MIT
"""ping: what it says of a connection; and what failures say to change."""
import re
import socket
import struct
import sys

from harness import (Server, check, journal, mizzle, needs_program, newdir,
                     note, verdict)
from wire import SETTINGS, FakeServer, auth, error, key, parameter, ready

needs_program()
server = Server('autovacuum=off')
WHERE = journal(newdir('ping'), [('0000_a', 'CREATE TABLE a (n int);')])
KEYS = '''event server server_version_num host port address database user
read_only recovery tls authentication channel_binding pooler pooler_name
pooler_mode pooler_why pooler_around history_table history history_found
resolve_us dial_us tls_us login_us query_us total_us round_trips'''.split()


def facts(what, url, *args, status=0, **more):
    got = mizzle('ping', '--json', '--url', url, *args, **more)
    check(what + ': status', status, got.status) or note(str(got))
    return got.event('ping')


def lines(what, url, *args, **more):
    """{name: text} of what people read."""
    got = mizzle('ping', '--url', url, *args, **more)
    check(what + ': status', 0, got.status) or note(str(got))
    check(what + ': nothing wider than 100', [], [
        line for line in got.out.splitlines() if len(line) > 100])
    check(what + ': no control characters', None, re.search(
        '[\0-\x09\x0b-\x1f\x7f]', got.out))
    first = [line for line in got.out.splitlines() if line[0] != ' ' or
             line[2] != ' ']
    check(what + ': the values stand in one column', 1, len(
        {re.match(r' *\S+(?: \S+)* {2,}', line).end() for line in first}))
    return dict(re.split(' {2,}', line.strip(), maxsplit=1)
                for line in first)


def by_tcp():
    server.fresh('p')
    got = facts('TCP', server.url('p'))
    check('TCP: the keys', sorted(KEYS), sorted(got))
    version = server.version()
    check('TCP: the facts', {
        'server_version_num': version, 'host': '127.0.0.1',
        'port': server.port, 'address': '127.0.0.1:%d' % server.port,
        'database': 'p', 'user': 'tester', 'read_only': False,
        'recovery': False, 'tls': False, 'authentication': 'SCRAM-SHA-256',
        'channel_binding': False, 'pooler': False, 'pooler_name': None,
        'pooler_around': None, 'history': 'none yet', 'history_found': False,
        'history_table': 'drizzle.__drizzle_migrations'},
        {k: got.get(k) for k in (
            'server_version_num', 'host', 'port', 'address', 'database',
            'user', 'read_only', 'recovery', 'tls', 'authentication',
            'channel_binding', 'pooler', 'pooler_name', 'pooler_around',
            'history', 'history_found', 'history_table')})
    phases = [got[k] for k in ('resolve_us', 'dial_us', 'tls_us', 'login_us',
                               'query_us')]
    check('TCP: the phases add up', got['total_us'], sum(phases))
    check('TCP: some time was needed', True, got['login_us'] > 0 and
          got['query_us'] > 0 and got['tls_us'] >= 0)
    got = lines('TCP', server.url('p', query='?sslmode=disable'))
    check('TCP: in this order', 'server host database access encryption '
          'authentication pooler history time,round trips'.split(),
          ','.join(got).replace(',round', ';round').replace(',', ' ')
          .replace(';', ',').split())
    check('TCP: encryption', 'none (sslmode=disable)', got['encryption'])
    check('TCP: database', 'p, as tester', got['database'])
    check('TCP: no pooler', re.compile('^none'), got['pooler'])
    check('TCP: time', re.compile(
        r'^[0-9.]+ ms \(.*login [0-9.]+, query [0-9.]+\)$'), got['time'])
    got = lines('prefer', server.url('p'))
    check('prefer: encryption', 'none (sslmode=prefer, and the server has no '
          'TLS)', got['encryption'])


def by_socket():
    got = lines('socket', server.socket('p'))
    check('socket: encryption', 'none (a Unix socket)', got['encryption'])
    check('socket: where', '%s/.s.PGSQL.%d' % (server.dir, server.port),
          got['host'])
    check('socket: authentication', 'none: the server did not ask',
          got['authentication'])


def histories():
    check('a history: migrate', 0, mizzle(
        'migrate', '--dir', WHERE, '--url', server.url('p')).status)
    got = facts('a history', server.url('p'))
    check('a history: found', (True, 1, '3 columns (Drizzle 0.x)'), (
        got['history_found'], got['applied'], got['history']))
    got = lines('a history', server.url('p'))
    check('a history: for people', 'drizzle.__drizzle_migrations: 1 applied, '
          '3 columns (Drizzle 0.x)', got['history'])
    server.sql('postgres', "CREATE ROLE nobody LOGIN PASSWORD '%s'"
               % server.password)
    for where in 'p', 'postgres':
        got = facts('no rights in ' + where, server.url(where, 'nobody'))
    got = facts('no right to read it', server.url('p', 'nobody'))
    check('no right to read it: says so', re.compile(
        'nobody may not read the history'), got['history'])
    check('no right to read it: no number', None, got.get('applied'))
    server.sql('p', 'CREATE TABLE public.no_history (n int); '
               'GRANT SELECT ON public.no_history TO tester')
    got = facts('no history at all', server.url('p'), '--schema', 'public',
                '--table', 'no_history')
    check('no history at all: says so', re.compile('not a history'),
          got['history'])
    server.sql('postgres', 'ALTER ROLE nobody SET '
               'default_transaction_read_only = on')
    got = facts('read only', server.url('p', 'nobody'))
    check('read only: says so', (True, False), (got['read_only'],
                                                got['recovery']))
    got = lines('read only', server.url('p', 'nobody'))
    check('read only: for people', re.compile('^read only'), got['access'])


# ---- what stands in between

def relay(change, trust='tester'):
    """A server that passes all on, but for what change does to messages."""
    def script(peer):
        code, words = peer.startup()
        real = socket.create_connection(('127.0.0.1', server.port))
        body = b''.join(k + b'\0' + v + b'\0' for k, v in words.items()
                        if k) + b'\0'
        real.sendall(struct.pack('>II', len(body) + 8, code) + body)
        stream = real.makefile('rb')

        def until_ready():
            while True:
                tag = stream.read(1)
                length, = struct.unpack('>I', stream.read(4))
                rest = stream.read(length - 4)
                peer.send(change(tag, rest))
                if tag == b'Z':
                    return
        until_ready()
        while True:
            tag, body = peer.message()
            real.sendall(tag.encode() + struct.pack('>I', len(body) + 4)
                         + body)
            if tag == 'X':
                return
            until_ready()
    server.hba('host all %s 127.0.0.1/32 trust' % trust,
               'host all all 127.0.0.1/32 scram-sha-256',
               'local all all trust')
    return FakeServer(script)


def plain(tag, rest):
    return tag + struct.pack('>I', len(rest) + 4) + rest


def other_key(tag, rest):
    return key() if tag == b'K' else plain(tag, rest)


def no_key(tag, rest):
    return b'' if tag == b'K' else plain(tag, rest)


def at(fake, host='', query='', db='p'):
    """host is a name of which we know the address without asking."""
    return 'postgresql://tester@%s/%s?sslmode=disable&hostaddr=127.0.0.1&' \
        'port=%d%s' % (host, db, fake.port, query)


def poolers():
    direct, pooled, proxied = relay(plain), relay(other_key), relay(no_key)
    got = facts('the server itself', at(direct, 'db.example.org'))
    check('the server itself: no pooler', False, got['pooler'])
    got = facts('by its name alone', at(
        direct, 'ep-a-1-pooler.eu.aws.neon.tech'))
    check('by its name alone: the server knows better', (False, None),
          (got['pooler'], got['pooler_name']))
    got = facts('another process', at(pooled, 'db.example.org'))
    check('another process: something is there', (True, None, None),
          (got['pooler'], got['pooler_name'], got['pooler_mode']))
    check('another process: why', re.compile(
        '^process 4711 greeted us, process [0-9]+ answers$'),
        got['pooler_why'])
    got = facts('no key', at(proxied, 'db.proxy-x.eu-west-1.rds.amazonaws.com'
                             ))
    check('no key: RDS Proxy', (True, 'RDS Proxy', 'proxy'), (
        got['pooler'], got['pooler_name'], got['pooler_mode']))
    got = facts('Neon', at(pooled, 'ep-a-1-pooler.eu.aws.neon.tech'))
    check('Neon: its pooler, and around it', (
        "Neon's pooler", 'transaction', 'ep-a-1.eu.aws.neon.tech'), (
            got['pooler_name'], got['pooler_mode'], got['pooler_around']))
    got = lines('Neon', at(pooled, 'ep-a-1-pooler.eu.aws.neon.tech'))
    check('Neon: for people', ("Neon's pooler, transaction mode",
                               'ep-a-1.eu.aws.neon.tech'),
          (got['pooler'].split(' (')[0], got['around it']))

    for db, where, says in (
            ('m1', at(pooled, 'ep-a-1-pooler.eu.aws.neon.tech', db='m1'),
             "goes through Neon's pooler, .*transaction mode.*"
             r'without it: ep-a-1\.eu\.aws\.neon\.tech'),
            ('m2', at(pooled, 'db', '&pgbouncer=true', db='m2'),
             'goes through PgBouncer'),
            ('m3', at(pooled, 'ep-a-1.eu.aws.neon.tech', db='m3'), None),
            ('m4', at(direct, 'db', '&pgbouncer=true', db='m4'), None)):
        server.fresh(db)
        got = mizzle('migrate', '--dir', WHERE, '--url', where)
        check('migrate to %s: works' % db, 0, got.status) or note(str(got))
        told = re.search('(?m)^note: this goes.*$', got.err)
        check('migrate to %s: says what is in between' % db, True,
              bool(told) == bool(says) and
              (not says or bool(re.search(says, told.group()))))
        got = mizzle('migrate', '--dir', WHERE, '--url', where)
        check('migrate to %s: once is enough' % db, None, re.search(
            'this goes', got.err))
    for fake in direct, pooled, proxied:
        check('nothing went wrong in between', None, fake.problem)


# ---- failures

def refuse(*what):
    def script(peer):
        peer.startup()
        peer.send(*what)
        peer.until_closed()
    return FakeServer(script)


def hints():
    """(host, query, what the server says, what the hint says)"""
    rows = (
        ('aws-0-eu.pooler.supabase.com', '', error(
            'XX000', 'Tenant or user not found', 'FATAL'), 'USER.PROJECT'),
        ('h', '&options=endpoint%3Dep-x', error(
            '42601', 'invalid command-line argument for server process: '
            'endpoint=ep-x', 'FATAL'), 'meant for a proxy'),
        ('h', '&options=-c%20x.y%3Dz', error(
            '08P01', 'unsupported startup parameter: options', 'FATAL'),
         'PGOPTIONS'),
        ('x.proxy-y.eu-west-1.rds.amazonaws.com', '&options=-c%20x.y%3Dz',
         error('0A000', "Feature not supported: RDS Proxy currently doesn't "
               'support command-line options.', 'FATAL'), 'RDS Proxy takes'),
        ('h', '', error('28000', 'no pg_hba.conf entry for host "1.2.3.4", '
                        'user "u", database "d", no encryption', 'FATAL'),
         'sslmode=require'),
        ('ep-a-1-pooler.eu.aws.neon.tech', '', error(
            'XX000', 'The endpoint ID is not specified.', 'FATAL'),
         'options=endpoint%3Dep-a-1 to'),
        ('shop.postgres.database.azure.com', '&user=u%40shop', error(
            '28P01', 'password authentication failed for user "u@shop"',
            'FATAL'), 'bare user name'),
    )
    for host, query, what, hint in rows:
        fake = refuse(what)
        got = mizzle('ping', '--url', at(fake, host, query))
        what = 'hint: ' + hint
        check(what + ': status', 3, got.status)
        check(what, True, 'hint: ' in got.err and hint in got.err) or \
            note(got.err)
        check(what + ': two lines', 2, len(got.err.splitlines()))
        fake.close()
    # an address for examples: nobody has it
    for host, hint in (
            ('postgres.railway.internal', "Railway's private network"),
            ('db.abcdef.supabase.co', 'port 5432, user u.abcdef')):
        where = 'postgresql://u@%s/d?connect_timeout=2&' % host
        got = mizzle('ping', '--url', where + 'hostaddr=2001:db8::1')
        check('hint: no way to ' + host, True, hint in got.err) or \
            note(got.err)
        got = mizzle('ping', '--url', where + 'hostaddr=127.0.0.1&port=1')
        check('hint: who refuses was reached: ' + host, False,
              hint in got.err)


def refusals():
    settings = SETTINGS.replace(parameter('server_version', '15.5'),
                                parameter('server_version', '1.18.0/bouncer'))

    def console(peer):
        peer.startup()
        peer.send(auth(0), settings, key(), ready())
        peer.until_closed()
    fake = FakeServer(console)
    for command in 'ping', 'migrate', 'status':
        where = () if command == 'ping' else ('--dir', WHERE)
        got = mizzle(command, *where, '--url', at(fake))
        check('the console of PgBouncer: %s is refused' % command, 9,
              got.status) or note(str(got))
        check('the console of PgBouncer: %s says so' % command, re.compile(
            'console of PgBouncer'), got.err)
    fake.close()
    server.fresh('s')
    asked = []

    def statements(tag, rest):
        return plain(tag, rest)

    def script_of(fake):
        inner = fake.script

        def script(peer):
            send = peer.message

            def message():
                tag, body = send()
                if tag == 'Q' and body.startswith(b'BEGIN'):
                    asked.append(body)
                    peer.send(error(
                        '08P01', 'transaction blocks not allowed in '
                        'statement pooling mode', 'FATAL'))
                    peer.close()
                return tag, body
            peer.message = message
            inner(peer)
        return script
    fake = relay(statements)
    fake.script = script_of(fake)
    got = mizzle('migrate', '--dir', WHERE, '--url', at(fake, db='s'))
    check('statement pooling: it came to that', 1, len(asked))
    check('statement pooling: is refused', 9, got.status) or note(str(got))
    check('statement pooling: says so', re.compile('statement mode'), got.err)
    fake.close()
    got = mizzle('migrate', '--dir', WHERE, '--url', at(
        relay(plain), 'abc.dsql.us-east-1.on.aws'))
    check('Aurora DSQL: is refused', 9, got.status)
    check('Aurora DSQL: says so', re.compile('Aurora DSQL is not supported'),
          got.err)


def readers():
    server.fresh('r')
    server.sql('postgres', 'ALTER DATABASE r SET '
               'default_transaction_read_only = on')
    fake = relay(plain)
    for host, says in (('a.cluster-ro-b.eu-west-1.rds.amazonaws.com',
                        r"Aurora's readers take no changes; the writer is "
                        r'a\.cluster-b\.eu-west-1\.rds'),
                       ('db.example.org', 'connect to the primary')):
        got = mizzle('migrate', '--dir', WHERE, '--url', at(fake, host,
                                                            db='r'))
        check('read only: %s: refused' % host, 9, got.status)
        check('read only: %s: where to go' % host, re.compile(says), got.err)


by_tcp()
by_socket()
histories()
poolers()
hints()
refusals()
readers()
sys.exit(verdict())
