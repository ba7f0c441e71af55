# SPDX-License-Identifier: MIT
"""`mizzle serve`: what each path answers, and what a run does."""
import gzip
import json
import os
import re
import sys

from harness import (BREAK, Server, check, finish, journal, mizzle,
                     needs_program, newdir, note, sha256, start, verdict,
                     wait_for, write)
from serveworld import BASE, Serving, leaked, secure

needs_program()
server = Server('autovacuum=off')
SECRET = 'a-secret-that-nobody-guesses-0123456789'
READ = 'one-that-may-look-0123456789abcdef'

TABLES = [('0000_a', 'CREATE TABLE a (id int);'),
          ('0001_b', "DO $$ BEGIN RAISE NOTICE 'hello % there', 'out'; END $$;"
           + BREAK + '\nCREATE TABLE b (id int);'),
          ('0002_c', 'ALTER TABLE a ADD c int;\n' + BREAK +
           '\nINSERT INTO a VALUES (1, 2);')]
DROP = ('0003_d', '-- what is not needed\nALTER TABLE a DROP COLUMN c;')


def fresh(*migrations, db='s', name='serve'):
    server.fresh(db)
    return journal(newdir(name), migrations or TABLES)


def rows(db='s'):
    return server.sql(db, "SELECT count(*) FROM drizzle.__drizzle_migrations")


def brief(answer, *keys):
    return (answer.status, *(answer.json().get(k) for k in keys))


# ---- what each path is

def paths():
    s = Serving(server, 's', fresh())
    page = s.get('', headers={'Accept': 'text/html,*/*;q=0.8'})
    check('a browser gets the page', (200, 'text/html; charset=utf-8'),
          (page.status, page.headers.get('content-type')))
    check('which is HTML', re.compile(r'(?i)\A<!doctype html>'),
          page.data.decode())
    check('without scripts or styles of its own', None, re.search(
        r'(?i)<script(?![^>]*\bsrc=)|<style|style=|\son[a-z]+=',
        page.data.decode()))
    packed = s.get('', headers={'Accept': 'text/html',
                                'Accept-Encoding': 'gzip, br'})
    check('packed where that is understood', ('gzip', page.data),
          (packed.headers.get('content-encoding'),
           gzip.decompress(packed.data)))
    for name, kind in (('?page.js', 'text/javascript'),
                       ('?page.css', 'text/css')):
        got = s.get(name)
        check(name, (200, kind + '; charset=utf-8', True), (
            got.status, got.headers.get('content-type'), len(got.data) > 100))
        head = s.ask('HEAD', name)
        check(name + ' by HEAD', (200, str(len(got.data)), b''), (
            head.status, head.headers.get('content-length'), head.data))
    for accept in ('application/json', '*/*', None,
                   'application/json, text/html;q=0.5'):
        got = s.get('', headers={'Accept': accept})
        check('the status for %s' % accept, (200, True, 'status'), (
            got.status, got.json().get('ok'), got.json().get(
                'result', {}).get('command')))
    for path in ('/', BASE + '/'):
        got = s.get(path)
        check('%s leads to the page' % path, (302, BASE),
              (got.status, got.headers.get('location')))
    for path in ('/nothing', BASE + '/nothing', BASE + '/status/',
                 '/api/admin', BASE + 'x', BASE + '//status', '/status',
                 '/healthz/', '/healthz/../healthz', '//healthz', '/%2e%2e/',
                 BASE + '/page.js', BASE + '/page'):
        got = s.get(path)
        check('%s is nothing' % path, (404, False, 'usage'), (
            got.status, got.json().get('ok'), got.code))
        secure(path, got)
    for path in ('', 'status', 'plan', 'sql', 'events',
                 '/healthz', '/readyz', '/metrics'):
        for method in ('PUT', 'DELETE', 'PATCH', 'OPTIONS', 'TRACE', 'POST'):
            if path == '' and method == 'POST':
                continue
            got = s.ask(method, path)
            check('%s %s: not by this method' % (method, path), (405, False), (
                got.status, got.json().get('ok')))
            check('%s %s: by which then' % (method, path),
                  'GET, HEAD, POST' if path == '' else
                  'GET' if path == 'events' else 'GET, HEAD',
                  got.headers.get('allow'))
    check('nothing was applied', '0', server.sql(
        's', "SELECT count(*) FROM pg_namespace WHERE nspname = 'drizzle'"))
    for path in ('/healthz', '/readyz', '/metrics', 'status', 'plan',
                 'sql?tag=0000_a', '', '?page.css', '/nothing', 'plan?to=x'):
        got, head = s.get(path), s.ask('HEAD', path)
        secure('GET ' + path, got)
        secure('HEAD ' + path, head)
        check('HEAD %s: as GET, but for the body' % path, (
            got.status, got.headers.get('content-type'), b''), (
                head.status, head.headers.get('content-type'), head.data))
        check('HEAD %s: says how long' % path, True,
              'content-length' in head.headers)
    s.stop()


