# SPDX-License-Identifier: MIT
"""Completion in the real shells, on a terminal: what is offered for command
lines that are typed in part, and what becomes of them.  A shell that is not
here is left out.
"""
import os
import pty
import re
import select
import shutil
import subprocess
import sys
import time

import harness
from harness import check, mizzle, needs_program, verdict, workdir, write

needs_program()
SHELLS = ('bash', 'zsh', 'fish')
here = workdir()

# ---- what there is to complete

TAGS = ['0000_init', '0001_posts', '0002_tags']
harness.journal(os.path.join(here, 'drizzle'), [(t, '') for t in TAGS])
harness.journal(os.path.join(here, 'with space'), [('0000_spaced', '')])
for name in ('0001 two words', "0002 it's", '0003:colon', '0004_plain', '0005@at'):
    write(os.path.join(here, 'odd', name + '.sql'), 'SELECT 1;')
ODD = ['0001 two words', "0002 it's", '0003:colon', '0004_plain', '0005@at']
write(os.path.join(here, 'odd', '0006\n.sql'), 'SELECT 1;')
for name in ('apple.sql', 'bean salad.sql', 'bread.sql'):
    write(os.path.join(here, name), 'SELECT 1;')
FOLDERS = ['drizzle', 'with space', 'odd', 'bin']
FILES = ['apple.sql', 'bean salad.sql', 'bread.sql']
os.mkdir(os.path.join(here, 'bin'))
os.symlink(harness.MIZZLE, os.path.join(here, 'bin', 'mizzle'))
ENV = {'PATH': os.path.join(here, 'bin') + ':' + os.environ['PATH'],
       'HOME': here, 'TERM': 'dumb', 'LC_ALL': 'C.UTF-8', 'COLUMNS': '200'}


def script(shell):
    return mizzle('completion', shell).out


with open(os.path.join(harness.SRCDIR, 'src', 'commands.def')) as table:
    NAMES = [name for row in re.findall(
        r'^COMMAND\((\w+), (?:"(\w+)")?', table.read(), re.M)
        for name in row if name]


def options_of(*command):
    """The long options that the program's own help says it takes."""
    return re.findall(r'^ {2,6}(?:-\w, )?(--[a-z-]+)',
                      mizzle(*command, '--help').out, re.M)


GLOBAL = options_of()

