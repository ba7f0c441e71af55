# SPDX-License-Identifier: MIT
"""A real PgBouncer before a server, for tests."""
import atexit
import os
import shutil
import signal
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
        for name in 'server.crt', 'server.key', 'root.crt':
            shutil.copy(certs(name), self.dir)
        with open(self.dir + '/users', 'w', encoding='utf-8') as f:
            f.writelines('"%s" "%s"\n' % user for user in users)
        settings = {**dict(
            listen_addr='127.0.0.1', unix_socket_dir=self.dir,
            auth_type='scram-sha-256',
            auth_file=self.dir + '/users', pool_mode='session',
            client_tls_sslmode='require',
            client_tls_key_file=self.dir + '/server.key',
            client_tls_cert_file=self.dir + '/server.crt',
            server_tls_sslmode='verify-full',
            server_tls_ca_file=self.dir + '/root.crt',
            admin_users=users[0][0], default_pool_size=4), **settings}
        self.text = '[databases]\n* = host=127.0.0.1 port=%d\n[pgbouncer]\n' \
            % server.port + ''.join('%s = %s\n' % (k, v) for k, v in
                                    settings.items() if v is not None)
        self.data = server.data
        atexit.register(self.stop)
        for _ in range(10):
            if self.start():
                return
            self.stop()
        raise RuntimeError('no PgBouncer: ' + self.log())

    def start(self, port=None):
        """At any port; false when somebody else has it."""
        self.port = port or \
            12000 + int.from_bytes(os.urandom(2), 'big') % 20000
        with open(self.dir + '/ini', 'w', encoding='utf-8') as f:
            f.write('%slisten_port = %d\n' % (self.text, self.port))
        self.give_away()
        # It does not run as root.
        user = ['setpriv', '--reuid=postgres', '--regid=postgres',
                '--init-groups'] if os.geteuid() == 0 else []
        with open(self.dir + '/log', 'wb') as log:
            self.process = subprocess.Popen(
                [*user, PROGRAM, self.dir + '/ini'],
                stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                start_new_session=True)
        wait_for(lambda: self.process.poll() is not None or
                 'process up' in self.log())
        return self.process.poll() is None and \
            'listening on 127.0.0.1:%d' % self.port in self.log()

    def give_away(self):
        owner = os.stat(self.data)
        for where, _, files in os.walk(self.dir):
            os.chown(where, owner.st_uid, owner.st_gid)
            for name in files:
                os.chown(os.path.join(where, name), owner.st_uid,
                         owner.st_gid)

    def log(self):
        with open(self.dir + '/log', encoding='utf-8') as f:
            return f.read()

    def stop(self, number=signal.SIGTERM):
        if self.process.poll() is None:
            self.process.send_signal(number)
            self.process.wait()

    def restart(self, number):
        """Ended by that signal, and there again at the same port."""
        self.stop(number)
        if not wait_for(lambda: self.start(self.port), 20):
            raise RuntimeError('no PgBouncer: ' + self.log())