def other_base():
    s = Serving(server, 's', fresh(), '--base-path', '/x/y', base='/x/y')
    check('--base-path', 200, s.get('status').status)
    check('--base-path: the default is none', 404, s.get(BASE).status)
    check('--base-path: /', '/x/y', s.get('/').headers.get('location'))
    s.stop()
    for bad in ('x', '/', '/x/', '', '/x?y', '/x#', '/x//y', '/a b', '/%41'):
        got = mizzle('serve', '--base-path', bad, '--dir', 'serve', '--url',
                     server.url('s'), '--listen', '127.0.0.1:0', timeout=20)
        check('--base-path %r' % bad, 2, got.status)


# ---- what is told

def looks():
    where = fresh(*TABLES, DROP)
    mizzle('migrate', '--to', '0000_a', '--url', server.url('s'), '--dir',
           where)
    s = Serving(server, 's', where)
    got = s.get('status').json()
    said = mizzle('status', '--json', '--url', server.url('s'), '--dir', where)
    want = [{k: v for k, v in e.items() if k != 'event'}
            for e in said.events() if e['event'] == 'migration']
    listed = [{k: v for k, v in e.items() if k != 'event'}
              for e in got['migrations']]
    check('status: the migrations', want, listed)
    result = {k: v for k, v in said.event('result').items()
              if k not in ('event', 'ms')}
    check('status: the result', result, {
        k: v for k, v in got['result'].items() if k not in ('event', 'ms')})
    check('status: what the process knows', (True, True, None, []), (
        got['ok'], got['may_migrate'], got['running'], got['runs']))

    got = s.get('plan').json()
    said = mizzle('plan', '--json', '--url', server.url('s'), '--dir', where)
    check('plan: as the command says it', [
        e for e in said.events() if e['event'] == 'migration'],
        [{'event': 'migration', **e} for e in got['migrations']])
    check('plan: its result', (3, 1, said.event('result')['plan']), (
        got['result']['pending'], got['result']['destructive'],
        got['result']['plan']))
    got = s.get('plan?to=0002_c&transaction=all').json()
    check('plan: to, and in one transaction', (
        ['0001_b', '0002_c'], {'shared'}, 0), (
            [m['tag'] for m in got['migrations']],
            {m['transaction'] for m in got['migrations']},
            got['result']['destructive']))
    got = s.get('plan?to=none')
    check('plan: to what is not there', (422, 'usage', False), (
        got.status, got.code, got.json()['ok']))
    got = s.get('plan?transaction=some')
    check('plan: a way that there is not', (400, 'usage'),
          (got.status, got.code))
    check('plan: a tag by its percents', 200,
          s.get('plan?to=%30002%5fc').status)

    got = s.get('sql?tag=0003_d').json()
    check('sql', (True, '0003_d', DROP[1], False), (
        got['ok'], got['tag'], got['text'], got['truncated']))
    check('sql: its file', True, got['file'].endswith('/0003_d.sql'))
    check('sql: what is dangerous', [(2, 15, 'DROP COLUMN', True)], [
        (h['line'], h['column'], h['statement'], h['destructive'])
        for h in got['hazards']])
    for tag in ('nothing', '../meta/_journal', '0003_d.sql',
                '/etc/passwd', '0003_D'):
        got = s.get('sql?tag=' + tag)
        check('sql: %s is none' % tag, (404, False), (
            got.status, got.json().get('ok')))
    for path in 'sql?tag=0003_d%00', 'plan?to=0003_d%00x':
        check('a NUL: ' + path, 400, s.get(path).status)
    check('sql: which', 400, s.get('sql').status)
    check('sql: which, by an empty tag', True, s.get('sql?tag=').status in (
        400, 404))
    long = write(os.path.join(where, '0003_d.sql'),
                 DROP[1] + '\n-- ' + 'é' * 700000)
    got = s.get('sql?tag=0003_d').json()
    check('sql: a long one is cut', (True, True), (
        got['truncated'], len(got['text']) <= 1 << 20))
    check('sql: the cut is clean', False, '\ufffd' in got['text'])
    write(long, b"SELECT '\xff\0';")
    check('sql: bytes that are no text', 200,
          s.get('sql?tag=0003_d').status)
    os.remove(long)
    check('sql: a file that is gone', True, s.get(
        'sql?tag=0003_d').status in (404, 422))
    s.stop()


