# SPDX-License-Identifier: MIT
"""make check-matrix: every version of PostgreSQL, every way to log in, every
way to connect; and PgBouncer before each.  Prints a table."""
import os
import re
import subprocess
import sys

import bouncer
from harness import (HERE, MIZZLE, SRCDIR, VERSIONS, check, mizzle,
                     needs_program, note, servers, verdict)
from tlsworld import SECRET, TlsServer, certs, home

needs_program()
FOLDER = os.path.join(SRCDIR, 'drizzle')
METHODS = ('trust', 'password', 'md5', 'scram', 'scram-plus', 'cert')
WAYS = ('Unix', 'TCP', 'TLS', 'direct')
DIRECT_FROM = 17
FULL = dict(sslmode='verify-full', sslrootcert=certs('root.crt'))
WAY = {
    'Unix': dict(sslmode='disable'),
    'TCP': dict(sslmode='disable'),
    'TLS': FULL,
    'direct': dict(sslnegotiation='direct', **FULL),
}
METHOD = {
    'trust': dict(user='trust', password=None, require_auth='none'),
    'password': dict(user='password', require_auth='password'),
    'md5': dict(user='md5', require_auth='md5'),
    'scram': dict(user='scram', require_auth='scram-sha-256',
                  channel_binding='disable'),
    'scram-plus': dict(user='scram', require_auth='scram-sha-256',
                       channel_binding='require'),
    'cert': dict(password=None, sslcertmode='require',
                 sslcert=certs('client.crt'), sslkey=certs('client.key')),
}
# What the trace of a login must have.
SIGN = {
    'trust': 'B auth 0 ', 'password': 'B auth 3 ', 'md5': 'B auth 5 ',
    'scram': 'F sasl_initial "SCRAM-SHA-256" "n,',
    'scram-plus': 'F sasl_initial "SCRAM-SHA-256-PLUS"',
    'cert': 'B auth 0 ',
}


def begin(place):
    os.environ['PG_BIN'] = place
    server = TlsServer(roles=('password', 'scram'), hba=(
        'local all trust trust', 'local all password password',
        'local all md5 md5', 'local all scram scram-sha-256',
        'hostssl all tester 127.0.0.1/32 cert',
        'host all trust 127.0.0.1/32 trust',
        'host all password 127.0.0.1/32 password',
        'host all md5 127.0.0.1/32 md5',
        'host all scram 127.0.0.1/32 scram-sha-256'),
        ssl_ca_file=certs('root.crt'))
    server.sql('postgres', 'CREATE ROLE trust LOGIN',
               "SET password_encryption = 'md5'",
               "CREATE ROLE md5 LOGIN PASSWORD '%s'" % SECRET)
    return server


def cell(server, version, method, way):
    """'ok', 'FAIL', or '-' where there is no such thing."""
    if method in ('scram-plus', 'cert') and way in ('Unix', 'TCP') or \
            way == 'direct' and version < DIRECT_FROM:
        return '-'
    words = {'password': SECRET, **METHOD[method], **WAY[way]}
    if way == 'Unix':
        words.update(host=server.dir, hostaddr=None)
    what = 'PostgreSQL %d, %s, %s' % (version, method, way)
    db = server.fresh('m', words.get('user', 'tester'))
    words['dbname'] = db
    fine = True
    got = server.go('--json', **words)
    fine &= check(what + ': ping', 0, got.status) or note(
        str(got)[:400]) or False
    fine &= check(what + ': as it was meant', True, SIGN[method] in
                  got.trace)
    if way != 'Unix':
        fine &= check(what + ': by TLS or not', way != 'TCP', bool(
            got.attempts and got.attempts[-1].tls))
    fine &= moved(what, server.words(**words))
    return 'ok' if fine else 'FAIL'


def moved(what, url):
    fine = True
    for command, want in (('status', 'pending'), ('migrate', 'applied'),
                          ('verify', None)):
        got = mizzle(command, '--json', '--dir', FOLDER, '--url', url,
                     env={'HOME': home()})
        fine &= check('%s: %s' % (what, command), (0, 8 if want else None), (
            got.status, got.event('result').get(want) if want else None)
            ) or note(str(got)[:400]) or False
    return fine


def pooled(server, version, mode):
    if not bouncer.there():
        return '-'
    pool = bouncer.PgBouncer(server, [('scram', SECRET)], pool_mode=mode)
    fine = moved('PostgreSQL %d, PgBouncer, %s' % (version, mode),
                 server.words(port=pool.port, user='scram', password=SECRET,
                              dbname=server.fresh('p', 'scram'), **FULL))
    pool.stop()
    return 'ok' if fine else 'FAIL'


def run_test(name, place):
    """One of the tests of make check, with this server."""
    done = subprocess.run(
        [sys.executable, os.path.join(HERE, name + '.py')],
        env={**os.environ, 'PG_BIN': place, 'srcdir': SRCDIR,
             'MIZZLE': MIZZLE}, text=True, capture_output=True, check=False)
    check('%s with %s' % (name, place), 0, done.returncode) or note(
        done.stdout + done.stderr)
    return done.stdout


def round_trips(place):
    counts = dict(re.findall(r'(?m)^(\S.*?) {2,}(\d+)$',
                             run_test('roundtrips', place)))
    return '%s %s' % (counts.get('TLS 1.3, SCRAM with channel binding', '-'),
                      counts.get('TLS 1.3 at once, SCRAM with channel binding',
                                 '-'))


def details(place):
    """How many tests of TLS passed, and failed if any did."""
    total = [0, 0]
    for name in 'tls', 'tls_clients', 'tls_auth', 'tls_bulk', 'pooler':
        found = re.search(r'(?m)^(\d+) passed, (\d+) failed$',
                          run_test(name, place))
        if found:
            total = [total[0] + int(found[1]), total[1] + int(found[2])]
    return '%d' % total[0] if not total[1] else '%d, %d FAIL' % tuple(total)


def table(rows):
    widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]
    for n, row in enumerate(rows):
        note('| %s |' % ' | '.join(v.ljust(w) for v, w in zip(row, widths)))
        if n == 0:
            note('|%s|' % '|'.join('-' * (w + 2) for w in widths))


def main():
    found = servers()
    rows = [['PostgreSQL', *('%s' % m for m in METHODS),
             'PgBouncer session', 'transaction', 'round trips',
             'more of TLS']]
    for version in VERSIONS:
        if version not in found:
            note('PostgreSQL %d is not here' % version)
            continue
        server = begin(found[version])
        name = server.sql('postgres', 'SHOW server_version').split()[0]
        cells = []
        for method in METHODS:
            by = [cell(server, version, method, way) for way in WAYS]
            cells.append(' '.join(by))
        cells += [pooled(server, version, mode) for mode in (
            'session', 'transaction')]
        server.stop()
        rows.append([name, *cells, round_trips(found[version]),
                     details(found[version])])
    if not bouncer.there():
        note('PgBouncer is not here')
    note('\nEach cell: %s.  Round trips: to the first answer, with TLS 1.3 '
         'and SCRAM-SHA-256-PLUS,\nnegotiated and direct.\n' % ', '.join(WAYS))
    table(rows)
    check('a server was there', True, len(rows) > 1)
    sys.exit(verdict())


main()
