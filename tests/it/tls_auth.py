# SPDX-License-Identifier: MIT
"""Logging in over TLS: channel binding with every kind of certificate, what
require_auth lets pass, password files, and cancelling."""
import os
import re
import signal
import socket
import sys
import time

from harness import (LONG, check, finish, journal, needs_program, newdir, note,
                     start, verdict, wait_for, workdir, write)
from tlsworld import SECRET, TlsServer, certs, said, vectors
from wire import CANCEL_REQUEST, Proxy

needs_program()
METHODS = ('trust', 'password', 'md5', 'scram-sha-256')
server = TlsServer(roles=('password', 'scram-sha-256', 'weak'), hba=(
    'hostssl all tester 127.0.0.1/32 cert',
    *('host all %s 127.0.0.1/32 %s' % (m, m) for m in METHODS),
    'host all weak 127.0.0.1/32 md5',
    'host all all 127.0.0.1/32 scram-sha-256',
    'host all all ::1/128 scram-sha-256'))
server.sql('postgres', 'CREATE ROLE trust LOGIN',
           "SET password_encryption = 'md5'",
           "CREATE ROLE md5 LOGIN PASSWORD '%s'" % SECRET)
server.set(ssl_ca_file=certs('root.crt'))
CERTIFIED = dict(sslcert=certs('client.crt'), sslkey=certs('client.key'))
SCRAM = dict(user='scram-sha-256', password=SECRET)
PLUS = re.compile(r'sasl_initial "SCRAM-SHA-256-PLUS"')
BARE = re.compile(r'sasl_initial "SCRAM-SHA-256" "(.),')


def flag(got):
    """How the client spoke of channel binding: p, y, n; - is no SCRAM."""
    bare = BARE.search(got.trace)
    return 'p' if PLUS.search(got.trace) else bare[1] if bare else '-'


# ---- channel binding

# Those that no hash belongs to: RFC 5929 does not say what to bind to.
UNBOUND = ('ed25519', 'ed448')


def algorithms():
    kinds = sorted(name[5:-4] for name in os.listdir(certs())
                   if re.match(r'self-.*\.crt$', name))
    check('there are certificates of many kinds', True, len(kinds) >= 12)
    for kind in kinds:
        server.tls('self-' + kind)
        need = dict(sslmode='require', **SCRAM)
        if kind in UNBOUND:
            server.bad('%s, channel_binding=require: fails closed' % kind,
                       'channel.binding.*certificate|certificate.*'
                       'channel.binding', channel_binding='require', **need)
            got = server.good('%s, channel_binding=prefer' % kind, **need)
            check(kind + ': it is not bound, and does not say y', 'n',
                  flag(got))
            check(kind + ': says so', re.compile('channel.binding', re.I),
                  got.err)
        else:
            got = server.good('%s, channel_binding=require' % kind,
                              channel_binding='require', **need)
            check(kind + ': it is bound', 'p', flag(got))
        got = server.good('%s, channel_binding=disable' % kind,
                          channel_binding='disable', **need)
        check(kind + ': not bound', 'n', flag(got))
    known = vectors('tls-server-end-point.tsv')
    if known:
        names = {'rsa-pss-sig-sha384.crt': 'rsa-pss-sha384'}
        for row in known[1:]:
            kind = names.get(row[0], row[0][:-4].replace('rsa2048', 'rsa'))
            check('one of %s was made' % row[0], True, kind in kinds)


def binding():
    server.tls('server')
    full = dict(sslmode='verify-full', sslrootcert=certs('root.crt'))
    for how, want in (('prefer', 'p'), ('require', 'p'), ('disable', 'n')):
        got = server.good('verify-full, channel_binding=' + how,
                          channel_binding=how, **SCRAM, **full)
        check('channel_binding=%s: the flag' % how, want, flag(got))
    got = server.good('plaintext, channel_binding=prefer', tls=False,
                      sslmode='disable', **SCRAM)
    check('plaintext: the flag', 'n', flag(got))
    got = server.bad('plaintext, channel_binding=require', 'channel.binding',
                     status=(2, 3), sslmode='disable',
                     channel_binding='require', **SCRAM)
    for method in 'trust', 'password', 'md5':
        got = server.bad('%s, channel_binding=require' % method,
                         'channel.binding', user=method, password=SECRET,
                         channel_binding='require', **full)
        check('%s: no password was sent' % method, None, re.search(
            r'(?m)^F password', got.trace))
    server.bad('a certificate is no channel binding', 'channel.binding',
               channel_binding='require', **CERTIFIED, **full)
    server.bad('bound, and the wrong password', '28P01|password',
               **{**SCRAM, 'password': 'wrong'}, channel_binding='require',
               **full)
    got = server.good('a role with a SCRAM password where md5 is said',
                      user='weak', password=SECRET, **full)
    check('it is bound as well', 'p', flag(got))


