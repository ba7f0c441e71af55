# SPDX-License-Identifier: MIT
"""release.py DIR: what `make release` made there is whole, and its SPDX
document is one, as the specification 2.3 wants it.  Run by release.sh."""
import hashlib
import json
import os
import platform
import re
import subprocess
import sys
import tarfile

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, '..', '..', 'it'))

from harness import check, note, verdict, workdir  # noqa: E402

place = sys.argv[1]
names = sorted(os.listdir(place))
tarball = next((n for n in names if n.endswith('.tar.xz')), 'none.tar.xz')
stem = tarball[:-len('.tar.xz')]
programs = [n for n in names if n.startswith(stem + '-linux-')]


def content(name):
    with open(os.path.join(place, name), 'rb') as f:
        return f.read()


def text(name):
    return content(name).decode()


# ---- files

cross = platform.machine() == 'x86_64' and os.path.exists(
    os.environ.get('FOREIGN_HOME', '') + '/usr/lib/aarch64-linux-gnu/libssl.a')
wanted = {'LICENSE', 'SHA256SUMS', 'THIRD-PARTY-NOTICES', tarball,
          stem + '.spdx.json', stem + '-linux-' + platform.machine()}
check('all of it is there', sorted(
    wanted | ({stem + '-linux-aarch64'} if cross else set())), names)
sums = {}
for line in text('SHA256SUMS').splitlines():
    digest, name = re.match(r'^([0-9a-f]{64})  (\S+)$', line).groups()
    sums[name] = digest
check('each file but one has its sum', sorted(set(names) - {'SHA256SUMS'}),
      sorted(sums))
for name, digest in sums.items():
    check(name + ' is that of the sum', digest,
          hashlib.sha256(content(name)).hexdigest())
got = subprocess.run(['sha256sum', '--quiet', '-c', 'SHA256SUMS'], cwd=place,
                     capture_output=True, text=True)
check('sha256sum agrees', (0, ''), (got.returncode, got.stdout))
check('all are of one time', 1, len({
    int(os.stat(os.path.join(place, n)).st_mtime) for n in names}))

with tarfile.open(os.path.join(place, tarball)) as tar:
    members = tar.getmembers()
    listed = [m.name for m in members]
check('the tarball is in order', sorted(listed), sorted(set(listed)))
check('it says not who packed it', {(0, 0, '', '')},
      {(m.uid, m.gid, m.uname, m.gname) for m in members})
check('nor when', 1, len({m.mtime for m in members}))
check('nothing in it is for its owner alone', [], [
    m.name for m in members if not m.mode & 0o044 or m.mode & 0o022])
check('it can be built without autoconf', True,
      stem + '/configure' in listed)

MACHINE = {'x86_64': 62, 'aarch64': 183}
for name in programs:
    head = content(name)[:64]
    check(name + ' is a program', b'\x7fELF', head[:4])
    check(name + ' is for that machine', MACHINE.get(
        name.rsplit('-', 1)[1]), int.from_bytes(head[18:20], 'little'))
    check(name + ' may be run', 0o755, os.stat(
        os.path.join(place, name)).st_mode & 0o777)
    sections = subprocess.run(
        ['readelf', '-SlW', os.path.join(place, name)], capture_output=True,
        text=True).stdout
    check(name + ' needs no loader', None, re.search('INTERP', sections))
    check(name + ' is stripped', None, re.search(r'\.symtab|\.debug',
                                                 sections))
    if name.endswith(platform.machine()):
        said = subprocess.run([os.path.join(place, name), '--version'],
                              capture_output=True, text=True).stdout
        check(name + ' says so', stem.replace('-', ' ') + '\n', said)

# ---- SPDX, strictly: what the specification demands of such a document

ID = re.compile(r'^SPDXRef-[A-Za-z0-9.-]+$')
LICENCES = {'BSD-3-Clause', 'MIT', 'MPL-2.0', 'GPL-3.0-or-later',
            'LGPL-2.1-or-later', 'Apache-2.0', 'Unicode-DFS-2015', 'Zlib', 'CC0-1.0',
            'GCC-exception-3.1', 'NOASSERTION', 'AND', 'OR', 'WITH'}
PURL = re.compile(r'^pkg:[a-z]+/([a-z0-9.+-]+/)?[A-Za-z0-9.+-]+@[A-Za-z0-9.%~+'
                  r'-]+(\?arch=[a-z0-9]+)?$')