# line, what must be offered, what must not; True: nothing else is offered
CASES = [
    ('mizzle ', NAMES, True),
    ('mizzle m', ['migrate'], True),
    ('mizzle x', [], True),
    ('mizzle --', GLOBAL, ['--transaction', '--yes']),
    ('mizzle up --tr', ['--transaction', '--trace'], True),
    ('mizzle status --tr', ['--trace'], True),
    # what is given is not offered again, but for what repeats
    ('mizzle --json migrate --js', [], True),
    ('mizzle --json migrate --', ['--quiet'], ['--json']),
    ('mizzle migrate --to 0000_init --', ['--json'], ['--to']),
    ('mizzle migrate --to=0000_init --', ['--json'], ['--to']),
    ('mizzle migrate -q --', ['--verbose'], ['--quiet']),
    ('mizzle -qv status --', ['--exit-code'], ['--quiet', '--verbose']),
    ("mizzle exec -c 'SELECT 1' --com", ['--command'], True),
    ("mizzle exec --command='SELECT 1' --com", ['--command'], True),
    ('mizzle exec -1 --', ['--csv'], ['--single-transaction']),
    # words
    ('mizzle migrate --transaction ', ['each', 'all'], True),
    ('mizzle migrate --transaction=', ['each', 'all'], True),
    ('mizzle migrate --transaction=a', ['all'], True),
    ('mizzle check --fail-on w', ['warning'], True),
    ('mizzle --color n', ['never'], True),
    ('mizzle completion ', ['bash', 'zsh', 'fish'], ['tags']),
    ('mizzle completion z', ['zsh'], True),
    ('mizzle completion zsh ', [], ['bash', 'zsh', 'fish']),
    # values of which nothing is known are passed over, whatever is in them
    ('mizzle --url ', [], True),
    ('mizzle --url=', [], True),
    ('mizzle migrate --lock-wait ', [], True),
    ('mizzle --url postgres://u:p@h:5/d mi', ['migrate'], True),
    ('mizzle --url=postgres://u:p@h:5/d?a=b mi', ['migrate'], True),
    ('mizzle --url "host=h user=u" mi', ['migrate'], True),
    ("mizzle --url='host=h user=u' mi", ['migrate'], True),
    ('mizzle --url host=h\\ user=u mi', ['migrate'], True),
    ('mizzle --schema migrate sta', ['status'], True),
    ('mizzle --schema migrate --', ['--json'], ['--transaction']),
    ('mizzle exec -1c ', [], True),
    ('mizzle exec -cmigrate app', ['apple.sql'], True),
    ("mizzle exec --command='SELECT 1' app", ['apple.sql'], True),
    ('mizzle bundle -o app', ['apple.sql'], True),
    ('mizzle bundle --output=app', ['apple.sql'], True),
    ('mizzle bundle -o x --outp', [], True),
    ('mizzle bundle -ox --outp', [], True),
    ('mizzle exec -1c migrate app', ['apple.sql'], True),
    ('mizzle --wait 5s wa', ['wait'], True),
    # tags
    ('mizzle migrate --to ', TAGS, True),
    ('mizzle rollback --to=', TAGS, True),
    ('mizzle rollback --to=0001', ['0001_posts'], True),
    ('mizzle rollback --to 0001', ['0001_posts'], True),
    ('mizzle baseline ', TAGS, FILES + NAMES),
    ('mizzle baseline 0000_init ', [], TAGS + FILES + NAMES),
    ('mizzle baseline 0000_init --j', ['--json'], True),
    ('mizzle --dir odd baseline ', ODD, TAGS),
    ('mizzle --dir=odd baseline 0004', ['0004_plain'], True),
    ('mizzle baseline --dir odd ', ODD, TAGS),
    ('mizzle --dir "with space" migrate --to ', ['0000_spaced'], True),
    ('mizzle --dir with\\ space migrate --to ', ['0000_spaced'], True),
    ("mizzle --dir='with space' migrate --to=", ['0000_spaced'], True),
    ('mizzle --dir ~/odd migrate --to 0004', ['0004_plain'], True),
    ('mizzle --dir nowhere migrate --to ', [], True),
    ('mizzle --dir / baseline ', [], TAGS),
    # files and folders
    ('mizzle exec ', FILES, NAMES),
    ('mizzle exec apple.sql br', ['bread.sql'], True),
    ('mizzle --dir ', FOLDERS, FILES),
    ('mizzle --dir=', FOLDERS, FILES),
    ('mizzle --dir=dri', ['drizzle'], True),
    ('mizzle --config a', ['apple.sql'], True),
    ('mizzle --config=a', ['apple.sql'], True),
    ('mizzle status >app', ['apple.sql'], True),
    ('mizzle status > app', ['apple.sql'], True),
    ('mizzle status 2> app', ['apple.sql'], True),
    ('mizzle exec >out app', ['apple.sql'], True),
    # behind --
    ('mizzle -- m', ['migrate'], True),
    ('mizzle -- migrate --', [], True),
    ('mizzle migrate -- --tr', [], True),
    ('mizzle exec -- br', ['bread.sql'], True),
    ('mizzle baseline -- 0001', ['0001_posts'], True),
    # nothing is known of these
    ('mizzle new ', [], FILES + NAMES),
    ('mizzle status ', [], FILES + NAMES + TAGS),
    ('mizzle nonsense --', [], ['--transaction', '--yes']),
    ('mizzle help ', NAMES, FILES),
    ('mizzle help migrate ', [], NAMES + FILES),
] + [('mizzle %s --' % name, options_of(name), True) for name in NAMES]

