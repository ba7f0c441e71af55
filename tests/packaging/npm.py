# SPDX-License-Identifier: MIT
"""The packages for npm: made, installed into fresh projects, and used there."""
import os
import pty
import re
import select
import shutil
import signal
import subprocess
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(__file__), 'help'))
import npmworld as n
from npmworld import h
from harness import check

h.needs_program()
n.needs('node', 'npm', 'npx', 'readelf')
DRIZZLE = os.path.join(h.SRCDIR, 'drizzle')
SLEEP = [('0000_sleep', 'CREATE TABLE t (i int);\n%s\nSELECT pg_sleep(600);'
          % h.BREAK)]

server = h.Server()
registry = n.packed()
place = n.project('a project')
npx = ['npx', '--no-install', 'mizzle']
launcher = ['node', os.path.join(place, 'node_modules/mizzle/bin/mizzle.js')]


def url(db):
    return {'DATABASE_URL': server.url(db)}


def start(argv, env=None, **more):
    return subprocess.Popen([*argv], env=h.environment(env), cwd=place,
                            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                            stderr=subprocess.PIPE, **more)


# ---- the packages

def test_packages():
    files = sorted(os.listdir(registry.directory))
    again = h.newdir('again')
    version = h.mizzle('--version').out.split()[1]
    check('there is one package for users and one for each machine',
          ['mizzle-%s.tgz' % version, 'mizzle-linux-arm64-%s.tgz' % version,
           'mizzle-linux-x64-%s.tgz' % version], files)
    n.run([n.PACK, '-o', again, 'x64=' + h.MIZZLE,
           'arm64=' + n.foreign_program()], preexec_fn=lambda: os.umask(0o77))
    for file in files:
        one, other = [open(os.path.join(where, file), 'rb').read()
                      for where in (registry.directory, again)]
        check('packed again, %s has the same bytes' % file, True,
              one == other)


def test_refusals():
    for what, pair, says in (
            ('a program of another machine', 'arm64=' + h.MIZZLE,
             'is no program for arm64'),
            ('a program with shared libraries', 'x64=' + sys.executable,
             'is not static'),
            ('a machine that there is not', 'riscv64=' + h.MIZZLE,
             'no machine riscv64'),
            ('no program', 'x64=/nowhere', 'there is no /nowhere')):
        done = n.pack(h.newdir('refused'), pair)
        check('%s is not packed' % what, (2, True),
              (done.status, says in done.err))


def test_installed():
    check('the package of this machine comes with it, and no other',
          ['linux-x64'],
          sorted(os.listdir(os.path.join(place, 'node_modules/@mizzle'))))
    check('nothing but the packages is asked for',
          {'mizzle', '@mizzle/linux-x64', '@mizzle/linux-arm64'},
          {name for name in registry.asked if not name.startswith('-/')})
    check('it is the program', h.mizzle('--version').out,
          n.run([*npx, '--version'], cwd=place).out)


# ---- npx mizzle

def test_statuses():
    db = server.fresh('npx')
    broken = h.journal(h.newdir('broken'), [('0000_bad', 'SELECT nowhere;')])
    done = n.run([*npx, 'migrate', '--dir', DRIZZLE], env=url(db), cwd=place)
    check('npx mizzle migrate applies', (0, '8'),
          (done.status, server.sql(
              db, 'SELECT count(*) FROM drizzle.__drizzle_migrations')))
    done = n.run([*npx, 'migrate', '--dir', DRIZZLE], env=url(db), cwd=place)
    check('and once more there is nothing to do', True,
          'nothing to do' in done.out)
    for status, args in ((1, ['exec', '-c', 'SELECT nowhere']),
                         (2, ['migrat']),
                         (3, ['ping', '--url', 'postgresql://127.0.0.1:%d/x'
                              % h.closed_port()]),
                         (5, ['verify', '--dir', broken])):
        done = n.run([*npx, *args], env=url(db), cwd=place)
        check('the status of mizzle %s is kept' % ' '.join(args), status,
              done.status)


def test_streams():
    db = server.fresh('streams')
    done = subprocess.run([*npx, 'exec', '--csv', '-'], cwd=place, text=True,
                          env=h.environment(url(db)), capture_output=True,
                          input="SELECT 'a  b' AS \"x y\", $$q\"'$$")
    check('input is read, and output is written', True,
          'a  b' in done.stdout)
    done = n.run([*npx, 'exec', '-c', "SELECT 'two  words; $HOME'"],
                 env=url(db), cwd=place)
    check('arguments arrive as they are', True,
          'two  words; $HOME' in done.out)


def sleeping(db):
    return h.wait_for(lambda: server.sleeping(db) == '1')


