# SPDX-License-Identifier: MIT
"""ping over TLS, and through a real PgBouncer."""
import re
import subprocess
import sys

from bouncer import PgBouncer, there
from harness import (SRCDIR, check, mizzle, needs_program, newdir, note,
                     verdict)
from tlsworld import SECRET, TlsServer, certs, home

needs_program()
server = TlsServer(roles=('app',), hba=(
    'hostssl all app all scram-sha-256', 'hostssl all tester all cert',
    'host all app 127.0.0.1/32 scram-sha-256'))
FULL = dict(user='app', password=SECRET, sslmode='verify-full',
            sslrootcert=certs('root.crt'))
TLS_KEYS = {'tls_version', 'tls_cipher', 'tls_alpn', 'certificate_subject',
            'certificate_issuer', 'certificate_until',
            'certificate_days_left', 'certificate_chain_verified',
            'certificate_name_verified', 'client_certificate'}


def ping(*args, **words):
    return mizzle('ping', *args, '--url', server.words(dbname='p', **words),
                  env={'HOME': home()})


def facts(what, **words):
    got = ping('--json', **words)
    check(what + ': status', 0, got.status) or note(str(got))
    return got.event('ping')


def part(got, *keys):
    return tuple(got.get(k) for k in keys)


def verified():
    got = facts('verify-full', **FULL, channel_binding='require')
    check('verify-full: the keys are there', set(), TLS_KEYS - set(got))
    with open(SRCDIR + '/docs/connecting.md', encoding='utf-8') as f:
        told = set(re.findall('`([a-z_]+)`', f.read().split(
            '| key | is |')[1].split('\n\n')[0]))
    check('the document names the keys', set(got) - {'event'},
          told - {'applied'})
    check('verify-full: what was checked', (True, True, True, False), part(
        got, 'tls', 'certificate_chain_verified', 'certificate_name_verified',
        'client_certificate'))
    check('verify-full: bound', ('SCRAM-SHA-256-PLUS', True), part(
        got, 'authentication', 'channel_binding'))
    check('verify-full: the certificate', ('CN=localhost,OU=server', True), (
        got['certificate_subject'], got['certificate_days_left'] > 1000))
    check('verify-full: versions', True, got['tls_version'] in (
        'TLSv1.2', 'TLSv1.3') and got['tls_us'] > 0)
    got = facts('verify-ca', **{**FULL, 'sslmode': 'verify-ca'})
    check('verify-ca: what was checked', (True, False), part(
        got, 'certificate_chain_verified', 'certificate_name_verified'))
    got = facts('require', user='app', password=SECRET, sslmode='require',
                channel_binding='disable')
    check('require: nothing was checked, nothing is bound', (
        False, False, 'SCRAM-SHA-256', False), part(
            got, 'certificate_chain_verified', 'certificate_name_verified',
            'authentication', 'channel_binding'))
    got = facts('a certificate of ours', user='tester', sslmode='require',
                sslcert=certs('client.crt'), sslkey=certs('client.key'))
    check('a certificate of ours: is told', (True, 'none'), part(
        got, 'client_certificate', 'authentication'))


def for_people():
    got = ping(**FULL)
    for line in (r'encryption +TLSv1\.[23], \S+', r'certificate +CN=localhost',
                 r'  issued by +CN=mizzle test intermediate',
                 r'  until +20\S+Z, \d+ days left',
                 r'  checked +chain and name',
                 r"authentication +SCRAM-SHA-256-PLUS, bound to the server's "
                 'certificate', r'time +\S+ ms \(.*TLS .*login .*query'):
        check('for people: ' + line, re.compile('(?m)^' + line), got.out)
    check('for people: no warning', '', got.err)
    got = ping(user='app', password=SECRET)
    check('prefer: what was checked', re.compile(
        r'checked +neither chain nor name \(sslmode=prefer\)'), got.out)
    server.tls('odd-name')
    got = ping(**FULL)
    check('an odd name: no control characters', None, re.search(
        '[\0-\x09\x0b-\x1f\x7f]', got.out + got.err))
    check('an odd name: no line of its own', None, re.search(
        '(?m)^::', got.out + got.err))
    server.tls('server')


def until(days):
    """The server shows a certificate that is good for so long."""
    place = newdir('short')
    subprocess.run(
        ['openssl', 'req', '-x509', '-newkey', 'ec', '-pkeyopt',
         'ec_paramgen_curve:P-256', '-nodes', '-subj', '/CN=localhost',
         '-days', str(days), '-keyout', place + '/key', '-out',
         place + '/crt'], check=True, capture_output=True)
    for end in 'crt', 'key':
        with open('%s/%s' % (place, end), 'rb') as f:
            server.put('server.' + end, f.read())
    server.set(ssl='on')
    return ping(user='app', password=SECRET, sslmode='require')


def expiry():
    got = until(16)
    check('15 days are enough', (0, 0), (got.status, got.err.count(
        'expire'))) or note(str(got))
    got = until(13)
    check('fewer than 14 days are told', re.compile(
        r'warning: .*certificate expires in 1[23] days \(20'), got.err)
    check('they are no failure', 0, got.status)
    check('they are in the list, too', re.compile(
        r'until +20\S+, 1[23] days left'), got.out)
    server.tls('expired')
    got = ping(user='app', password=SECRET, sslmode='require')
    check('expired', re.compile('warning: .*has expired'), got.err)
    server.tls('server')


def providers():
    """What a failure of the chain says of whose it is."""
    for host, says in (('db.abc.supabase.co', 'Supabase has a CA of its own'),
                       ('x.eu-west-1.rds.amazonaws.com', 'global-bundle.pem'),
                       ('x.proxy.rlwy.net', 'self-signed'),
                       ('ep-x.eu.aws.neon.tech', 'sslrootcert=system')):
        got = ping(**{**FULL, 'sslrootcert': certs('other.crt'),
                      'host': host, 'hostaddr': '127.0.0.1'})
        check('whose CA it is: ' + host, (3, True), (
            got.status, says in got.err)) or note(str(got))
        check('whose CA it is: ' + host + ': two lines', 2, len(
            got.err.splitlines()))


def pgbouncer():
    if not there():
        note('no PgBouncer here: left out')
        return
    folder = SRCDIR + '/drizzle'
    server.fresh('q', 'app')
    pool = PgBouncer(server, [('app', SECRET)], pool_mode='statement')

    def go(command, db, *args, **words):
        return mizzle(command, '--url', server.words(**{
            **FULL, 'port': pool.port, 'dbname': db, **words}), *args,
            *(() if command == 'ping' else ('--dir', folder)),
            env={'HOME': home()})
    got = go('ping', 'q', '--json').event('ping')
    check('PgBouncer: is noticed', (True, False), part(
        got, 'pooler', 'channel_binding'))
    got = go('migrate', 'q')
    check('PgBouncer in statement mode: refused', 9, got.status) or note(
        str(got))
    check('PgBouncer in statement mode: why', re.compile(
        'statement mode, which has no transactions'), got.err)
    for command in 'ping', 'migrate':
        got = go(command, 'pgbouncer')
        check("PgBouncer's console: %s is refused" % command, 9, got.status)
    got = go('ping', 'q', options='-c search_path=x')
    check('PgBouncer takes no options', re.compile('hint: remove "options"'),
          got.err)
    got = go('ping', 'q', sslmode='disable')
    check('PgBouncer wants TLS', re.compile('hint: .*sslmode=require'),
          got.err)


server.set(ssl_ca_file=certs('root.crt'))
server.fresh('p', 'app')
verified()
for_people()
expiry()
providers()
pgbouncer()
sys.exit(verdict())
