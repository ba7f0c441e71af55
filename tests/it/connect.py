# SPDX-License-Identifier: MIT
"""Ways to say where the database is, and ways to be let in."""
import csv
import os
import re
import subprocess
import sys
import time

from harness import (Server, WHEN, check, finish, heard, journal, mizzle,
                     needs_program, newdir, note, shared, start, verdict,
                     wait_for, workdir, write)

needs_program()
server = Server('autovacuum=off')
SECRET = 'tops3cret pw'
WHERE = journal(newdir('connect'), [('0000_a', 'CREATE TABLE a (id int);')])
TRACE = os.path.join(workdir(), 'trace')
HOME = newdir('home')


def quoted(text):
    return ''.join(c if c.isalnum() else '%%%02X' % ord(c) for c in text)


def where(user='scram', password=None, query='', db='c'):
    return 'postgresql://%s%s@127.0.0.1:%d/%s%s' % (
        user, '' if password is None else ':' + quoted(password),
        server.port, db, query)


def go(*args, env=None, cwd=None, **more):
    """status; looks for the password in everything that comes out."""
    trace = os.path.join(workdir(), 'trace')
    if os.path.exists(trace):
        os.unlink(trace)
    got = mizzle('status', '--trace', trace, *args,
                 env={'HOME': HOME, **(env or {})}, cwd=cwd, **more)
    told = got.out + got.err
    if os.path.exists(trace):
        with open(trace, 'rb') as f:
            told += f.read().decode('utf-8', 'replace')
    if SECRET in told or quoted(SECRET) in told:
        check('no password in any output: %s' % (args,), '', told)
    return got


def good(what, *args, **more):
    got = go(*args, '--dir', WHERE, **more)
    check(what, 0, got.status) or note(str(got)[:400])
    return got


def bad(what, pattern, *args, status=3, **more):
    got = go(*args, '--dir', WHERE, **more)
    check(what + ': status', status, got.status) or note(str(got)[:400])
    check(what + ': says it', re.compile(pattern, re.IGNORECASE), got.err)
    check(what + ': in one line', 1, len(
        [l for l in got.err.splitlines() if l.startswith('error: ')]))


def roles():
    server.sql('postgres', *(
        "SET password_encryption = '%s'; CREATE ROLE %s LOGIN PASSWORD '%s'"
        % (how, name, SECRET) for name, how in (
            ('scram', 'scram-sha-256'), ('md5role', 'md5'),
            ('clear', 'scram-sha-256'))),
        'CREATE ROLE trusted LOGIN', 'CREATE ROLE "o\'dd @/:?#[]é" LOGIN '
        "PASSWORD '%s'" % SECRET, "CREATE ROLE pooled LOGIN PASSWORD '%s'"
        % SECRET)
    server.fresh('c')
    server.fresh('odd /?#:@é')
    server.hba('host all trusted 127.0.0.1/32 trust',
               'host all md5role 127.0.0.1/32 md5',
               'host all clear 127.0.0.1/32 password',
               'host all all 127.0.0.1/32 scram-sha-256',
               'local all trusted trust', 'local all all scram-sha-256')


def methods():
    for user in 'scram', 'md5role', 'clear':
        good('%s by TCP' % user, '--url', where(user, SECRET))
        bad('%s by TCP, wrong password' % user, '28P01|password', '--url',
            where(user, 'wrong'))
        bad('%s by TCP, no password' % user, 'password', '--url',
            where(user))
    good('trust by TCP', '--url', where('trusted'))
    good('trust by the socket', '--url', server.socket('c', 'trusted'))
    good('SCRAM by the socket', '--url', server.socket('c', 'scram'),
         env={'PGPASSWORD': SECRET})
    good('a name of odd characters', '--url', where(
        'o%27dd%20%40%2F%3A%3F%23%5B%5D%C3%A9', SECRET))
    good('a database of odd characters', '--url', where(
        'scram', SECRET, db='odd%20%2F%3F%23%3A%40%C3%A9'))
    good('localhost', '--url', where('scram', SECRET).replace(
        '127.0.0.1', 'localhost'))
    good('two hosts, the first is dead', '--url', where(
        'scram', SECRET).replace('@127.0.0.1:%d' % server.port,
                                 '@127.0.0.1:1,127.0.0.1:%d' % server.port))
    good('keywords and values', '--url', "host=127.0.0.1 port=%d dbname=c "
         "user=scram password='%s'" % (server.port, SECRET))
    bad('SCRAM is asked for, MD5 offered', 'require_auth|md5', '--url',
        where('md5role', SECRET, '?require_auth=scram-sha-256'))
    bad('channel binding without TLS', 'channel.binding', '--url',
        where('scram', SECRET, '?channel_binding=require&sslmode=disable'),
        status=2)
    good('settings in the URL', '--url', where(
        'scram', SECRET, '?application_name=x%20y&options=-c%20'
        'search_path%3Dfoo&connect_timeout=5'))


