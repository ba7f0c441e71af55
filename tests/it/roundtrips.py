# SPDX-License-Identifier: MIT
"""How often one side waits for the other, counted by a proxy."""
import sys

from harness import (check, journal, mizzle, needs_program, newdir, note,
                     verdict)
from tlsworld import SECRET, TlsServer, certs, home
from wire import Proxy

needs_program()
server = TlsServer(roles=('scram', 'trust'), hba=(
    'host all trust 127.0.0.1/32 trust',
    'host all scram 127.0.0.1/32 scram-sha-256'))
proxy = Proxy(server.port)
FOLDER = journal(newdir('turns'), [('0000_a', 'SELECT 1;')])
FULL = dict(sslmode='verify-full', sslrootcert=certs('root.crt'))
DIRECT = dict(sslnegotiation='direct', **FULL)
OLD = dict(ssl_max_protocol_version='TLSv1.2', **FULL)

# what, who, how, turns from connecting to the first answer
PATHS = (
    ('plain, trust', 'trust', dict(sslmode='disable'), 2),
    ('plain, SCRAM', 'scram', dict(sslmode='disable'), 4),
    ('TLS 1.3, trust', 'trust', FULL, 4),
    ('TLS 1.3, SCRAM with channel binding', 'scram', FULL, 6),
    ('TLS 1.3, SCRAM without', 'scram', dict(
        channel_binding='disable', **FULL), 6),
    ('TLS 1.2, SCRAM with channel binding', 'scram', OLD, 7),
    ('TLS 1.3 at once, trust', 'trust', DIRECT, 3),
    ('TLS 1.3 at once, SCRAM with channel binding', 'scram', DIRECT, 5),
)
SINCE = {'direct': 170000}  # the server has it from this version on


GOODBYE = 40    # bytes: a TLS alert is less, an answer to a query more


def turns_of(session):
    """How often we spoke before the last answer.  After it comes a goodbye,
    in as many parts as both sides like."""
    parts = session['parts']
    last = max((i for i, (way, n) in enumerate(parts)
                if way == 'back' and n > GOODBYE), default=0)
    return sum(way == 'front' and (i == 0 or parts[i - 1][0] == 'back')
               for i, (way, _) in enumerate(parts[:last]))


def one(what, user, how, turns):
    """A run that has nothing to do, and so asks one question."""
    del proxy.sessions[:]
    got = mizzle('migrate', '--json', '--dir', FOLDER, '--url', server.words(
        port=proxy.port, user=user, password=SECRET, **how), env={
            'HOME': home()})
    if not check(what + ': nothing to do', (0, 0), (
            got.status, got.event('result').get('applied'))):
        note(str(got)[:400])
        return
    check(what + ': one connection', 1, len(proxy.sessions))
    check(what + ': turns', turns, turns_of(proxy.sessions[0]))
    check(what + ': with that of TCP it says as many', turns + 1,
          got.event('result').get('round_trips'))
    note('%-44s %d' % (what, turns))


server.sql('postgres', 'GRANT CREATE ON DATABASE postgres TO trust')
mizzle('migrate', '--dir', FOLDER, '--url', server.words(
    user='trust', sslmode='disable'))
server.sql('postgres', 'GRANT USAGE ON SCHEMA drizzle TO scram',
           'GRANT SELECT ON drizzle.__drizzle_migrations TO scram')
for path in PATHS:
    needed = SINCE.get(path[2].get('sslnegotiation'), 0)
    if server.version() >= needed:
        one(*path)
    else:
        note('%-44s this server has no such thing' % path[0])
proxy.close()
sys.exit(verdict())