# ---- running

def migrates():
    s = Serving(server, 's', fresh())
    got = s.post({'dry_run': True})
    check('dry_run: the plan', (200, 'plan', 3), (
        got.status, got.json()['result']['command'],
        len(got.json()['migrations'])))
    check('dry_run: no run', [], s.get('status').json()['runs'])
    got = s.post({'dry_run': True, 'to': '0000_a', 'transaction': 'all'})
    check('dry_run: with options', [('0000_a', 'shared')], [
        (m['tag'], m['transaction']) for m in got.json()['migrations']])
    check('/readyz: something is pending', (503, False, 3), brief(
        s.get('/readyz'), 'ok', 'pending'))

    got = s.post({'to': '0000_a'})
    check('to', (200, True, 'migrate', 1), brief(got, 'ok', 'command',
                                                 'applied'))
    got = s.post()
    said = got.json()
    check('without a body', (200, True, 'migrate', 'result', 2, 0), brief(
        got, 'ok', 'command', 'event', 'applied', 'pending'))
    check('the result, too', {k: said[k] for k in said['result']
                              if k in said}, said['result'])
    check('what was applied', [
        ('0001_b', 'applied', 2, sha256(TABLES[1][1])),
        ('0002_c', 'applied', 2, sha256(TABLES[2][1]))], [
            (m['tag'], m['state'], m['statements'], m['hash'])
            for m in said['migrations']])
    check('each took some time', True, all(
        isinstance(m['ms'], int) for m in said['migrations']))
    check('what the server said', True, 'hello out there' in str(
        said['notices'])) or note(str(got))
    secure('POST', got)
    check('once', ('3', '1'), (rows(), server.sql(
        's', 'SELECT count(*) FROM a')))
    for body in (None, '', {}, {'transaction': 'all'},
                 {'require_approval': True}):
        check('again: harmless (%s)' % body, (200, 0, 0), brief(
            s.post(body), 'applied', 'pending'))
    check('once, still', ('3', '1'), (rows(), server.sql(
        's', 'SELECT count(*) FROM a')))
    check('/readyz: nothing is pending', (200, True, 0), brief(
        s.get('/readyz'), 'ok', 'pending'))
    runs = s.get('status').json()['runs']
    check('what ran', list(range(7, 0, -1)), [r['run'] for r in runs])
    check('when', True, all(re.fullmatch(
        r'20\d\d-\d\d-\d\dT\d\d:\d\d:\d\dZ', r[k]) for r in runs
                            for k in ('started', 'ended')))
    check('and with what', [(0, None)] * 5 + [(2, None), (1, None)], [
        (r['result']['applied'], r['error']) for r in runs])
    for _ in range(20):
        s.post()
    runs = s.get('status').json()['runs']
    check('so many are remembered', list(range(27, 7, -1)),
          [r['run'] for r in runs])
    s.stop()

    s = Serving(server, 's', fresh())
    got = s.post({'transaction': 'all'}).json()
    check('transaction', 3, got.get('applied'))
    check('transaction: all in one', '1', server.sql(
        's', 'SELECT count(DISTINCT xmin::text) FROM drizzle.'
        '__drizzle_migrations'))
    s.stop()


