# SPDX-License-Identifier: MIT
"""What a linker's map says: which object files are in a static program, how
many bytes of each section they are, and which Debian packages they are of."""
import os
import re
import subprocess

SECTION = re.compile(r' (\.\S+|COMMON)(?:\s+(0x\S+)\s+(0x\S+) (.+))?$')
REST = re.compile(r'\s+(0x[0-9a-f]+)\s+(0x[0-9a-f]+) (\S.*)$')
MEMBER = re.compile(r'(.*\.a)\((.*)\)$')


class Piece:
    """So many bytes of a section that came from an object file."""

    def __init__(self, section, size, place):
        inside = MEMBER.match(place)
        self.section, self.size = section, size
        self.file = os.path.normpath(inside[1] if inside else place)
        self.member = inside[2] if inside else os.path.basename(place)


def pieces(path):
    """All that was not thrown away, of what is loaded."""
    with open(path, encoding='utf-8') as f:
        text = f.read()
    found, name = [], None
    for line in text.split('\nLinker script and memory map\n')[1].split('\n'):
        if line.startswith('/DISCARD/') or line.startswith('OUTPUT('):
            name = None
            if line.startswith('OUTPUT('):
                break
        one = SECTION.match(line)
        if one:
            name = one[1]
            rest = one.groups()[1:] if one[2] else None
        else:
            more = REST.match(line)
            rest = more.groups() if more and name else None
        if rest:
            if int(rest[0], 16) > 0 and int(rest[1], 16) > 0 and \
                    not name.startswith(('.debug', '.comment', '.note.GNU')):
                found.append(Piece(name, int(rest[1], 16), rest[2]))
            name = None
    return found


def query(*command):
    return subprocess.run(command, check=True, capture_output=True,
                          text=True, env={**os.environ, 'LC_ALL': 'C'}).stdout


# The root of the other machine that was built for: see foreign.sh.
FOREIGN = os.path.realpath(os.environ.get('FOREIGN_HOME') or '/nowhere')


class Package:
    """A Debian package that is installed here, or in that root."""

    def __init__(self, name, root='/'):
        shown = '\t'.join('${%s}' % field for field in (
            'Package', 'Architecture', 'Version', 'source:Package',
            'Homepage'))
        self.root = root
        self.name, self.arch, self.version, self.source, self.home = query(
            'dpkg-query', '--admindir=%s/var/lib/dpkg' % root.rstrip('/'),
            '-W', '-f', shown, name).split('\t')
        # What is made for cross compilers is of the same sources.
        for end, source in (('-arm64-cross', {
                'libc6-dev': 'glibc', 'libgcc-12-dev': 'gcc-12'}),):
            if self.name.endswith(end):
                self.source = source.get(self.name[:-len(end)], self.source)

    def upstream(self):
        """The version as those number it who wrote it."""
        plain = re.sub(r'^\d+:', '', self.version)
        plain = re.sub(r'(-[^-]*)$', '', plain)
        return re.sub(r'[.+~](dfsg|ds|deb).*$', '', plain)

    def copyright(self):
        with open(os.path.join(self.root, 'usr/share/doc', self.name,
                               'copyright'), encoding='utf-8') as f:
            return f.read()


def owners(files, root):
    """The packages that files of that root are of; they begin with it."""
    if not files:
        return []
    cut = len(root.rstrip('/'))
    lines = query('dpkg-query', '--admindir=%s/var/lib/dpkg' %
                  root.rstrip('/'), '-S', *sorted(f[cut:] for f in files))
    names = {line.rsplit(': ', 1)[0].split(', ')[0]
             for line in lines.splitlines()}
    return [Package(name, root) for name in names]


def packages(path, *more):
    """Those that a program is linked of, by name, and more."""
    files = {os.path.realpath(p.file) for p in pieces(path)
             if os.path.isabs(p.file)}
    foreign = {f for f in files if f.startswith(FOREIGN + '/')}
    found = owners(files - foreign, '/') + owners(foreign, FOREIGN)
    had = {p.name for p in found}
    found += [Package(name) for name in more if name not in had]
    return sorted(found, key=lambda p: (p.source, p.name, p.arch))
