# SPDX-License-Identifier: MIT
"""Containers for real: the last stage of Dockerfile around the static program
$MIZZLE, and the image that `mizzle bundle --oci` writes (or $OCI_ARCHIVE), run
by podman with as little as can be given, against a server on loopback.

What the first stage would do is looked at, not done:
nothing is fetched here."""
import json
import os
import re
import shutil
import signal
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, '..', 'it'))

# pylint: disable=wrong-import-position
from harness import (MIZZLE, SRCDIR, Server, check, finish,  # noqa: E402
                     journal, newdir, note, skip, verdict, wait_for, workdir,
                     write)

TOP = os.path.abspath(SRCDIR)
store = None
# In mounts of its own: crun wants control groups of version 2.
CGROUP = '''umount -R /sys/fs/cgroup 2>/dev/null || umount -l /sys/fs/cgroup
mount -t cgroup2 none /sys/fs/cgroup && exec "$@"'''
LEAST = ['--read-only', '--user', '12345:12345', '--cap-drop', 'all',
         '--security-opt', 'no-new-privileges']


def storage():
    return ['--root', store + '/root', '--runroot', store + '/run',
            '--storage-driver', 'vfs']


def tool(*command, **more):
    return subprocess.run(command, capture_output=True, text=True,
                          stdin=subprocess.DEVNULL, timeout=300, **more)


def buildah(*command):
    return tool('buildah', *storage(), *command)


def podman(*command):
    return ['unshare', '-m', '--propagation', 'private', 'sh', '-c', CGROUP,
            'sh', 'podman', *storage(), '--runtime', 'crun',
            '--cgroup-manager', 'cgroupfs', *command]


def start(image, *command, options=LEAST):
    return subprocess.Popen(podman(
        'run', '--rm', '--cgroups=disabled', '--network', 'host', '--ulimit',
        'nofile=1024:1024', '--ulimit', 'nproc=1024:1024', *options, image,
        *command), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
        stderr=subprocess.PIPE)


def run(image, *command, **more):
    return finish(start(image, *command, **more), 120)


def can_run():
    if os.geteuid() != 0:
        skip('containers are only tried as root')
    for name in 'podman', 'buildah', 'skopeo', 'crun':
        if not shutil.which(name):
            skip('no %s here' % name)


# ---- Dockerfile

def stages():
    with open(os.path.join(TOP, 'Dockerfile'), encoding='utf-8') as f:
        return re.split(r'(?m)^(?=FROM )', f.read())[1:]


def build(name, *options):
    got = buildah('bud', '--isolation', 'chroot', '-t', name, *options)
    if check(name + ' is built', 0, got.returncode):
        return True
    note(got.stdout + got.stderr)
    return False


def first_stage():
    """It installs what ./check does, and has all files that make wants."""
    text = stages()[0]
    with open(os.path.join(TOP, 'tests', 'install.sh'), encoding='utf-8') as f:
        wanted = re.search(r'build_packages=\(([^)]*)\)', f.read())[1].split()
    check('what is needed to build is installed', [],
          [name for name in wanted if not re.search(
              r'\s%s\s' % re.escape(name), text)])
    context = newdir('first')
    write(os.path.join(context, 'Dockerfile'), 'FROM scratch\nCOPY . /src\n')
    if not build('first', '-f', context + '/Dockerfile', TOP):
        return
    made = buildah('from', 'first').stdout.strip()
    place = buildah('mount', made).stdout.strip()
    listed = [name for name in os.listdir(place + '/src')
              if name in ('tests', 'build', '.git', 'release')]
    check('nothing else goes into it', [], listed)
    script = '''[ -x configure ] || autoreconf -fi
        mkdir -p /build && cd /build
        "$0/configure" --quiet --enable-static-binary && make -n'''
    where = newdir('build')
    got = tool('sh', '-ec', script.replace('/build', where), place + '/src',
               cwd=place + '/src')
    check('all that make wants is there', 0, got.returncode) or \
        note(got.stdout[-2000:] + got.stderr[-2000:])
    buildah('rm', made)


def inspect(image):
    got = buildah('inspect', '--type', 'image', image)
    return json.loads(got.stdout)


def last_stage():
    """Of the program at hand; its folder stands for the first stage."""
    folder = newdir('builder')
    os.mkdir(folder + '/image')
    shutil.copy(MIZZLE, folder + '/image/mizzle')
    if not build('mizzle', '--build-context', 'builder=' + folder, '-f',
                 TOP + '/Dockerfile', TOP):
        return False
    what = inspect('mizzle')
    config = what['OCIv1']['config']
    check('who runs it', '65532:65532', config.get('User'))
    check('what runs', ['/mizzle'], config.get('Entrypoint'))
    check('its labels', 'MIT', config.get('Labels', {}).get(
        'org.opencontainers.image.licenses'))
    check('one layer', 1, len(what['OCIv1']['rootfs']['diff_ids']))
    return True


# ---- what every image of it can do

def url(db):
    return server.url(db, query='?sslmode=disable')


