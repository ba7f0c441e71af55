# SPDX-License-Identifier: MIT
"""Records docs/session.svg: `make session`.

The program of this build runs in a terminal (tmux), against a PostgreSQL that
goes away again; what then stands on the screen is drawn as it is, colours
included, line by line in the order in which it came.  Needs tmux.
"""
import html
import os
import re
import shutil
import subprocess
import sys
import time

sys.path.insert(0, os.path.join(os.environ.get('srcdir', '.'), 'tests', 'it'))
import harness  # noqa: E402
from harness import skip, workdir, write  # noqa: E402

COLUMNS, ROWS = 90, 200
TYPING = 0.03   # seconds a character
READING = 1.2   # seconds before the next command

MIGRATIONS = [
    ('0000_customers', '''CREATE TABLE customers (
  id integer PRIMARY KEY GENERATED ALWAYS AS IDENTITY,
  email text NOT NULL UNIQUE
);
'''),
    ('0001_products', '''CREATE TABLE products (
  id integer PRIMARY KEY GENERATED ALWAYS AS IDENTITY,
  name text NOT NULL
);
'''),
    ('0002_orders', '''CREATE TABLE orders (
  id integer PRIMARY KEY GENERATED ALWAYS AS IDENTITY,
  customer_id integer NOT NULL REFERENCES custmers(id),
  placed_at timestamptz NOT NULL DEFAULT now()
);
'''),
    ('0003_orders_by_customer', '''CREATE INDEX CONCURRENTLY
  orders_by_customer ON orders (customer_id);
'''),
]
COMMANDS = [
    'mizzle migrate',
    'mizzle status',
    'sed -i s/custmers/customers/ drizzle/0002_orders.sql',
    'mizzle migrate',
    'mizzle migrate',
]
BASHRC = r'''
PS1='$ '
PROMPT_COMMAND='tmux wait-for -S prompt'
HISTFILE=
'''


# ---- the terminal

class Terminal:
    def __init__(self, directory, env):
        self.tmux = ['tmux', '-L', 'mizzle-%d' % os.getpid(), '-f', '/dev/null']
        rc = write(os.path.join(workdir(), 'bashrc'), BASHRC)
        self.run('new-session', '-d', '-x', str(COLUMNS), '-y', str(ROWS),
                 'bash', '--noprofile', '--rcfile', rc, '-i',
                 cwd=directory, env={**os.environ, **env})
        self.run('wait-for', 'prompt')

    def run(self, *args, **more):
        return subprocess.run([*self.tmux, *args], check=True, timeout=60,
                              capture_output=True, text=True, **more).stdout

    def screen(self):
        """The lines that are there, but for the prompt that waits."""
        lines = self.run('capture-pane', '-p', '-e').rstrip('\n').split('\n')
        while lines and plain(lines[-1]).strip() in ('', '$'):
            lines.pop()
        return lines

    def type(self, command):
        self.run('send-keys', '-l', command)
        self.run('send-keys', 'Enter')
        self.run('wait-for', 'prompt')

    def close(self):
        self.run('kill-server')


def plain(line):
    return re.sub(r'\x1b\[[0-9;]*m', '', line)


def record():
    """[(seconds, typed, line)]: when each line came, and if by hand."""
    server = harness.Server()
    server.fresh('shop')
    folder = os.path.join(workdir(), 'shop')
    harness.journal(os.path.join(folder, 'drizzle'), MIGRATIONS,
                    1795362056000, 86400000)
    bin = harness.newdir('bin')
    os.symlink(harness.MIZZLE, os.path.join(bin, 'mizzle'))
    terminal = Terminal(folder, {
        'DATABASE_URL': server.url('shop'), 'TZ': 'UTC', 'LC_ALL': 'C.UTF-8',
        'PATH': bin + ':' + os.environ['PATH']})
    lines, now = [], 0.5
    for command in COMMANDS:
        begun = time.monotonic()
        terminal.type(command)
        took = time.monotonic() - begun
        screen = terminal.screen()
        lines.append((now, True, screen[len(lines)]))
        now += TYPING * len(command) + took
        lines += [(now, False, line) for line in screen[len(lines):]]
        now += READING
    terminal.close()
    return lines


