# SPDX-License-Identifier: MIT
"""A real PgBouncer before a server, for tests."""
import atexit
import os
import shutil
import signal
import socket
import subprocess

from harness import wait_for
from tlsworld import certs

PROGRAM = shutil.which('pgbouncer') or '/usr/sbin/pgbouncer'


def there():
    return os.access(PROGRAM, os.X_OK)


def version():
    return subprocess.run([PROGRAM, '--version'], capture_output=True,
                          text=True, check=True).stdout.split()[1]


class PgBouncer:
    """TLS and SCRAM on both sides; users are (name, password)."""

    def __init__(self, server, users, **settings):
        self.dir = os.path.join(server.dir, 'bouncer-%d' % len(os.listdir(
            server.dir)))
        os.mkdir(self.dir)
        with socket.socket() as s:
            s.bind(('127.0.0.1', 0))
            self.port = s.getsockname()[1]
        for name in 'server.crt', 'server.key', 'root.crt':
            shutil.copy(certs(name), self.dir)
        with open(self.dir + '/users', 'w', encoding='utf-8') as f:
            f.writelines('"%s" "%s"\n' % user for user in users)
        settings = {**dict(
            listen_addr='127.0.0.1', listen_port=self.port,
            unix_socket_dir=self.dir, auth_type='scram-sha-256',
            auth_file=self.dir + '/users', pool_mode='session',
            client_tls_sslmode='require',
            client_tls_key_file=self.dir + '/server.key',
            client_tls_cert_file=self.dir + '/server.crt',
            server_tls_sslmode='verify-full',
            server_tls_ca_file=self.dir + '/root.crt',
            admin_users=users[0][0], default_pool_size=4), **settings}
        with open(self.dir + '/ini', 'w', encoding='utf-8') as f:
            f.write('[databases]\n* = host=localhost port=%d\n[pgbouncer]\n'
                    % server.port)
            f.writelines('%s = %s\n' % (k, v) for k, v in settings.items()
                         if v is not None)
        owner = os.stat(server.data)
        for where, _, files in os.walk(self.dir):
            os.chown(where, owner.st_uid, owner.st_gid)
            for name in files:
                os.chown(os.path.join(where, name), owner.st_uid,
                         owner.st_gid)
        self.start()

    def start(self):
        """It does not run as root."""
        user = ['setpriv', '--reuid=postgres', '--regid=postgres',
                '--init-groups'] if os.geteuid() == 0 else []
        with open(self.dir + '/log', 'ab') as log:
            self.process = subprocess.Popen(
                [*user, PROGRAM, self.dir + '/ini'],
                stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                start_new_session=True)
        atexit.register(self.stop)
        if not wait_for(self.answers):
            raise RuntimeError('no PgBouncer: ' + self.log())

    def answers(self):
        try:
            socket.create_connection(('127.0.0.1', self.port)).close()
            return True
        except OSError:
            return False

    def log(self):
        with open(self.dir + '/log', encoding='utf-8') as f:
            return f.read()

    def stop(self):
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            self.process.wait()
