# SPDX-License-Identifier: MIT
"""A session of psql beside what is tested, for locks that somebody holds."""
import subprocess


class Session:
    """Runs the statements, and then holds what they took until close()."""

    def __init__(self, server, db, *statements):
        self.process = subprocess.Popen(
            [server.psql, '-X', '-q', '-A', '-t', '-h', server.dir, '-p',
             str(server.port), '-U', 'postgres', '-d', db],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT, text=True)
        for statement in statements:
            self.say(statement)

    def say(self, statement):
        """Returns when it is done."""
        self.process.stdin.write(statement + ';\n\\echo done\n')
        self.process.stdin.flush()
        while self.process.stdout.readline() not in ('', 'done\n'):
            pass

    def close(self):
        self.process.communicate()
