# SPDX-License-Identifier: MIT
"""URLs that other programs' users paste, and the settings in them."""
import re
import sys

from harness import (Server, check, journal, mizzle, needs_program, newdir,
                     note, verdict)
from wire import Proxy, frontend

needs_program()
server = Server('autovacuum=off')
proxy = Proxy(server.port)
PROBE = '''
CREATE TABLE seen AS SELECT name, setting FROM pg_settings
WHERE name IN ('search_path', 'statement_timeout', 'lock_timeout', 'TimeZone',
               'idle_in_transaction_session_timeout');
'''
WHERE = journal(newdir('urls'), [('0000_probe', PROBE),
                                 ('0001_more', 'CREATE TABLE more (n int);')])


def migrate(db, query, *args):
    server.fresh(db)
    server.sql(db, 'CREATE SCHEMA app AUTHORIZATION tester')
    del proxy.sessions[:]
    url = server.url(db, query='?sslmode=disable&' + query).replace(
        ':%d/' % server.port, ':%d/' % proxy.port)
    return mizzle('migrate', '--dir', WHERE, '--url', url, *args)


def seen(db, schema='app'):
    return dict(line.split('|', 1) for line in server.sql(
        db, 'SELECT name, setting FROM %s.seen' % schema).splitlines())


def settings():
    got = migrate('u1', 'search_path=app,public&statement_timeout=54321&'
                  'lock_timeout=7s&TimeZone=Asia/Tokyo&'
                  'idle_in_transaction_session_timeout=5min')
    check('settings in the URL: migrates', 0, got.status) or note(str(got))
    check('settings in the URL: nothing to remark', 0, got.err.count('note:'))
    check('settings in the URL: hold in the migrations', {
        'search_path': 'app,public', 'statement_timeout': '54321',
        'lock_timeout': '7000', 'TimeZone': 'Asia/Tokyo',
        'idle_in_transaction_session_timeout': '300000'}, seen('u1'))
    check('settings in the URL: in each of them', 'app', server.sql(
        'u1', "SELECT schemaname FROM pg_tables WHERE tablename = 'more'"))
    start = dict(frontend(proxy.sessions[0]['front']))['']
    check('settings in the URL: not in the startup message', None,
          re.search(b'(?i)search_path|timeout|timezone', start))
    check('settings in the URL: the history is where it was', '2', server.sql(
        'u1', 'SELECT count(*) FROM drizzle.__drizzle_migrations'))

    got = migrate('u2', 'search_path=app&lock_timeout=7s&'
                  'statement_timeout=8s', '--lock-timeout', '5s',
                  '--statement-timeout', '0', '--transaction', 'all')
    check('the command line wins', (0, '5000', '0'), (
        got.status, seen('u2')['lock_timeout'],
        seen('u2')['statement_timeout']))
    check('one transaction: in the second migration too', 'app', server.sql(
        'u2', "SELECT schemaname FROM pg_tables WHERE tablename = 'more'"))

    got = migrate('u3', "search_path=%22odd'%5C%22,app")
    check('a value of odd characters', (0, '"odd\'\\", app'), (
        got.status, seen('u3').get('search_path', '').replace(',app', ', app')
        if not got.status else str(got)))
    got = migrate('u4', 'TimeZone=Nowhere')
    check('a value that the server refuses', 1, got.status) or note(str(got))
    check('a value that the server refuses: says it', re.compile(
        r'22023: .*Nowhere(.|\n)*connection string asks for'), got.err)
    got = migrate('u5', 'statement_timeout=soon')
    check('a value that nobody can take', (2, 0), (got.status,
                                                   len(proxy.sessions)))
    check('a value that nobody can take: says it', re.compile(
        r'--url: invalid "statement_timeout" value: "soon"'), got.err)


def keys():
    got = migrate('u6', 'schema=x&connection_limit=1&pgbouncer=true&pool=5')
    check('keys of others', 0, got.status)
    check('keys of others: one notice', 1, got.err.count(
        'ignored in the connection string'))
    check('a key that nobody knows', 2, migrate('u6', 'whatever=1').status)
    got = migrate('u6', 'whatever=1', '--ignore-unknown-params')
    check('a key that nobody knows, if it may', 0, got.status)
    check('a key that nobody knows, if it may: is told', re.compile(
        'note: ignored .*nobody knows it: whatever'), got.err)
    for key in 'sslmod', 'sslx', 'chanel_binding':
        got = migrate('u6', key + '=require', '--ignore-unknown-params')
        check('never passed over: ' + key, 2, got.status)


settings()
keys()
sys.exit(verdict())