def files_and_variables():
    pg = {'PGHOST': '127.0.0.1', 'PGPORT': str(server.port),
          'PGUSER': 'scram', 'PGDATABASE': 'c'}
    good('PG* with PGPASSWORD', env={**pg, 'PGPASSWORD': SECRET})
    good('DATABASE_URL', env={'DATABASE_URL': where('scram', SECRET)})
    good('--url wins over DATABASE_URL', '--url', where('scram', SECRET),
         env={'DATABASE_URL': 'postgresql://x@127.0.0.1:1/x'})
    good('DATABASE_URL wins over PG*', env={
        **pg, 'PGPORT': '1', 'DATABASE_URL': where('scram', SECRET)})
    good('PG* complete a URL', '--url', 'postgresql://127.0.0.1/',
         env={**pg, 'PGPASSWORD': SECRET})

    pgpass = write(HOME + '/.pgpass', '# mine\n127.0.0.1:%d:c:scram:%s\n' % (
        server.port, SECRET.replace('\\', '\\\\').replace(':', '\\:')))
    os.chmod(pgpass, 0o600)
    good('.pgpass', '--url', where())
    good('.pgpass with PG*', env=pg)
    os.chmod(pgpass, 0o644)
    bad('.pgpass that others may read', 'password', '--url', where())
    check('.pgpass that others may read: is told', re.compile(
        'pgpass'), go('--url', where(), '--dir', WHERE).err)
    os.unlink(pgpass)
    other = write(workdir() + '/passwords', '*:*:*:scram:%s\n' % SECRET)
    os.chmod(other, 0o600)
    good('PGPASSFILE', '--url', where(), env={'PGPASSFILE': other})
    good('passfile in the URL', '--url', where(query='?passfile=' +
                                               quoted(other)))

    service = write(workdir() + '/service', '[mine]\nhost=127.0.0.1\n'
                    'port=%d\ndbname=c\nuser=scram\npassword=%s\n'
                    % (server.port, SECRET))
    good('PGSERVICE', env={'PGSERVICEFILE': service, 'PGSERVICE': 'mine'})
    good('service in the URL', '--url', 'postgresql:///?service=mine',
         env={'PGSERVICEFILE': service})
    bad('a service that is not there', 'other', '--url',
        'postgresql:///?service=other', env={'PGSERVICEFILE': service},
        status=2)

    for what, text in (('', where('scram', SECRET)),
                       (' with a newline', where('scram', SECRET) + '\n'),
                       (' with CRLF', where('scram', SECRET) + '\r\n')):
        good('--url-file' + what, '--url-file', write(workdir() + '/secret',
                                                      text))
    good('DATABASE_URL with a newline', env={
        'DATABASE_URL': where('scram', SECRET) + '\n'})
    good('DATABASE_URL in quotes', env={
        'DATABASE_URL': '"%s"' % where('scram', SECRET)})
    bad('an empty --url-file', 'secret|empty', '--url-file',
        write(workdir() + '/secret', ''), status=2)


def env_files():
    here = newdir('project')
    journal(here + '/drizzle', [('0000_a', 'SELECT 1;')])

    def run(what, want, *args, env=None):
        got = go(*args, cwd=here, env=env)
        check(what, want, got.status) or note(str(got)[:300])
        return got
    line = 'DATABASE_URL=%s\n' % where('scram', SECRET)
    for what, text in (
            ('plain', line), ('with CRLF', line.replace('\n', '\r\n')),
            ('in double quotes', 'DATABASE_URL="%s"\n' % line[13:-1]),
            ('in single quotes', "DATABASE_URL='%s'" % line[13:-1]),
            ('with export', 'export ' + line),
            ('among others', '# comment\n\nFOO=bar\n  %s\nX=' % line),
            ('with a comment', '%s # here\n' % line[:-1]),
            ('with a BOM', '\ufeff' + line)):
        write(here + '/.env', text)
        run('.env ' + what, 0)
    write(here + '/.env', line)
    got = run('.env never overrides', 3, env={
        'DATABASE_URL': 'postgresql://x@127.0.0.1:1/x'})
    os.rename(here + '/.env', here + '/prod.env')
    run('--env-file', 0, '--env-file', 'prod.env')
    write(here + '/pg.env', 'PGHOST=127.0.0.1\nPGPORT=%d\nPGUSER=scram\n'
          'PGDATABASE=c\nPGPASSWORD="%s"\n' % (server.port, SECRET))
    run('PG* in --env-file', 0, '--env-file', 'pg.env')


