# SPDX-License-Identifier: MIT
"""What somebody else makes of our bytes: tshark reads a captured run."""
import ctypes
import os
import re
import shutil
import socket
import struct
import subprocess
import sys
import threading

from harness import (BREAK, check, journal, mizzle, needs_program, newdir, note,
                     skip, verdict, workdir)
from tlsworld import SECRET, TlsServer, certs, home

needs_program()
if not shutil.which('tshark'):
    skip('no tshark here')
OUTGOING = 4    # of the two copies that the loopback shows
SO_ATTACH_FILTER = 26


def of_tcp(port):
    """A filter for the kernel, so that nothing else fills the buffer:
    Ethernet, IPv4, TCP from or to that port."""
    code = [(0x28, 0, 0, 12), (0x15, 0, 8, 0x0800),     # EtherType
            (0x30, 0, 0, 23), (0x15, 0, 6, socket.IPPROTO_TCP),
            (0xb1, 0, 0, 14),                           # X: IP's header
            (0x48, 0, 0, 14), (0x15, 2, 0, port),       # from
            (0x48, 0, 0, 16), (0x15, 0, 1, port),       # to
            (0x06, 0, 0, 1 << 18), (0x06, 0, 0, 0)]
    text = ctypes.create_string_buffer(b''.join(
        struct.pack('HBBI', *step) for step in code))
    return struct.pack('HP', len(code), ctypes.addressof(text)), text


class Capture:
    """TCP of one port on the loopback, as a pcap file."""

    def __init__(self, port):
        try:
            self.raw = socket.socket(socket.AF_PACKET, socket.SOCK_RAW,
                                     socket.htons(3))
            program, text = of_tcp(port)
            self.raw.setsockopt(socket.SOL_SOCKET, SO_ATTACH_FILTER, program)
            del text    # which had to live until here
            self.raw.bind(('lo', 0))
        except (OSError, AttributeError) as e:
            skip('packets cannot be captured here: %s' % e)
        self.raw.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 8 << 20)
        self.raw.settimeout(0.2)
        self.packets, self.over = [], False
        self.thread = threading.Thread(target=self.run, daemon=True)
        self.thread.start()

    def run(self):
        while True:
            try:
                packet, where = self.raw.recvfrom(1 << 18)
            except socket.timeout:
                if self.over:
                    return
                continue
            if where[2] == OUTGOING:
                self.packets.append(packet)

    def save(self, name):
        self.over = True
        self.thread.join()
        self.raw.close()
        path = os.path.join(workdir(), name + '.pcap')
        with open(path, 'wb') as f:
            f.write(struct.pack('<IHHiIII', 0xa1b2c3d4, 2, 4, 0, 0, 1 << 18,
                                1))
            for n, packet in enumerate(self.packets):
                f.write(struct.pack('<IIII', n // 1000000, n % 1000000,
                                    len(packet), len(packet)) + packet)
        return path


def shark(path, *args):
    done = subprocess.run(
        ['tshark', '-n', '-r', path, '-d', 'tcp.port==%d,pgsql' % server.port,
         *args], stdin=subprocess.DEVNULL, capture_output=True, text=True,
        env={**os.environ, 'HOME': home()}, check=False)
    check('tshark reads it', 0, done.returncode) or note(done.stderr)
    return done.stdout


# Names of messages: ours in a trace, and tshark's.
NAMES = {
    'startup': 'Startup message',
    'sasl_initial': 'SASLInitialResponse message',
    'sasl_response': 'SASLResponse message', 'query': 'Simple query',
    'terminate': 'Termination', 'auth': 'Authentication request',
    'parameter': 'Parameter status', 'key_data': 'Backend key data',
    'ready': 'Ready for query', 'row_desc': 'Row description',
    'data_row': 'Data row', 'complete': 'Command completion',
    'notice': 'Notice', 'empty_query': 'Empty query', 'error': 'Error',
}
# The order of a first run, by itself: n times the same are one.
FRONT = ['Startup message', 'SASLInitialResponse message',
         'SASLResponse message', 'Simple query', 'Termination']