# What the line is when there is one way to go on; zsh has ways of its own
FINISHED = [
    ('mizzle mig', 'mizzle migrate '),
    ('mizzle up --lock-w', 'mizzle up --lock-wait ',
     'mizzle up --lock-wait='),
    ('mizzle migrate --transaction=a', 'mizzle migrate --transaction=all '),
    ('mizzle migrate --to=0001', 'mizzle migrate --to=0001_posts '),
    ('mizzle --dir odd baseline 0001', r'mizzle --dir odd baseline 0001\ two\ words '),
    ('mizzle --dir odd migrate --to=0001', r'mizzle --dir odd migrate --to=0001\ two\ words '),
    ('mizzle --dir odd baseline "0001', 'mizzle --dir odd baseline "0001 two words" '),
    ('mizzle --dir odd migrate --to="0001 t',
     'mizzle --dir odd migrate --to="0001 two words" ',
     r'mizzle --dir odd migrate --to=0001\ two\ words '),
    ('mizzle --dir odd baseline 0002', r"mizzle --dir odd baseline 0002\ it\'s "),
    ('mizzle --dir odd baseline 0003', 'mizzle --dir odd baseline 0003:colon '),
    ('mizzle --dir odd baseline 0003:', 'mizzle --dir odd baseline 0003:colon '),
    ('mizzle --dir odd migrate --to=0003:c', 'mizzle --dir odd migrate --to=0003:colon '),
    ('mizzle --dir odd baseline 0005@', 'mizzle --dir odd baseline 0005@at '),
    ('mizzle --dir odd migrate --to=0005@a', 'mizzle --dir odd migrate --to=0005@at '),
    ('mizzle exec be', r'mizzle exec bean\ salad.sql '),
    ('mizzle exec "be', 'mizzle exec "bean salad.sql" '),
    ('mizzle --config=be', r'mizzle --config=bean\ salad.sql '),
    ('mizzle --dir=wi', r'mizzle --dir=with\ space/'),
    ('DATABASE_URL=x mizzle mig', 'DATABASE_URL=x mizzle migrate '),
    ('true | mizzle ex', 'true | mizzle exec '),
    ('mizzle  --dir  odd   baseline 0004', 'mizzle  --dir  odd   baseline 0004_plain '),
    ('mizzle mig --json\x01\x1bf\x1bf', 'mizzle migrate --json',
     'mizzle mig --json '),
    ('true; mizzle mig', 'true; mizzle migrate '),
    ('bin/mizzle baseline 0002', 'bin/mizzle baseline 0002_tags '),
    ('~/bin/mizzle baseline 0002', '~/bin/mizzle baseline 0002_tags '),
]


# A bundle completes the tags of the folder in it.
BUNDLE = [('app-migrate --dir od', 'app-migrate --dir odd/'),
          ('app-migrate baseline 0001', 'app-migrate baseline 0001_posts '),
          ('app-migrate sta', 'app-migrate status ')]
mizzle('bundle', '-o', 'bin/app-migrate', '--dir', 'drizzle', cwd=here)


# ---- shells on a terminal

class Terminal:
    """A shell that says, for a key, what was offered and what its line is."""

    def __init__(self, *argv):
        self.pid, self.fd = pty.fork()
        if self.pid == 0:
            os.chdir(here)
            os.execvpe(argv[0], argv, ENV)
        self.seen = b''

    def type(self, text):
        os.write(self.fd, text.encode())

    def until(self, text, seconds=60):
        end = time.monotonic() + seconds
        while text.encode() not in self.seen:
            left = max(0, end - time.monotonic())
            if not select.select([self.fd], [], [], left)[0]:
                raise RuntimeError('%r is not said, but %r' % (text, self.seen))
            self.seen += os.read(self.fd, 65536)
        before, _, self.seen = self.seen.partition(text.encode())
        return before.decode('utf-8', 'replace')

    def complete(self, line):
        """(candidates, the line, what was on the screen)"""
        for name in ('offered', 'line'):
            write(os.path.join(here, name), '')
        self.type(line + '\t\x18d')
        screen = self.until('line is told')
        self.type('\x05\x15')
        with open(os.path.join(here, 'offered')) as f:
            offered = f.read().splitlines()
        with open(os.path.join(here, 'line')) as f:
            return offered, f.read(), screen

    def close(self):
        os.close(self.fd)
        os.waitpid(self.pid, 0)


LOADER = '/usr/share/bash-completion/bash_completion'