def test_signals():
    folder = h.journal(h.newdir('sleep'), SLEEP)
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        db = server.fresh('signals')
        process = start([*launcher, 'migrate', '--dir', folder], url(db))
        check('it runs', True, sleeping(db))
        process.send_signal(number)
        check('the launcher passes on signal %d, and ends as the program'
              % number, 128 + number, h.finish(process).status)
        check('what ran was rolled back', ('0', ''), left(db))


def left(db):
    return (server.sessions(db), server.sql(
        db, "SELECT relname FROM pg_class WHERE relname = 't'"))


def test_npx_ended():
    """Its shell dies of SIGTERM, and nobody waits for the program."""
    db = server.fresh('ended')
    folder = h.journal(h.newdir('ended'), SLEEP)
    process = subprocess.Popen([*npx, 'migrate', '--dir', folder], cwd=place,
                               env=h.environment(url(db)),
                               stdin=subprocess.DEVNULL,
                               stdout=subprocess.DEVNULL,
                               stderr=subprocess.DEVNULL)
    check('it runs', True, sleeping(db))
    process.send_signal(signal.SIGTERM)
    check('npx that is told to end does', True,
          process.wait(60) in (143, -signal.SIGTERM))
    check('and the program follows it', True,
          h.wait_for(lambda: left(db) == ('0', '')))


def test_killed():
    db = server.fresh('killed')
    folder = h.journal(h.newdir('killed'), SLEEP)
    process = start([*launcher, 'migrate', '--dir', folder], url(db))
    check('it runs', True, sleeping(db))
    with open('/proc/%d/task/%d/children' % (process.pid, process.pid)) as f:
        os.kill(int(f.read().split()[0]), signal.SIGKILL)
    check('if the program was killed the launcher dies of the same signal',
          -signal.SIGKILL, h.finish(process).status)


def read_all(fd):
    said = b''
    while select.select([fd], [], [], 60)[0]:
        try:
            part = os.read(fd, 65536)
        except OSError:     # nobody has it open any more
            break
        if not part:
            break
        said += part
    return said.decode('utf-8', 'replace')


def test_terminal():
    """There Ctrl-C goes to npx, the launcher and the program at once; npx
    passes it on too, and bash stands not between it and the launcher."""
    folder = h.journal(h.newdir('terminal'), SLEEP)
    for shell in ('sh', 'bash'):
        db = server.fresh('terminal')
        pid, fd = pty.fork()
        if pid == 0:
            os.chdir(place)
            os.environ.update(url(db), npm_config_script_shell=shell)
            os.execvp(npx[0], [*npx, 'migrate', '--dir', folder])
        check('it runs', True, sleeping(db))
        os.write(fd, b'\x03')
        said = read_all(fd)
        os.close(fd)
        status = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
        check('Ctrl-C under npx with %s is one wish to stop' % shell, True,
              status in (130, -signal.SIGINT))
        check('and the rollback was waited for',
              re.compile('nothing of 0000_sleep was kept'), said)
        check('no session is left', ('0', ''), left(db))


def test_echo():
    """The same signal twice within a moment is one; another is another."""
    counts = h.write(os.path.join(h.workdir(), 'counts'), '''#!%s
        process.on('SIGINT', () => console.log('INT'));
        process.on('SIGTERM', () => process.exit(7));
        setInterval(() => {}, 1000);
        console.log('ready');''' % shutil.which('node'))
    os.chmod(counts, 0o755)
    process = start(launcher, {'MIZZLE_BINARY': counts})
    check('it runs', b'ready\n', process.stdout.readline())
    process.send_signal(signal.SIGINT)
    check('a signal arrives', b'INT\n', process.stdout.readline())
    process.send_signal(signal.SIGINT)
    process.send_signal(signal.SIGTERM)
    done = h.finish(process)
    check('and its echo does not', (7, ''), (done.status, done.out))


# ---- what is missing

def test_missing():
    bare = n.project('bare', '--omit=optional')
    done = n.run([*npx, 'migrate'], cwd=bare)
    check('without the program it says what to do',
          (2, True, True), (done.status, '--omit=optional' in done.err,
                            'npm install @mizzle/linux-x64@' in done.err))
    check('on one line', 1, done.err.count('\n'))
    if n.run(['npm', 'config', 'get', 'cpu']).out.strip() == 'undefined':
        h.note('this npm knows no --cpu: another machine is left out')
        return
    other = n.project('other', '--cpu=arm64')
    check('for another machine its package is installed', ['linux-arm64'],
          os.listdir(os.path.join(other, 'node_modules/@mizzle')))
    done = n.run([*npx, 'migrate'], cwd=other)
    check('which is not the one that is needed here', (2, True),
          (done.status, '@mizzle/linux-x64' in done.err))