# ---- require_auth

ALLOWED = (
    # value, methods that pass
    ('none', 'trust'),
    ('password', 'password'),
    ('md5', 'md5'),
    ('scram-sha-256', 'scram-sha-256'),
    ('password,md5', 'password md5'),
    ('scram-sha-256,none', 'scram-sha-256 trust'),
    ('password,md5,scram-sha-256', 'password md5 scram-sha-256'),
    ('gss,sspi,oauth', ''),
    ('!none', 'password md5 scram-sha-256'),
    ('!password', 'trust md5 scram-sha-256'),
    ('!md5,!password', 'trust scram-sha-256'),
    ('!scram-sha-256', 'trust password md5'),
    ('!none,!password,!md5,!scram-sha-256', ''),
)
REFUSED = ('x', 'SCRAM-SHA-256', 'md5,', ',', ' md5', 'md5,!password',
           'md5,md5', '!none,!none', '!')


def required():
    for value, passing in ALLOWED:
        for method in METHODS:
            what = 'require_auth=%s, %s' % (value, method)
            words = dict(user=method, password=SECRET, sslmode='require',
                         require_auth=value)
            if method in passing.split():
                server.good(what, **words)
                continue
            got = server.bad(what, 'require_auth', **words)
            check(what + ': no password was sent', None, re.search(
                r'(?m)^F (password|sasl_response)', got.trace))
    for value in REFUSED:
        got = server.bad('require_auth=%s is wrong' % value, 'require_auth',
                         status=2, user='trust', require_auth=value)
        check('require_auth=%s: nothing was sent' % value, [], got.attempts)
    server.good('require_auth= is unset', user='trust',
                      sslmode='require', require_auth='')
    server.good('a certificate is no method: none', require_auth='none',
                sslmode='require', **CERTIFIED)
    server.bad('a certificate is no password', 'require_auth',
               require_auth='scram-sha-256', sslmode='require', **CERTIFIED)


# ---- password files

def raw(text):
    return re.sub(rb'\\x(..)', lambda m: bytes([int(m[1], 16)]),
                  text.encode())


def passfiles():
    """Those of the vectors that a server can tell apart."""
    rows = vectors('pgpass-cases.tsv')
    if not rows:
        return
    seen, now = 0, None
    for case, text, mode, words, env, want, _ in rows[1:]:
        known = re.fullmatch(r'sent: ([ -~]*)|none: .*', want)
        if '...(' in text or '=sock ' in words or env or not known or \
                "user='" in words or 'user=a:b' in words or \
                '=::1 ' in words or 'myname' in words:
            continue
        try:
            sent = known[1] and raw(known[1]).decode()
        except UnicodeDecodeError:
            continue
        if sent and sent != now:
            now = sent
            server.sql('postgres', "ALTER ROLE u PASSWORD '%s'" % sent)
        path = os.path.join(workdir(), 'passfile')
        if os.path.exists(path):
            os.unlink(path)
        write(path, raw(text).replace(b'25999', str(server.port).encode()))
        os.chmod(path, int(mode, 8))
        given = dict(re.findall(r"(\w+)=('(?:[^'])*'|\S+)", words))
        given = {k: v.strip("'") for k, v in given.items()}
        given.update(port=server.port, passfile=path)
        given.setdefault('hostaddr', None)
        given.setdefault('host', None)
        if given['host'] == 'localhost':
            given['hostaddr'] = '127.0.0.1'
        seen += 1
        if sent:
            server.good('password file: ' + case, tls=False, **given)
        else:
            server.bad('password file: ' + case, 'password', **given)
    check('rows of pgpass-cases.tsv', True, seen > 25)
    os.chmod(path, 0o600)
    write(path, '*:*:*:*:wrong\n')
    server.bad('a wrong password in a file: it is named', re.escape(path),
               user='u', dbname='d', passfile=path)


# ---- cancelling

def cancelled(what, seconds=60, **words):
    """A migration that sleeps, and the proxy that it runs through."""
    proxy = Proxy(server.port)
    where = journal(newdir('sleep'), [
        ('0000_s', 'SELECT pg_sleep(%d);' % seconds)])
    process = start('migrate', '--dir', where, '--url', server.words(
        host='localhost', port=proxy.port, dbname='d', **SCRAM, **words))
    asleep = wait_for(lambda: server.sql(
        'postgres', "SELECT count(*) FROM pg_stat_activity WHERE "
        "query LIKE '%pg_sleep(%' AND wait_event = 'PgSleep'") == '1')
    check(what + ': it sleeps', True, asleep)
    return proxy, process


