# SPDX-License-Identifier: MIT
"""An empty root for the static program, and who knows names there."""
import os
import shutil
import socket
import threading

from harness import MIZZLE, newdir, skip, write
from tlsworld import certs

NAMES = {'db.example.test', 'elsewhere.example.test'}
asked = []  # the number of each question
NAMESERVER = '127.53.53.53'  # whoever listens on 127.0.0.1 may go on


def answer(query):
    """Of these names, 127.0.0.1; the others do not exist."""
    labels, at = [], 12
    while query[at]:
        labels.append(query[at + 1:at + 1 + query[at]].decode('ascii'))
        at += query[at] + 1
    known = '.'.join(labels).lower() in NAMES
    address = known and query[at + 1:at + 3] == b'\0\1'
    head = query[:2] + (b'\x85\x80' if known else b'\x85\x83') + b'\0\1' + \
        (b'\0\1' if address else b'\0\0') + b'\0\0\0\0'
    record = b'\xc0\x0c\0\1\0\1\0\0\0\x05\0\4\x7f\0\0\1'
    return head + query[12:at + 5] + (record if address else b'')


def serve_names():
    s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    try:
        s.bind((NAMESERVER, 53))
    except OSError as e:
        skip('a name server cannot listen on port 53 here: %s' % e)

    def run():
        while True:
            query, who = s.recvfrom(4096)
            asked.append(query[:2])
            s.sendto(answer(query), who)

    threading.Thread(target=run, daemon=True).start()


def furnish():
    """A directory with the program and the name of a name server in it."""
    room = newdir('room')
    shutil.copy(MIZZLE, os.path.join(room, 'mizzle'))
    write(os.path.join(room, 'etc', 'resolv.conf'),
          'nameserver %s\n' % NAMESERVER)
    return room


def enter(room):
    """What makes a room the root of a program."""
    if os.geteuid() == 0:
        return [shutil.which('chroot') or '/usr/sbin/chroot', room]
    return [shutil.which('unshare') or 'unshare', '--user', '--map-root-user',
            shutil.which('chroot') or '/usr/sbin/chroot', room]


def put(room, name, *sources):
    """A file of certificates in a room."""
    text = ''
    for source in sources:
        with open(certs(source), encoding='ascii') as f:
            text += f.read()
    return write(os.path.join(room, name), text)


def url(server, db, host='db.example.test', **words):
    query = '&'.join('%s=%s' % one for one in words.items())
    return 'postgresql://tester:%s@%s:%d/%s?%s' % (
        server.password.replace('@', '%40').replace(' ', '%20'), host,
        server.port, db, query)


VERIFIED = {'sslmode': 'verify-full', 'sslrootcert': 'system',
            'channel_binding': 'require'}