def configurations():
    def project(name, text):
        here = newdir('project')
        journal(here + '/db/migrations', [('0000_a', 'SELECT 1;')])
        write(here + '/' + name, text)
        return here
    url = where('scram', SECRET)
    ts = '''import { defineConfig } from 'drizzle-kit';
// url: 'postgresql://wrong@127.0.0.1:1/x'
export default defineConfig({
  schema: './src/schema.ts',   /* out: './wrong' */
  out: "./db/migrations",
  dialect: 'postgresql',
  dbCredentials: { url: %s },
  migrations: {
    table: 'my_migrations',
    schema: `public`,
  },
  verbose: true,
});
'''
    for name in ('ts', 'js', 'mjs', 'mts', 'cjs', 'cts'):
        here = project('drizzle.config.' + name, ts % ("'%s'" % url)
                       if 'cjs' not in name else
                       (ts % ("'%s'" % url)).replace(
                           'export default', 'module.exports =').replace(
                           'import { defineConfig } from',
                           'const { defineConfig } = require(').replace(
                           "'drizzle-kit';", "'drizzle-kit');"))
        got = go('--json', cwd=here)
        check('drizzle.config.%s' % name, (0, '0000_a'), (
            got.status, got.event('migration').get('tag'))) or \
            note(str(got)[:300])
    here = project('drizzle.config.json',
                   '{"out": "./db/migrations", "dialect": "postgresql", '
                   '"dbCredentials": {"url": "%s"}, "migrations": '
                   '{"table": "t", "schema": "public"}}' % url)
    got = go('--json', cwd=here)
    check('drizzle.config.json', (0, '0000_a'), (
        got.status, got.event('migration').get('tag'))) or \
        note(str(got)[:300])

    here = project('drizzle.config.ts', ts % 'process.env.DATABASE_URL!')
    got = go('--json', cwd=here, env={'DATABASE_URL': url})
    check('a value that is not literal and not needed', 0, got.status) or \
        note(str(got)[:300])
    got = go('--json', cwd=here)
    check('a value that is not literal and needed', (2, True), (
        got.status, bool(re.search('dbCredentials|url|DATABASE_URL',
                                   got.err)))) or note(str(got)[:300])
    here = project('drizzle.config.ts', (ts % "'%s'" % url).replace(
        '"./db/migrations"', 'makeOut()'))
    got = go('--json', cwd=here)
    check('an out that is not literal', (2, True), (
        got.status, 'out' in got.err)) or note(str(got)[:300])
    check('an out that is not literal and not needed', 0, go(
        '--dir', 'db/migrations', cwd=here).status)
    os.rename(here + '/drizzle.config.ts', here + '/other.ts')
    got = go('--config', 'other.ts', '--dir', 'db/migrations', cwd=here)
    check('--config', 0, got.status)
    # the history table of the configuration is the one that is used
    here = project('drizzle.config.ts', ts % ("'%s'" % where('tester',
                                                             SECRET)))
    server.sql('postgres', "ALTER ROLE tester PASSWORD '%s'" % SECRET)
    got = mizzle('migrate', cwd=here, env={'HOME': HOME})
    check('the history of the configuration', (0, '1'), (
        got.status, server.sql('c', 'SELECT count(*) FROM my_migrations'))
        if got.status == 0 else (got.status, got.err))
    server.fresh('c')