def serves(image, options, *command):
    """A run that migrates; options say where the folder is."""
    db = server.fresh('c_' + re.sub('[^a-z]', '_', image))
    env = ['-e', 'DATABASE_URL=' + url(db)]
    got = run(image, 'verify', options=[*LEAST, *options, *env])
    check(image + ': its exit status is that of the program', 7, got.status) \
        or note(str(got))
    got = run(image, *command, options=[*LEAST, *options, *env])
    check(image + ': it migrates', 0, got.status) or note(str(got))
    check(image + ': all of it', '3', server.sql(
        db, 'SELECT count(*) FROM drizzle.__drizzle_migrations'))
    got = run(image, 'verify', options=[*LEAST, *options, *env])
    check(image + ': and knows it', 0, got.status) or note(str(got))
    got = run(image, 'ping', options=[
        *LEAST, *options, '-e', 'DATABASE_URL=' + server.url(db, password='x',
                                                             query='')])
    check(image + ': a wrong password', 3, got.status) or note(str(got))


def stops(image):
    """As `docker stop` does it, both ways: well before it would kill."""
    for way in 'stop', 'signal':
        db = server.fresh('stopped')
        running = start(image, 'migrate', '--no-monitor', '--dir', '/long',
                        options=[*LEAST, '--name', 'long', '-v',
                                 long + ':/long:ro', '-e',
                                 'DATABASE_URL=' + url(db)])
        if not check('a long migration runs', True,
                     wait_for(lambda db=db: server.sleeping(db) == '1')):
            note(str(finish(running, 5)))
            continue
        if way == 'stop':
            tool(*podman('stop', '--time', '60', 'long'))
        else:
            running.send_signal(signal.SIGTERM)
        got = finish(running, 50)
        check('%s ends it, by itself' % way, 143, got.status) or \
            note(str(got))
        check('%s: the statement, too' % way, True,
              wait_for(lambda db=db: server.sleeping(db) == '0'))
        check('%s: nothing was kept' % way, '', server.sql(
            db, "SELECT 'kept' WHERE to_regclass('kept_not') IS NOT NULL"))


# ---- images that mizzle writes itself

def archive():
    """Of the folder; None where the program cannot."""
    if os.environ.get('OCI_ARCHIVE'):
        return os.environ['OCI_ARCHIVE']
    if tool(MIZZLE, 'help', 'bundle').returncode:
        return None
    place = os.path.join(workdir(), 'image.tar')
    got = tool(MIZZLE, 'bundle', '--oci', place, '--dir', folder)
    check('an image is written', 0, got.returncode) or note(got.stderr)
    return place


def loaded(place):
    """An archive as podman and skopeo take it."""
    got = tool('skopeo', 'copy', 'oci-archive:' + place,
               'dir:' + newdir('copied'))
    check('skopeo copies it', 0, got.returncode) or note(got.stderr)
    got = tool('skopeo', 'copy', 'oci-archive:' + place,
               'docker-archive:' + os.path.join(workdir(), 'docker.tar'))
    check('also into what docker load takes', 0, got.returncode) or \
        note(got.stderr)
    got = tool(*podman('load', '-i', place))
    check('podman loads it', 0, got.returncode) or note(got.stderr)
    name = re.search(r'(?m)^Loaded image[^:]*: *(\S+)$', got.stdout)
    if not check('it says which', True, name is not None):
        return
    got = tool(*podman('tag', name[1], 'localhost/bundled:latest'))
    check('it has that name', 0, got.returncode) or note(got.stderr)
    config = inspect('bundled')['OCIv1']['config']
    check('nobody special runs it', re.compile('^65532(:65532)?$'),
          config.get('User', ''))
    if not os.environ.get('OCI_ARCHIVE'):
        serves('bundled', [])
        stops('bundled')


can_run()
store = newdir('store')
server = Server()
folder = journal(newdir('folder'), [
    ('%04d_t%d' % (i, i), 'CREATE TABLE t%d (id int);' % i) for i in range(3)])
long = journal(newdir('long'), [
    ('0000_long', 'CREATE TABLE kept_not (id int);\n'
     '--> statement-breakpoint\nSELECT pg_sleep(600);')])
if last_stage():
    probe = run('mizzle', '--version')
    if not check('it runs', 0, probe.status):
        note(str(probe))
        sys.exit(verdict())
    check('it says what it is', re.compile('^mizzle '), probe.out)
    check('alone it explains itself', re.compile('(?i)usage'),
          run('mizzle').out)
    serves('mizzle', ['-v', folder + ':/drizzle:ro'], 'migrate')
    stops('mizzle')
    write(os.path.join(newdir('own'), 'Dockerfile'),
          'FROM mizzle\nCOPY folder /drizzle\nCMD ["migrate"]\n')
    if build('own', '-f', workdir() + '/own/Dockerfile', workdir()):
        serves('own', [])
first_stage()
image = archive()
if image:
    loaded(image)
else:
    note('this program writes no images')
tool(*podman('rmi', '--all', '--force'))
server.stop()
sys.exit(verdict())
