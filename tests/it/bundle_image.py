# SPDX-License-Identifier: MIT
"""mizzle bundle --oci: an image archive, byte by byte as the standards say."""
import gzip
import hashlib
import io
import json
import os
import shutil
import struct
import subprocess
import sys
import tarfile

from harness import (MIZZLE, check, journal, mizzle, needs_program, newdir,
                     note, sha256, verdict, workdir, write)

needs_program()
folder = journal(newdir('drizzle'), [('0000_a', 'CREATE TABLE a (i int);')])


def read(path):
    with open(path, 'rb') as f:
        return f.read()


def program(name, machine=None, interpreter=False):
    """A copy of the program whose header says that; it is never started."""
    data = bytearray(read(MIZZLE))
    at, = struct.unpack_from('<Q', data, 32)
    size, count = struct.unpack_from('<HH', data, 54)
    kinds = [struct.unpack_from('<I', data, at + i * size)[0]
             for i in range(count)]
    for i, kind in enumerate(kinds):
        if kind == 3 and not interpreter:
            struct.pack_into('<I', data, at + i * size, 0)
    if interpreter and 3 not in kinds:
        struct.pack_into('<I', data, at, 3)
    if machine:
        struct.pack_into('<H', data, 18, machine)
    return write(os.path.join(workdir(), name), bytes(data))


static = program('static')
out = os.path.join(workdir(), 'image.tar')


def image(*args, binary=static, **more):
    return mizzle('bundle', '--json', '--dir', folder, '--oci', out,
                  '--from-binary', binary, *args, **more)


def contents(path):
    with tarfile.open(path) as t:
        return {m.name: t.extractfile(m).read() for m in t.getmembers()}


def digest(data):
    return 'sha256:' + hashlib.sha256(data).hexdigest()


# ---- what is in it

got = image('--tag', 'team/migrate:1.2', '--label', 'a=b=c', '--label', 'k=')
check('it is made', 0, got.status) or note(str(got))
event = got.event('image')
files = contents(out)
check('it is an image layout', {'imageLayoutVersion': '1.0.0'},
      json.loads(files.pop('oci-layout')))
index = json.loads(files.pop('index.json'))
docker = json.loads(files.pop('manifest.json'))
check('every blob is called by its digest', [
    'blobs/sha256/' + sha256(data) for data in files.values()], list(files))


def blob(descriptor):
    data = files['blobs/sha256/' + descriptor['digest'][7:]]
    check('%s: has its size' % descriptor['mediaType'], len(data),
          descriptor['size'])
    return data


check('the index', (2, 'application/vnd.oci.image.index.v1+json', 1), (
    index['schemaVersion'], index['mediaType'], len(index['manifests'])))
entry = index['manifests'][0]
manifest = json.loads(blob(entry))
check('the manifest', (2, entry['mediaType'], 1), (
    manifest['schemaVersion'], manifest['mediaType'],
    len(manifest['layers'])))
config = json.loads(blob(manifest['config']))
layer = blob(manifest['layers'][0])
check('it is named', 'team/migrate:1.2',
      entry['annotations']['org.opencontainers.image.ref.name'])
check('for a machine', ({'architecture': 'amd64', 'os': 'linux'},
                        ('amd64', 'linux')), (
    entry['platform'], (config['architecture'], config['os'])))
check('what runs, and as whom', {
    'User': '65532:65532', 'Entrypoint': ['/mizzle'], 'WorkingDir': '/',
    'Labels': {'org.opencontainers.image.title': 'drizzle',
               'org.opencontainers.image.version':
               mizzle('--version').out.split()[1], 'a': 'b=c', 'k': ''}},
    config['config'])
unpacked = gzip.decompress(layer)
check('the layer, unpacked, is what the configuration says',
      {'type': 'layers', 'diff_ids': [digest(unpacked)]}, config['rootfs'])
check('docker finds the same', [{
    'Config': 'blobs/sha256/' + manifest['config']['digest'][7:],
    'RepoTags': ['team/migrate:1.2'],
    'Layers': ['blobs/sha256/' + manifest['layers'][0]['digest'][7:]]}],
    docker)