def ping_works():
    got = go_ping = mizzle('ping', '--url', where('scram', SECRET),
                           env={'HOME': HOME})
    check('ping', 0, got.status)
    check('ping tells the server', re.compile(r'15|1[3-9]'), got.out)
    check('ping tells the authentication', re.compile(
        'scram', re.IGNORECASE), got.out)
    check('ping tells no password', False, SECRET in go_ping.out + got.err)
    got = mizzle('ping', '--json', '--url', where('scram', SECRET),
                 env={'HOME': HOME})
    check('ping as JSON', True, all(got.events()) and got.status == 0)


def waiting():
    server.do('server_down')
    began = time.monotonic()
    got = mizzle('ping', '--url', where('scram', SECRET), '--wait', '1s')
    took = time.monotonic() - began
    check('--wait ends in time', (3, True), (got.status, 0.8 < took < 21))
    run = start('ping', '--url', where('scram', SECRET), '--wait', '60s')
    check('--wait: it waits', True, heard(run, 'waiting: '))
    server.do('server_up')
    check('--wait: until it is there', 0, finish(run).status)
    began = time.monotonic()
    got = mizzle('ping', '--url', where('scram', 'wrong'), '--wait', '60s')
    check('--wait: a wrong password ends it at once', (3, True), (
        got.status, time.monotonic() - began < 20))
    began = time.monotonic()
    got = mizzle('ping', '--url', where('scram', SECRET, db='nothere'),
                 '--wait', '60s')
    check('--wait: an unknown database ends it at once', (3, True), (
        got.status, time.monotonic() - began < 20))


def pgbouncer():
    program = next((p for p in ('/usr/sbin/pgbouncer', '/usr/bin/pgbouncer')
                    if os.access(p, os.X_OK)), None)
    if not program:
        note('no pgbouncer here: left out')
        return
    import socket
    probe = socket.socket()
    probe.bind(('127.0.0.1', 0))
    port = probe.getsockname()[1]
    probe.close()
    place = newdir('bouncer')
    write(place + '/users', '"pooled" "%s"\n' % SECRET)
    write(place + '/ini', '''[databases]
c = host=127.0.0.1 port=%d dbname=c
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = %d
unix_socket_dir =
auth_type = scram-sha-256
auth_file = %s/users
pool_mode = transaction
default_pool_size = 3
''' % (server.port, port, place))
    for f in 'users', 'ini':
        os.chmod(place + '/' + f, 0o644)
    command = [program, place + '/ini']
    if os.getuid() == 0:
        command = ['setpriv', '--reuid=postgres', '--regid=postgres',
                   '--init-groups', *command]
    pooler = subprocess.Popen(command, stdin=subprocess.DEVNULL,
                              stdout=subprocess.DEVNULL,
                              stderr=subprocess.DEVNULL)
    try:
        server.sql('postgres', 'ALTER DATABASE c OWNER TO pooled')
        url = where('pooled', SECRET).replace(str(server.port), str(port))
        check('PgBouncer: ping', 0, mizzle(
            'ping', '--url', url, '--wait', '60s').status)
        folder = journal(newdir('pooled'), [
            ('%04d_%s' % (i, n), text) for i, (n, text) in enumerate((
                ('a', 'CREATE TABLE p (n int); INSERT INTO p VALUES (0);'),
                ('b', 'UPDATE p SET n = n + 1; SET search_path = nowhere;'),
                ('c', 'UPDATE public.p SET n = n + 10; '
                 'SELECT pg_sleep(0.3);'),
                ('d', 'UPDATE p SET n = n + 100;')))])
        runs = [start('migrate', '--json', '--url', url, '--dir', folder)
                for _ in range(6)]
        got = [finish(r) for r in runs]
        if not check('PgBouncer: six at once', [0] * 6,
                     [g.status for g in got]):
            note(str(next(g for g in got if g.status))[:600])
        check('PgBouncer: each once', '111|4', server.sql(
            'c', 'SELECT (SELECT n FROM p), count(*) FROM '
            'drizzle.__drizzle_migrations'))
        check('PgBouncer: nothing to do', 0, mizzle(
            'migrate', '--url', url, '--dir', folder).status)
        check('PgBouncer: verify', 0, mizzle(
            'verify', '--url', url, '--dir', folder).status)
        check('PgBouncer: nothing stays set for the next client', 'public', (
            'public' if 'public' in subprocess.run(
                [server.psql, '-XAtq', '-c', 'SHOW search_path', url],
                capture_output=True, text=True).stdout else 'not public'))
    finally:
        pooler.terminate()
        pooler.wait()


# ---- libpq's own cases

