# SPDX-License-Identifier: MIT
"""A session of somebody else that holds what others want, until it is let go:
a psql in a transaction, which has done what it is here for when it is made."""
import subprocess
import time


class Gate:
    def __init__(self, server, db, sql=None, application='bob'):
        self.psql = subprocess.Popen(
            [server.psql, '-X', '-q', '-A', '-t', '-v', 'ON_ERROR_STOP=1',
             'host=%s port=%d user=postgres dbname=%s application_name=%s'
             % (server.dir, server.port, db, application)],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.pid = int(self.ask('SELECT pg_backend_pid()'))
        if sql:
            self.ask('\\o /dev/null\nBEGIN; %s;\n\\o' % sql, told=True)

    def say(self, line):
        self.psql.stdin.write(line + '\n')
        self.psql.stdin.flush()

    def ask(self, sql, told=False):
        """One line of an answer; told: when it is done."""
        self.say(sql + ('\n\\echo done' if told else ';'))
        return self.psql.stdout.readline().strip()

    def time(self, sql):
        """How many seconds it takes."""
        began = time.monotonic()
        self.ask(sql)
        return time.monotonic() - began

    def open(self):
        """It is rolled back, and all of it is let go."""
        if self.psql.poll() is None:
            self.psql.stdin.close()
            self.psql.wait()
            self.psql.stdout.close()