BACK = ['Authentication request', 'Parameter status', 'Backend key data',
        'Ready for query', 'Row description', 'Data row',
        'Command completion', 'Error',  # there is no history yet
        'Ready for query']


def messages(path, *args):
    """What each side said, {'F': [...], 'B': [...]}, and the text."""
    text = shark(path, '-O', 'pgsql', *args)
    check('no frame is malformed', [], re.findall(
        r'(?im)^.*(?:malformed|dissector bug|expert info).*$', text))
    found = {'F': [], 'B': []}
    side = None
    for line in text.splitlines():
        port = re.match(r'Transmission Control Protocol, Src Port: (\d+)',
                        line)
        if port:
            side = 'B' if int(port[1]) == server.port else 'F'
        kind = re.match(r'    Type: (.*)', line)
        if kind:
            found[side].append(kind[1])
    return found, text


def traced(path):
    found = {'F': [], 'B': []}
    with open(path, encoding='utf-8') as f:
        for line in f:
            side, name = line.split()[:2]
            if not name.startswith('ssl_'):
                found[side].append(NAMES.get(name, name))
    return found


def first_run(db, **how):
    """Captured and traced; gives the file and what we say of it."""
    server.fresh(db, 'scram')
    capture = Capture(server.port)
    trace = os.path.join(workdir(), 'trace')
    got = mizzle('migrate', '--dir', FOLDER, '--trace', trace, '--url',
                 server.words(dbname=db, user='scram', password=SECRET,
                              **how), env={'HOME': home()})
    check(db + ': it worked', 0, got.status) or note(str(got)[:400])
    return capture.save(db), traced(trace)


def squeezed(names):
    return [n for i, n in enumerate(names) if i == 0 or names[i - 1] != n]


def plaintext():
    path, told = first_run('plain', sslmode='disable')
    seen, _ = messages(path)
    check('the trace and tshark agree on what we sent', told['F'], seen['F'])
    check('and on what came', told['B'], seen['B'])
    check('the order of a first run', FRONT, squeezed(seen['F']))
    check('and of its answers', BACK, squeezed(seen['B'])[:len(BACK)])
    check('a question, the lock, two migrations', True,
          seen['F'].count('Simple query') >= 4)
    check('as many answers as questions', seen['F'].count('Simple query') + 1,
          seen['B'].count('Ready for query'))
    return seen


def encrypted(plain):
    keys = os.path.join(workdir(), 'keys')
    path, told = first_run('secret', sslmode='verify-full', sslkeylogfile=keys,
                           sslrootcert=certs('root.crt'))
    check('the key log is for its owner alone', 0o600,
          os.stat(keys).st_mode & 0o777)
    seen, text = messages(path, '-o', 'tls.keylog_file:' + keys)
    check('TLS is asked for first', 'SSL request', seen['F'][0])
    check('then it is the same as in the clear', plain['F'], seen['F'][1:])
    check('and the server says the same', plain['B'], [
        name for name in seen['B'] if not name.startswith('SSL')])
    check('the trace has it too', told, plain)
    check('the login is bound to the channel', True,
          'SASL authentication mechanism: SCRAM-SHA-256-PLUS' in text)
    without, _ = messages(path)
    check('without the keys there is no more than the request',
          ['SSL request'], without['F'])
    text = shark(path, '-O', 'tls', '-Y', 'tls.handshake.type == 1')
    check('the name is in the first message (SNI)', re.compile(
        r'Server Name: localhost$', re.M), text)
    check('and the protocol (ALPN)', re.compile(
        r'ALPN Next Protocol: postgresql$', re.M), text)


server = TlsServer(roles=('scram',), hba=(
    'host all scram 127.0.0.1/32 scram-sha-256',))
FOLDER = journal(newdir('shark'), [
    ('0000_a', 'CREATE TABLE a (n int);'),
    ('0001_b', 'INSERT INTO a VALUES (1);\n%s\nINSERT INTO a VALUES (2);'
     % BREAK)])
encrypted(plaintext())
sys.exit(verdict())