# ---- the picture

WIDTH, HEIGHT, SIZE = 8.0, 19, 13.3   # of a character, of a line, of the font
LEFT, TOP = 20, 54
# what has not come yet is dim, not hidden: nobody has to wait for it
CLASSES = {'1': 'b', '2': 'd', '31': 'r', '32': 'g', '33': 'y', '36': 'c'}
STYLE = '''
text{font:%spx ui-monospace,SFMono-Regular,Menlo,Consolas,'DejaVu Sans Mono',monospace;fill:#d5dae2;white-space:pre}
.b{font-weight:bold}.d{fill:#8b949e}.r{fill:#ff7b72}.g{fill:#7ee787}.y{fill:#e3b341}.c{fill:#79c0ff}
g{animation:s 0s step-end both}@keyframes s{from{opacity:.25}}
@media(prefers-reduced-motion){g{animation:none}}
''' % SIZE


class Look:
    """What text looks like; tmux lets it go on in the next line."""

    def __init__(self):
        self.weight = self.color = None

    def turn(self, code):
        if code in ('', '0'):
            self.weight = self.color = None
        elif code in '12':
            self.weight = CLASSES[code]
        elif code == '22':
            self.weight = None
        elif code == '39':
            self.color = None
        elif code in CLASSES:
            self.color = CLASSES[code]
        elif code != '49':
            raise SystemExit('no colour for %r' % code)

    def runs(self, line):
        """(column, classes, text) of what looks the same."""
        column = 0
        for part in re.split(r'\x1b\[([0-9;]*)m', line):
            if column is None:
                for code in part.split(';'):
                    self.turn(code)
                column = end
                continue
            yield column, [n for n in (self.weight, self.color) if n], part
            end, column = column + len(part), None


def words(column, look, text):
    """Drawn so that columns are kept, whatever the font is."""
    for match in re.finditer(r'\S+(?: \S+)*', text):
        name = ' class="%s"' % ' '.join(look) if look else ''
        yield '<text x="%g" textLength="%g"%s>%s</text>' % (
            LEFT + WIDTH * (column + match.start()),
            WIDTH * len(match.group()), name,
            html.escape(match.group(), quote=False))


def draw(lines):
    height = TOP + HEIGHT * len(lines) + 6
    width = 2 * LEFT + WIDTH * COLUMNS
    out = ['<svg xmlns="http://www.w3.org/2000/svg" width="%g" height="%g" '
           'viewBox="0 0 %g %g" role="img" aria-labelledby="t">'
           % (width, height, width, height),
           '<title id="t">mizzle migrate stops at an SQL error and shows the '
           'place; once that is mended the next run applies the rest</title>',
           '<style>%s</style>' % STYLE,
           '<rect width="100%" height="100%" rx="10" fill="#161b22"/>']
    out += ['<circle cx="%d" cy="22" r="6" fill="%s"/>' % (24 + 20 * i, color)
            for i, color in enumerate(('#ff5f57', '#febc2e', '#28c840'))]
    look = Look()
    for number, (seconds, typed, line) in enumerate(lines):
        drawn = [one for run in look.runs(line) for one in words(*run)]
        if typed:
            drawn = [*words(0, ['d'], '$'), *words(2, ['b'], plain(line)[2:])]
        if drawn:
            out.append('<g style="animation-delay:%.2fs" transform='
                       '"translate(0 %d)">%s</g>' % (
                           seconds, TOP + HEIGHT * number, ''.join(drawn)))
    return '\n'.join(out + ['</svg>', ''])


if not shutil.which('tmux'):
    skip('no tmux here')
harness.needs_program()
picture = draw(record())
write(os.path.join(harness.SRCDIR, 'docs', 'session.svg'), picture)
print('docs/session.svg: %d bytes' % len(picture))