def ended(what, process, seconds=13):
    began = time.monotonic()
    process.send_signal(signal.SIGTERM)
    got = finish(process)
    check(what + ': status', 128 + signal.SIGTERM, got.status) or note(
        str(got))
    check(what + ': soon', True, time.monotonic() - began < seconds)
    return got


def nothing_is_left(what):
    check(what + ': nothing is left of it', True, wait_for(
        lambda: server.sessions('d') == '0'))


PLAIN_CANCEL = CANCEL_REQUEST.to_bytes(4, 'big')


def cancelling():
    full = dict(sslmode='verify-full', sslrootcert=certs('root.crt'))
    proxy, process = cancelled('cancel over TLS', **full)
    ended('cancel over TLS', process)
    nothing_is_left('cancel over TLS')
    check('cancel over TLS: by a second connection', 2, len(proxy.sessions))
    second = proxy.sessions[-1]
    check('cancel over TLS: it asks for TLS', (True, b'S', b'\x16'), (
        second['front'].startswith(bytes.fromhex('0000000804d2162f')),
        second['back'][:1], second['front'][8:9]))
    check('cancel over TLS: it is not in the clear', False, any(
        PLAIN_CANCEL in s['front'] for s in proxy.sessions))
    proxy.close()

    proxy, process = cancelled('cancel over plaintext', sslmode='disable')
    ended('cancel over plaintext', process)
    nothing_is_left('cancel over plaintext')
    check('cancel over plaintext: it is the request', True,
          PLAIN_CANCEL in proxy.sessions[-1]['front'])
    proxy.close()


def newer():
    """What servers have from some version on; others say that they do not."""
    direct = dict(sslmode='verify-full', sslrootcert=certs('root.crt'),
                  sslnegotiation='direct')
    version = server.version() // 10000
    if version >= 17:
        proxy, process = cancelled('cancel, TLS at once', **direct)
        ended('cancel, TLS at once', process)
        nothing_is_left('cancel, TLS at once')
        check('cancel, TLS at once: like the session', [b'\x16', b'\x16'], [
            s['front'][:1] for s in proxy.sessions])
        proxy.close()
    for wish in '3.2', 'latest':
        got = server.good('protocol %s is asked for' % wish,
                          max_protocol_version=wish, **SCRAM,
                          sslmode='require')
        # asked for 3.0: 196608, 3.2: 196610
        check('protocol %s: it is' % wish, True, 'startup 196610' in got.trace)
    newest = dict(min_protocol_version='3.2', sslmode='require')
    if version < 18:
        server.bad('protocol 3.2 and no less', 'protocol', **newest, **SCRAM)
        return
    server.good('protocol 3.2 and no less', **newest, **SCRAM)
    proxy, process = cancelled('cancel with a long key', **newest)
    ended('cancel with a long key', process)
    nothing_is_left('cancel with a long key')
    proxy.close()


def cancelling_another(seconds):
    """The same checks: whoever is there now does not get the key, and what
    was not cancelled is not called so."""
    full = dict(sslmode='verify-full', sslrootcert=certs('root.crt'))
    what = 'cancel, the server is another now'
    proxy, process = cancelled(what, seconds, **full)
    server.tls('self-ec256-sha256')
    got = ended(what, process, 20)
    check(what + ': it is not in the clear', False, any(
        PLAIN_CANCEL in s['front'] for s in proxy.sessions))
    check(what + ': what became of it', re.compile(
        'applied all the same' if seconds < 10 else
        'did not stop 0000_s in time: .*self-signed'), got.err)
    check(what + ': it is said that nothing was kept', None, re.search(
        'nothing of', got.err))
    proxy.close()
    server.sql('postgres', 'SELECT pg_terminate_backend(pid) FROM '
               "pg_stat_activity WHERE datname = 'd'")
    server.sql('d', 'DROP SCHEMA IF EXISTS drizzle CASCADE')
    server.tls('server')


def ipv6():
    try:
        socket.create_connection(('::1', server.port)).close()
    except OSError:
        note('no IPv6 here')
        return
    full = dict(sslmode='verify-full', sslrootcert=certs('root.crt'), **SCRAM)
    server.good('::1', host='::1', hostaddr=None, **full)
    server.good('localhost at ::1', hostaddr='::1', **full)
    got = server.go(url='postgresql://scram-sha-256@[::1]:%d/postgres'
                    % server.port, env={'PGPASSWORD': SECRET})
    check('a URL with [::1]', 0, got.status) or note(said(got))


server.tls('server')
algorithms()
binding()
required()
server.sql('postgres', "CREATE ROLE u LOGIN PASSWORD 'pw'", 'CREATE DATABASE '
           'd OWNER "scram-sha-256"')
passfiles()
cancelling()
newer()
cancelling_another(3)
if LONG:
    cancelling_another(60)
ipv6()
sys.exit(verdict())