check('--json says what was made', {
    'event': 'image', 'file': out, 'image': 'team/migrate:1.2',
    'platform': 'linux/amd64', 'digest': entry['digest'],
    'size': os.path.getsize(out)}, event)
with tarfile.open(fileobj=io.BytesIO(unpacked)) as t:
    members = t.getmembers()
    inner = t.extractfile(members[0]).read()
check('one file is in it', [('mizzle', 0o755, 0, 0, 0, True)], [
    (m.name, m.mode, m.uid, m.gid, m.mtime, m.isreg()) for m in members])
bundle = os.path.join(workdir(), 'bundle')
got = image('-o', bundle)
check('both are made at once', (0, sha256(inner)),
      (got.status, sha256(read(bundle))))
check('nothing else is left', [], [
    n for n in os.listdir(workdir()) if n.startswith('image.tar.')])

# ---- the same bytes

first = sha256(read(out))
image('-o', bundle, cwd='/', env={'TZ': 'Asia/Tokyo', 'LC_ALL': 'C.UTF-8'})
check('again it is the same', first, sha256(read(out)))
got = image(env={'SOURCE_DATE_EPOCH': '1700000000'})
config = [json.loads(d) for n, d in contents(out).items()
          if d.startswith(b'{"created"')][0]
with tarfile.open(out) as t:
    times = {m.mtime for m in t.getmembers()}
check('SOURCE_DATE_EPOCH is its time',
      (0, '2023-11-14T22:13:20Z', {1700000000}),
      (got.status, config['created'], times))
for value in ('x', '-1', '1.5', '99999999999999', '9999999999'):
    got = image(env={'SOURCE_DATE_EPOCH': value})
    check('SOURCE_DATE_EPOCH=%s: is refused' % value, (2, True), (
        got.status, 'SOURCE_DATE_EPOCH' in got.event('error')['message']))

# ---- machines, names, labels

for machine, name in ((62, 'amd64'), (183, 'arm64'), (243, 'riscv64')):
    got = image(binary=program('other', machine))
    check('%s is known' % name, 'linux/' + name,
          got.event('image').get('platform'))
for what, binary, must in (
        ('an unknown machine', program('strange', 9999), 'is not known'),
        ('shared libraries', program('shared', interpreter=True),
         'needs shared libraries')):
    os.remove(out) if os.path.exists(out) else None
    got = image(binary=binary)
    check('%s: is refused' % what, (2, True, False), (
        got.status, must in got.event('error')['message'],
        os.path.exists(out)))
for name, full in (('a', 'a:latest'), ('a/b-c.d_e', 'a/b-c.d_e:latest'),
                   ('a:V1_x.y-z', 'a:V1_x.y-z'),
                   ('Reg.example:5000/a/b:1', 'Reg.example:5000/a/b:1'),
                   ('localhost:1/a', 'localhost:1/a:latest')):
    check('%s: is a name' % name, full,
          image('--tag', name).event('image').get('image'))
for name in ('A', 'a:', 'a:b:c', '/a', 'a/', 'a//b', ':a', 'a b', 'a:-b',
             '-a', 'a-', 'a@sha256:0', 'x' * 300, 'a:' + 'b' * 129, 'a\nb',
             'REG:5/A'):
    got = image('--tag', name)
    check('%r: is no name' % name[:20], (2, True), (
        got.status, 'is no name for an image' in
        got.event('error')['message']))
for label in ('', 'a', '=b'):
    got = image('--label', label)
    check('%r: is no label' % label, (2, True), (
        got.status, 'is not KEY=VALUE' in got.event('error')['message']))
got = mizzle('bundle', '--dir', folder, '--from-binary', static, '--oci',
             '/dev/full')
check('a device is not replaced', (2, True),
      (got.status, 'not a file' in got.err))

# ---- what others say of it

if shutil.which('skopeo'):
    image()
    for kind in ('oci-archive', 'docker-archive'):
        to = newdir('copied')
        done = subprocess.run(
            ['skopeo', 'copy', '--quiet', '%s:%s' % (kind, out), 'dir:' + to],
            capture_output=True, text=True)
        check('skopeo takes it for a %s' % kind, 0, done.returncode) or \
            note(done.stderr)
else:
    note('skopeo is not here')

sys.exit(verdict())