def approves():
    where = fresh(*TABLES, DROP)
    s = Serving(server, 's', where, '--require-approval')
    got = s.post({'to': '0002_c'})
    check('what destroys nothing needs no approval', (200, 3),
          brief(got, 'applied'))
    got = s.post()
    check('approval is needed', (422, False, 'refused'), (
        got.status, got.json()['ok'], got.code))
    identity = s.get('plan').json()['result']['plan']
    check('the hint has the id', True, identity in got.error.get('hint', ''))
    for bad in ('0' * 12, 'x', identity[:-1]):
        got = s.post({'approve': bad})
        check('another id: %s' % bad, (422, 'refused'),
              (got.status, got.code))
    journal(where, [*TABLES, DROP, ('0004_e', 'DROP TABLE b;')])
    got = s.post({'approve': identity})
    check('the plan has changed', (422, 'refused'), (got.status, got.code))
    check('nothing was applied', '3', rows())
    identity = s.get('plan').json()['result']['plan']
    got = s.post({'approve': identity})
    check('approved', (200, 2), brief(got, 'applied'))
    check('a refused run is in the list', ['refused'] * 5, [
        r['error']['code'] for r in s.get('status').json()['runs']
        if r['error']])
    s.stop()
    s = Serving(server, 's', fresh(*TABLES, DROP))
    got = s.post({'require_approval': True})
    check('require_approval', (422, 'refused'), (got.status, got.code))
    check('without', (200, 4), brief(s.post(), 'applied'))
    s.stop()


def bad_bodies():
    s = Serving(server, 's', fresh())
    for body in ('{', '[]', 'null', '1', '"x"', '{}x', '{"to":1}',
                 '{"to":""}', '{"to":null}', '{"to":"a\\u0000b"}',
                 '{"transaction":"some"}', '{"transaction":["all"]}',
                 '{"dry_run":"yes"}', '{"dry_run":1}', '{"approve":[]}',
                 '{"require_approval":0}', '{"nothing":1}', '{"TO":"x"}',
                 '{"to":"0000_a","to":"0001_b"}', '\0', '{}\0',
                 '[' * 60000, '{"to":' * 9000, '{"to":"\\ud800"}',
                 '{"to":1e999}', '{"to":' + '9' * 5000 + '}', 'x' * 65536,
                 '{"' + 'k' * 60000 + '":1}', "{'to':'x'}", 'to=0000_a'):
        got = s.post(body)
        check('no body of ours: %.30r' % body, (400, False, 'usage'), (
            got.status, got.json().get('ok'), got.code)) or note(str(got))
        secure('400', got)
    got = s.post(b'{"to":"\xff\xfe"}')
    check('no UTF-8', (400, 'usage'), (got.status, got.code))
    got = s.post({'to': 'none'})
    check('to what is not there', (422, 'usage'), (got.status, got.code))
    got = s.post({'approve': 'x' * 60000})
    check('an id that is none', (422, 'refused'), (got.status, got.code))
    check('nothing was applied', 3, s.get('/readyz').json()['pending'])
    check('a body with blanks around it', 200,
          s.post(' \r\n\t{ "dry_run" : true } \n').status)
    s.stop()


# ---- what goes wrong

def sql_failure():
    where = fresh(TABLES[0], ('0001_bad', 'CREATE TABLE x (id int);\n' +
                              BREAK + '\n\nINSERT INTO\n  ohne VALUES (1);'),
                  TABLES[1])
    s = Serving(server, 's', where)
    got = s.post()
    e = got.error
    check('an SQL failure', (500, False, 'sql', '42P01', '0001_bad', 5, 3), (
        got.status, got.json()['ok'], e.get('code'), e.get('sqlstate'),
        e.get('tag'), e.get('line'), e.get('column'))) or note(str(got))
    check('with its file', True, str(e.get('file')).endswith('0001_bad.sql'))
    check('and its line', '  ohne VALUES (1);', e.get('source'))
    check('and what the server said', re.compile('"ohne" does not exist'),
          e.get('message', ''))
    check('and a summary, the event', (True, 'error'),
          (bool(e.get('summary')), e.get('event')))
    check('the result', (False, 1), (got.json()['result']['ok'],
                                     got.json()['result']['applied']))
    check('what went before is kept', '1', rows())
    run = s.get('status').json()['runs'][0]
    check('the list has it', ('42P01', 5, False), (
        run['error']['sqlstate'], run['error']['line'], run['result']['ok']))
    check('/readyz', (503, False), brief(s.get('/readyz'), 'ok'))
    journal(where, [TABLES[0], ('0001_bad', 'CREATE TABLE x (id int);'),
                    TABLES[1]])
    check('mended, it goes on', (200, 2), brief(s.post(), 'applied'))
    s.stop()