CPE = re.compile(r'^cpe:2\.3:a:[a-z0-9_-]+:[a-z0-9_-]+:[a-z0-9._-]+(:\*){7}$')
KINDS = {'DESCRIBES', 'CONTAINS', 'GENERATED_FROM', 'STATIC_LINK'}
MUST = {
    'document': {'spdxVersion', 'dataLicense', 'SPDXID', 'name',
                 'documentNamespace', 'creationInfo', 'packages', 'files',
                 'relationships'},
    'package': {'SPDXID', 'name', 'downloadLocation', 'versionInfo',
                'filesAnalyzed', 'licenseConcluded', 'licenseDeclared',
                'copyrightText'},
    'file': {'SPDXID', 'fileName', 'checksums', 'licenseConcluded',
             'copyrightText', 'fileTypes'},
}
MAY = {
    'document': set(),
    'package': {'externalRefs', 'supplier', 'homepage', 'summary',
                'sourceInfo', 'primaryPackagePurpose'},
    'file': set(),
}


def whole(kind, one):
    name = one.get('SPDXID', '?')
    check('%s has what it must' % name, set(), MUST[kind] - set(one))
    check('%s has nothing else' % name, set(),
          set(one) - MUST[kind] - MAY[kind])
    check('%s is named rightly' % name, ID, name)


def licence(one):
    return set(re.split(r'[ ()]+', one)) <= LICENCES


spdx = json.loads(text(stem + '.spdx.json'))
whole('document', spdx)
check('its version', 'SPDX-2.3', spdx['spdxVersion'])
check('its licence', 'CC0-1.0', spdx['dataLicense'])
check('its namespace', re.compile(r'^https://[^#\s]+$'),
      spdx['documentNamespace'])
check('its time', re.compile(r'^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$'),
      spdx['creationInfo']['created'])
check('its maker', [], [c for c in spdx['creationInfo']['creators']
                        if not re.match('(Tool|Organization|Person): ', c)])
for one in spdx['packages']:
    whole('package', one)
    check('%s: files were not looked at' % one['name'], False,
          one['filesAnalyzed'])
    check('%s: licences that exist' % one['name'], True,
          licence(one['licenseDeclared']) and licence(one['licenseConcluded']))
    for ref in one.get('externalRefs', []):
        check('%s: %s' % (one['name'], ref['referenceType']), {
            'purl': PURL, 'cpe23Type': CPE}[ref['referenceType']],
            ref['referenceLocator'])
for one in spdx['files']:
    whole('file', one)
    name = one['fileName'][2:]
    check('%s has its sums' % name, {
        'SHA1': hashlib.sha1(content(name)).hexdigest(),
        'SHA256': sums.get(name)}, {
            c['algorithm']: c['checksumValue'] for c in one['checksums']})
check('each file that runs is there', sorted([tarball, *programs]),
      sorted(one['fileName'][2:] for one in spdx['files']))
known = [one['SPDXID'] for one in (spdx, *spdx['packages'], *spdx['files'])]
check('no name twice', sorted(known), sorted(set(known)))
check('relations are of known kinds and things', [], [
    r for r in spdx['relationships']
    if r['relationshipType'] not in KINDS or
    not {r['spdxElementId'], r['relatedSpdxElement']} <= set(known)])
check('it describes something', 1, len([
    r for r in spdx['relationships'] if r['relationshipType'] == 'DESCRIBES']))
for name in programs:
    own = [r['relatedSpdxElement'] for r in spdx['relationships']
           if r['spdxElementId'] == 'SPDXRef-File-' + re.sub(
               '[^A-Za-z0-9.]+', '-', name)
           and r['relationshipType'] == 'STATIC_LINK']
    linked = ' '.join(own)
    for part in 'libssl', 'libc6', 'zlib1g', 'libc-ares', 'libevent', 'libjansson', \
            'libutf8proc', 'libgcc':
        check('%s: %s' % (name, part), re.compile(part), linked)

notices = text('THIRD-PARTY-NOTICES')
for part in 'OpenSSL', 'c-ares', 'Jansson', 'libevent', 'utf8proc', 'zlib', \
        'GNU C Library', 'Apache License', 'LESSER GENERAL PUBLIC LICENSE', \
        'Mozilla Public License', 'RUNTIME LIBRARY EXCEPTION':
    check('notices: ' + part, re.compile('(?i)' + re.escape(part)), notices)
check('a licence is not there twice', 1,
      notices.count('                                 Apache License'))

# ---- a validator of others, where one is installed

for tool in (['pyspdxtools', '-i'], ['spdx-validate']):
    try:
        path = os.path.join(place, stem + '.spdx.json')
        got = subprocess.run([*tool, path], capture_output=True, text=True,
                             cwd=workdir())
        check(tool[0] + ' takes it', 0, got.returncode) or \
            note(got.stdout + got.stderr)
    except FileNotFoundError:
        pass
sys.exit(verdict())