def bash(start=None):
    write(os.path.join(here, 'bashrc'), (start or script('bash')) + r'''
PS1='$ '
bind 'set show-all-if-ambiguous on' 'set completion-query-items 0'
bind 'set page-completions off' 'set enable-bracketed-paste off'
bind 'set bell-style none'
probe() { _mizzle "$@"; printf '%s\n' "${COMPREPLY[@]}" >~/offered; }
[[ ! $(complete -p mizzle 2>&1) == *_mizzle* ]] || complete -F probe mizzle
tell() { printf %s "$READLINE_LINE" >~/line; echo "line is"" told"; }
bind -x '"\C-xd": tell'
echo "shell is"" ready"
''')
    shell = Terminal('bash', '--noprofile', '--rcfile',
                     os.path.join(here, 'bashrc'), '-i')
    shell.until('shell is ready')
    return shell


def zsh(start='fpath=(~/zfuncs $fpath)\n'):
    write(os.path.join(here, 'zfuncs', '_mizzle'), script('zsh'))
    write(os.path.join(here, '.zshrc'), start + r'''
PS1='$ '
unsetopt beep
LISTMAX=100000
autoload -Uz compinit && compinit -u -D
[[ -n $_comps[mizzle] ]] || source <(mizzle completion zsh)
compadd() {
	if [[ ${@[1,(i)(-|--)]} == *-(O|A|D)\ * ]]; then
		builtin compadd "$@"
		return
	fi
	local -a hits shown
	zparseopts -E -a shown d:
	builtin compadd -A hits "$@"
	print -rl -- $hits >>~/offered
	[[ -z $shown ]] || print -rl -- "${(@P)shown[2]}" >>~/described
	builtin compadd "$@"
}
tell() { print -rn -- "$BUFFER" >~/line; echo "line is"" told"; }
zle -N tell
bindkey -e
bindkey '^Xd' tell
echo "shell is"" ready"
''')
    shell = Terminal('zsh', '-i')
    shell.until('shell is ready')
    return shell


class Fish:
    """It says itself what it offers, so it needs no terminal."""

    def __init__(self):
        write(os.path.join(here, 'mizzle.fish'), script('fish'))
        self.offers = {}

    def ask(self, lines):
        run = 'source ~/mizzle.fish\nfor line in $argv\n' \
            'complete -C "$line"\necho "----"\nend'
        done = subprocess.run(['fish', '--no-config', '-c', run, *lines],
                              cwd=here, env=ENV, capture_output=True,
                              text=True)
        check('fish says nothing but what it offers', '', done.stderr)
        self.offers = dict(zip(lines, done.stdout.split('----\n')))

    def complete(self, line):
        # where nothing begins with what is typed, fish offers what has it
        # somewhere within
        begun = re.sub(r'^(--[a-z-]+=|>)', '', line.split(' ')[-1])
        offered = [re.sub(r'^(--[a-z-]+=|>)', '', o.split('\t')[0])
                   for o in self.offers[line].splitlines()]
        return [o for o in offered if o.startswith(begun)], None, ''

    def close(self):
        pass


# ---- the table

def normal(offered):
    """Long options only; folders without their slash; unquoted."""
    plain = (re.sub(r'\\(.)', r'\1', o.rstrip('/')) for o in offered)
    return sorted({o for o in plain if o and not re.fullmatch('-[^-]', o)})


def try_cases(name, shell):
    for line, wanted, unwanted in CASES:
        offered, _, screen = shell.complete(line)
        offered = normal(offered)
        if unwanted is True:
            check('%s: %r' % (name, line), sorted(wanted), offered)
        else:
            check('%s: %r' % (name, line), ([], []),
                  ([w for w in wanted if w not in offered],
                   [u for u in unwanted if u in offered]))
        check('%s: %r is not disturbed' % (name, line), False,
              'error:' in screen)


def try_finished(name, shell, cases):
    for line, *wanted in cases:
        check('%s finishes %r' % (name, line),
              wanted[-1] if name.startswith('zsh') else wanted[0],
              shell.complete(line)[1])