def history_problem():
    where = fresh()
    s = Serving(server, 's', where)
    s.post({'to': '0001_b'})
    journal(where, [('0000_a', 'CREATE TABLE a (id bigint);'), *TABLES[1:]])
    got = s.post()
    check('an applied file was edited', (422, False, 'history'), (
        got.status, got.json()['ok'], got.code)) or note(str(got))
    got = s.get('status')
    check('the status tells', (200, 1), (
        got.status, got.json()['result']['modified']))
    check('nothing was applied', '2', rows())
    write(os.path.join(where, 'meta', '_journal.json'), '{"entries": [')
    for got in s.post(), s.get('status'), s.get('plan'):
        check('a folder that is broken', (422, False, True), (
            got.status, got.json()['ok'], bool(got.error.get('message'))))
    check('/readyz: it is not ready', 503, s.get('/readyz').status)
    check('/healthz: it lives', 200, s.get('/healthz').status)
    s.stop()


def locked():
    where = fresh(TABLES[0], ('0001_w', 'LOCK TABLE a; SELECT 1;'))
    s = Serving(server, 's', where)
    s.post({'to': '0000_a'})
    holder = server.hold('s', 'BEGIN', 'LOCK TABLE a')
    cli = start('migrate', '--url', server.url('s'), '--dir', where)
    check('the CLI waits', True, wait_for(lambda: server.sql(
        'postgres', "SELECT count(*) FROM pg_stat_activity WHERE datname = "
        "'s' AND wait_event = 'relation'") == '1'))
    got = s.post()
    check('another run holds the lock', (409, False, 'locked'), (
        got.status, got.json()['ok'], got.code)) or note(str(got))
    for what in 'status', 'plan':
        got = s.get(what)
        check('nobody can read the history meanwhile: ' + what, (
            409, 'locked', True), (got.status, got.code, 'pid ' in got.error[
                'message']))
    check('it is not ready', 503, s.get('/readyz').status)
    check('/metrics, too', 200, s.get('/metrics').status)
    holder.close()
    check('the CLI ends', 0, finish(cli).status)
    check('then there is nothing to be done', (200, 0), brief(
        s.post(), 'applied'))
    s.stop()
    s = Serving(server, 's', where, '--lock-wait', '60s')
    journal(where, [TABLES[0], ('0001_w', 'LOCK TABLE a; SELECT 1;'),
                    ('0002_w', 'LOCK TABLE a; SELECT 2;')])
    holder = server.hold('s', 'BEGIN', 'LOCK TABLE a')
    cli = start('migrate', '--url', server.url('s'), '--dir', where)
    wait_for(lambda: server.sql(
        'postgres', "SELECT count(*) FROM pg_stat_activity WHERE datname = "
        "'s' AND wait_event = 'relation'") == '1')
    stream = s.stream('POST', '')
    check('--lock-wait: it waits', True, stream.heard('waiting'))
    holder.close()
    check('--lock-wait: and goes on', True, stream.end())
    check('--lock-wait: with nothing to do', [0], [
        r['applied'] for r in stream.data('result')])
    finish(cli)
    s.stop()