def unescaped(text):
    """Bytes that are not ASCII as Python takes them for arguments."""
    def one(m):
        if m.group(1)[0] != 'x':
            return {'n': '\n', 't': '\t', 'r': '\r', '\\': '\\'}[m.group(1)]
        byte = int(m.group(1)[1:], 16)
        return chr(byte if byte < 128 else 0xdc00 + byte)
    return re.sub(r'\\(n|t|r|\\|x[0-9a-fA-F]{2})', one, text)


def shown(text):
    """As the program's output is read."""
    return text.encode('utf-8', 'surrogateescape').decode('utf-8', 'replace')


def uri_cases():
    """What was understood, in libpq 18's words; errors need not have them.

    Rows that users of Node's drivers paste are read as they mean them, where
    libpq gives up or would use a part of the password as the host.
    """
    if not shared():
        note('no vectors here (SHARED says where): left out')
        return
    path = os.path.join(shared(), 'vectors', 'uri-cases.tsv')
    with open(path, newline='', encoding='utf-8') as f:
        rows = list(csv.DictReader(f, delimiter='\t', quoting=csv.QUOTE_NONE))
    kinder = []
    for case in rows:
        want = case['libpq18.4']
        if want == '=':
            want = case['libpq15.20']
        env = {'HOME': '/nonexistent', 'PGSYSCONFDIR': '/nonexistent'}
        for pair in case['env'].split():
            name, _, value = pair.partition('=')
            env[name] = value
        got = mizzle('ping', '--print-config', '--show-secrets', '--url',
                     unescaped(case['input']), env=env)
        masked = mizzle('ping', '--print-config', '--url',
                        unescaped(case['input']), env=env)
        what = 'uri %s %s' % (case['id'], case['input'])
        if want.startswith('OK'):
            wanted = shown(unescaped(want[3:]))
            if got.out != wanted + '\n' and (
                    deviates(case['input']) or got.status == 2 and
                    '%2F' in got.err):  # a slash in the password
                kinder.append(case['id'])
            else:
                check(what, (0, wanted), (got.status, got.out.rstrip('\n')
                                          if not got.status else got.err))
            password = re.search(r"password='((?:[^'\\]|\\.)*)'", wanted)
            if password and len(password.group(1)) > 3:
                check(what + ': masked', False, password.group(1) in
                      masked.out.replace("user='%s'" % password.group(1), '')
                      + masked.err)
        elif got.status == 0 and deviates(case['input']):
            kinder.append(case['id'])
        else:
            check(what, (2, 1), (got.status, len(
                [l for l in got.err.splitlines()
                 if l.startswith('error: ')])))
    note('%d connection strings; %d are read as their users mean them: %s' % (
        len(rows), len(kinder), ' '.join(kinder)))


FOREIGN = ('schema|connection_limit|pool_timeout|pgbouncer|socket_timeout|'
           'statement_cache_size|sslaccept|single_use_connections|supa|'
           'workaround|uselibpqcompat|ssl|encoding|statement_timeout|'
           'query_timeout|lock_timeout|idle_in_transaction_session_timeout|'
           'keepAlive|max|min|idle_timeout|max_lifetime|prepare|fetch_types|'
           'backoff|debug|keep_alive|publications|pool_max_conns|'
           'pool_min_conns|pool_max_conn_lifetime|pool_max_conn_idle_time|'
           'pool_health_check_period|default_query_exec_mode|'
           'statement_cache_capacity|description_cache_capacity|'
           'currentSchema|ApplicationName|prepareThreshold|loginTimeout|'
           'socketTimeout|sslfactory|tcpKeepAlive|stringtype|pool|'
           'prepared_statements|advisory_locks|statement_limit|reconnect|'
           'pool_size|statement-cache-capacity|conn_max_age|search_path|'
           'TimeZone|sslmode=no-verify')


def deviates(text):
    """Where protocol.md wants more than libpq's reading."""
    text = unescaped(text)
    return bool(
        re.search(r'(^|[ ?&])(%s)(=|$)' % FOREIGN, text)    # known foreigners
        or text != text.strip() or text[:1] in '"\''         # pasted
        or re.match(r'postgres(ql)?://[^/]*@[^/]*@', text)   # raw @
        or '#' in text)


roles()
methods()
files_and_variables()
env_files()
configurations()
ping_works()
waiting()
pgbouncer()
uri_cases()
sys.exit(verdict())