def all_of(name):
    if not shutil.which(name):
        print('no %s here: left out' % name)
        return
    shell = {'bash': bash, 'zsh': zsh, 'fish': Fish}[name]()
    if name == 'fish':
        shell.ask([case[0] for case in CASES])
    try_cases(name, shell)
    if name != 'fish':
        try_finished(name, shell, FINISHED)
    shell.close()


def otherwise():
    """The other ways in which a shell gets its script."""
    if shutil.which('bash') and os.path.exists(LOADER):
        place = os.path.join(here, 'share', 'bash-completion', 'completions')
        write(os.path.join(place, 'mizzle'), script('bash'))
        shell = bash('XDG_DATA_HOME=~/share\n. %s\n' % LOADER)
        try_finished('bash-completion', shell, FINISHED)
        shell.close()
    elif shutil.which('bash'):
        print('no bash-completion here: left out')
    if shutil.which('bash'):
        shell = bash(script('bash') + 'set -u -f\nIFS=:/\n'
                     'shopt -s nocasematch extglob nullglob failglob\n')
        try_finished('bash with strange settings', shell, FINISHED)
        shell.close()
        shell = bash('eval "$(mizzle completion bash)"\n'
                     'complete -F _mizzle app-migrate\n')
        try_finished('bash, a bundle', shell, BUNDLE)
        shell.close()
    if shutil.which('zsh'):
        shell = zsh('')
        try_finished('zsh, sourced', shell, FINISHED)
        shell.type('compdef _mizzle app-migrate\n')
        try_finished('zsh, a bundle', shell, BUNDLE)
        shell.close()
    if shutil.which('fish'):
        write(os.path.join(here, '.config', 'fish', 'completions',
                           'mizzle.fish'), script('fish'))
        done = subprocess.run(['fish', '-c', 'complete -C "mizzle mig"'],
                              cwd=here, env=ENV, capture_output=True,
                              text=True)
        check('fish loads it by its name', re.compile('^migrate\t'),
              done.stdout)


def described():
    """zsh and fish show what commands and options are for."""
    if shutil.which('zsh'):
        with open(os.path.join(here, 'described')) as f:
            told = f.read()
        check('zsh says what migrate does', True, 'migrate' in told and
              'apply what is pending, each migration exactly once' in told)
        check('zsh keeps an apostrophe', True, "else libpq's PG*" in told)
    if shutil.which('fish'):
        fish = Fish()
        fish.ask(['mizzle mig', 'mizzle --ur'])
        check('fish says what migrate does', 'migrate\tapply what is pending, '
              'each migration exactly once\n', fish.offers['mizzle mig'])
        check('fish keeps an apostrophe', True, "else libpq's PG* variables "
              'say it' in fish.offers['mizzle --ur'])


# ---- the program alone

def program():
    for shell in SHELLS:
        got = mizzle('completion', shell, env={'HOME': None}, cwd='/')
        check('%s needs nothing' % shell, (0, ''), (got.status, got.err))
        check('%s is a script' % shell, True, len(got.out) > 1000)
        json = mizzle('completion', shell, '--json')
        check('%s as JSON' % shell, (got.out, 'result'),
              (json.event('completion').get('script'),
               json.events()[-1]['event']))
    for wrong, meant in (('bsh', 'bash'), ('zhs', 'zsh'), ('fisch', 'fish')):
        got = mizzle('completion', wrong)
        check('%s is unknown' % wrong, (2, ''), (got.status, got.out))
        check('%s is near' % wrong, re.compile('did you mean %s' % meant),
              got.err)
    got = mizzle('completion', 'powershell')
    check('a far one is unknown', 2, got.status)
    check('and has no suggestion', False, 'did you mean' in got.err)
    check('none is a usage error', 2, mizzle('completion').status)
    tags = mizzle('completion', 'tags', '--dir', 'odd', cwd=here)
    check('tags that would take two lines are left out', ODD,
          tags.out.splitlines())
    check('no folder: status 2', (2, ''), tuple(vars(mizzle(
        'completion', 'tags', '--dir', 'nowhere', cwd=here)).values())[:2])


for each in SHELLS:
    all_of(each)
otherwise()
described()
program()
sys.exit(verdict())