def database_down():
    s = Serving(server, 's', fresh(), secret=SECRET,
                env={'MIGRATION_SECRET': SECRET})
    s.post()
    check('at first', 200, s.get('status').status)
    server.do('server_down')
    got = s.get('status')
    check('the database is down: status', (503, False, 'connect', None), (
        got.status, got.json()['ok'], got.code, got.json()['running']))
    check('the database is down: what ran', 1, len(got.json()['runs']))
    for got in s.post(), s.get('plan'):
        check('the database is down', (503, False, 'connect'), (
            got.status, got.json()['ok'], got.code))
    check('the database is down: /readyz', (503, False), brief(
        s.get('/readyz'), 'ok'))
    check('the database is down: /healthz', (200, b'ok\n'), (
        s.get('/healthz').status, s.get('/healthz').data))
    got = s.get('/metrics').data.decode()
    check('the database is down: /metrics', True, '\nmizzle_up 0\n' in got)
    check('the script is in the folder', 200, s.get(
        'sql?tag=0000_a').status)
    server.do('server_up')
    check('it is back: status', 200, s.get('status').status)
    check('it is back: /readyz', 200, s.get('/readyz').status)
    check('it is back: POST', (200, 0), brief(s.post(), 'applied'))
    check('/metrics', True, '\nmizzle_up 1\n' in s.get(
        '/metrics').data.decode())
    s.stop()


# ---- /metrics

NAME = r'[a-zA-Z_:][a-zA-Z0-9_:]*'
LABELS = r'\{[a-zA-Z_][a-zA-Z0-9_]*="(?:[^"\\\n]|\\[\\"n])*"' \
         r'(?:,[a-zA-Z_][a-zA-Z0-9_]*="(?:[^"\\\n]|\\[\\"n])*")*\}'
NUMBER = r'[-+]?(?:\d+(?:\.\d*)?(?:e[-+]?\d+)?|Inf|NaN)'


def samples(text):
    """Prometheus' text format, strictly: {name with labels: value}."""
    found, types, helped, done = {}, {}, set(), set()
    family = None
    assert text.endswith('\n')
    for line in text[:-1].split('\n'):
        m = re.fullmatch(r'# HELP (%s) (.+)' % NAME, line)
        if m:
            assert m[1] not in helped, line
            helped.add(m[1])
            continue
        m = re.fullmatch(r'# TYPE (%s) (counter|gauge)' % NAME, line)
        if m:
            assert m[1] not in types and m[1] in helped, line
            if family:
                done.add(family)
            family = m[1]
            types[family] = m[2]
            continue
        m = re.fullmatch(r'(%s)(%s)? (%s)' % (NAME, LABELS, NUMBER), line)
        assert m, line
        assert m[1] == family and family not in done, line
        assert (types[family] == 'counter') == m[1].endswith('_total'), line
        key = m[1] + (m[2] or '')
        assert key not in found, line
        found[key] = float(m[3])
    return found


def metrics():
    s = Serving(server, 's', fresh(*TABLES, ('0003_bad', 'nonsense;')))

    def now():
        got = s.get('/metrics')
        check('/metrics: its type',
              'text/plain; version=0.0.4; charset=utf-8',
              got.headers.get('content-type'))
        try:
            return samples(got.data.decode())
        except (AssertionError, KeyError) as e:
            check('/metrics: its form', None, e)
            return {}
    m = now()
    check('/metrics: pending', (1, 4, 0, 0), tuple(m.get(k) for k in (
        'mizzle_up', 'mizzle_migrations{state="pending"}',
        'mizzle_migrations{state="applied"}', 'mizzle_run_in_progress')))
    check('/metrics: no run yet', None, m.get('mizzle_last_run_seconds'))
    s.post({'to': '0002_c'})
    s.post()
    s.get('/nothing')
    m = now()
    check('/metrics: after two runs', (1, 1, 1, 3), tuple(m.get(k) for k in (
        'mizzle_runs_total{result="ok"}',
        'mizzle_runs_total{result="failed"}',
        'mizzle_migrations{state="pending"}',
        'mizzle_migrations{state="applied"}')))
    check('/metrics: the last run', True, m.get(
        'mizzle_last_run_timestamp_seconds', 0) > 1e9 and
          0 < m.get('mizzle_last_run_seconds', 0) < 60)
    check('/metrics: answers', (1, 1), tuple(m.get(
        'mizzle_http_answers_total{class="%s"}' % c)
                                             for c in ('4xx', '5xx')))
    s.stop()


paths()
other_base()
looks()
migrates()
approves()
bad_bodies()
sql_failure()
history_problem()
locked()
database_down()
metrics()
check('no password, no secret in any answer or log', [], leaked(
    server.password, 'p%40ss', SECRET, READ))
sys.exit(verdict())