def test_elsewhere():
    fake = h.write(os.path.join(h.workdir(), 'darwin.js'),
                   "Object.defineProperty(process, 'platform', "
                   "{ value: 'darwin' });")
    done = n.run(['node', '-r', fake, launcher[1], 'migrate'], cwd=place)
    check('a platform without a program is named, with those that have one',
          (2, True, True), (done.status, 'no program for darwin-x64' in
                            done.err, 'linux-x64' in done.err))
    done = n.run([*launcher, 'migrate'], env={'MIZZLE_BINARY': '/nowhere'})
    check('a program that cannot be run is named', (2, True),
          (done.status, 'cannot run /nowhere' in done.err))


# ---- the functions

API = os.path.join(h.SRCDIR, 'tests', 'packaging', 'help', 'api.mjs')


def test_functions():
    """api.mjs and this share a test: it prints what is to be printed."""
    db = server.fresh('api')
    sleep = h.journal(h.newdir('api-sleep'), SLEEP)
    broken = h.journal(h.newdir('api-broken'), [
        ('0000_good', 'SELECT 1;'), ('0001_bad', 'SELECT 1,\n  nowhere;')])
    h.write(os.path.join(place, 'api.mjs'), open(API).read())
    done = n.run(['node', 'api.mjs'], cwd=place, env={
        'URL': server.url(db), 'SLEEP_URL': server.url(server.fresh('slow')),
        'BROKEN_URL': server.url(server.fresh('bad')), 'DRIZZLE': DRIZZLE,
        'SLEEP': sleep, 'BROKEN': broken})
    check('no function throws what it should not', (0, ''),
          (done.status, done.err))
    for line in done.out.splitlines():
        verdict, _, what = line.partition(' ')
        check(what, 'ok', verdict)
    check('an abort leaves no session behind', '0', server.sessions('slow'))


def test_secret():
    """What is on a command line can be read by everybody."""
    db = server.fresh('secret')
    folder = h.journal(h.newdir('secret'), SLEEP)
    process = start(['node', '-e', '''
        require('mizzle').migrate({ url: process.argv[1] + '', dir: %r })
            .catch(() => {})''' % folder, '--', server.url(db)])
    check('it runs', True, sleeping(db))
    with open('/proc/%d/task/%d/children' % (process.pid, process.pid)) as f:
        child = int(f.read().split()[0])
    with open('/proc/%d/cmdline' % child, 'rb') as f:
        shown = f.read()
    os.kill(child, signal.SIGTERM)
    h.finish(process)
    check('the URL is not on the command line of the program',
          (True, False), (b'migrate' in shown, b'postgresql' in shown))


def test_options():
    types = open(os.path.join(h.SRCDIR, 'packaging/npm/mizzle/index.d.cts'))
    table = open(os.path.join(h.SRCDIR, 'src', 'options.def'))
    known = set(re.findall(r'^OPTION\(\w+, "([^"]+)"', table.read(), re.M))
    own = {'args', 'cwd', 'env', 'signal', 'on-event', 'log', 'binary'}
    blocks = re.findall(r'interface \w*(?:Options|Applying)\b[^{]*\{(.*?)\n\}',
                        types.read(), re.S)
    named = {re.sub('[A-Z]', lambda c: '-' + c[0].lower(), name)
             for block in blocks
             for name in re.findall(r'^  (\w+)\?:', block, re.M)}
    check('there are types for options', True, len(named) > 20)
    check('every option with a type is one of the program', set(),
          named - known - own)


def test_types():
    tools = n.tools('typescript', '@types/node')
    if not tools:
        return
    use = os.path.join(h.SRCDIR, 'tests', 'packaging', 'help')
    for name in ('use.mts', 'use.cts'):
        h.write(os.path.join(place, name),
                open(os.path.join(use, name)).read())
    done = n.run(['node', os.path.join(tools, 'typescript/bin/tsc'),
                  '--noEmit', '--strict', '--exactOptionalPropertyTypes',
                  '--module', 'nodenext', '--target', 'es2022',
                  '--skipLibCheck', 'false', '--typeRoots',
                  os.path.join(tools, '@types'), '--types', 'node',
                  'use.mts', 'use.cts'], cwd=place)
    check('the types fit what is written with them', (0, ''),
          (done.status, done.out))


for test in (test_packages, test_refusals, test_installed, test_statuses,
             test_streams, test_signals, test_npx_ended, test_killed,
             test_terminal, test_echo, test_missing, test_elsewhere, test_functions, test_secret,
             test_options, test_types):
    began = time.monotonic()
    test()
    h.note('%s: %.1f s' % (test.__name__, time.monotonic() - began))
sys.exit(h.verdict())
