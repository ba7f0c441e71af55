# SPDX-License-Identifier: MIT
"""size_map.py MAP PROGRAM: what takes the space in a static program, from the
map that its linker wrote, as tables in Markdown."""
import collections
import gzip
import os
import re
import subprocess
import sys
import tempfile

from linkmap import pieces

OWN = {'libmizzle.a': 'mizzle: the migrator (`src/`)',
       'libpgw.a': 'mizzle: the wire client (`proto/`)',
       'tls_bundle_data.o': 'public authorities'}
NAMED = {'libcrypto.a': 'OpenSSL, libcrypto', 'libssl.a': 'OpenSSL, libssl',
         'libc.a': 'GNU C Library', 'libcares.a': 'c-ares', 'libz.a': 'zlib',
         'libutf8proc.a': 'utf8proc', 'libjansson.a': 'Jansson',
         'libevent.a': 'libevent', 'libevent_extra.a': 'libevent',
         'libevent_openssl.a': 'libevent'}
KINDS = (('code', re.compile(r'\.(text|init|fini|plt)|__libc_freeres_fn')),
         ('constants', re.compile(r'\.rodata|\.eh_frame')),
         ('data', re.compile('')))
LARGEST = 20


def owner(piece):
    """Of whom a piece is; the authorities are none of the wire client."""
    base = os.path.basename(piece.file)
    return OWN.get(piece.member.split('-', 1)[-1]) or OWN.get(base) or \
        NAMED.get(base) or ('mizzle: the migrator (`src/`)' if not
                            os.path.isabs(piece.file) else
                            'the compiler, and what starts a program')


def kind(piece):
    return next(name for name, one in KINDS if one.match(piece.section))


def row(*cells):
    print('| %s |' % ' | '.join(str(cell) for cell in cells))


def number(n):
    return format(n, ',')


def table(head, rows):
    row(*head)
    row('---', *['--:' for _ in head[1:]])
    for one in rows:
        row(*one)
    print()


def main(link_map, program):
    loaded = [p for p in pieces(link_map)
              if not p.section.startswith(('.bss', 'COMMON', '.tbss'))]
    sizes = collections.defaultdict(collections.Counter)
    members = collections.Counter()
    for p in loaded:
        sizes[owner(p)][kind(p)] += p.size
        members[(owner(p), p.member)] += p.size
    names = [name for name, _ in KINDS]
    table(('part', *names, 'bytes'), [
        (name, *(number(counts[k]) for k in names),
         number(sum(counts.values())))
        for name, counts in sorted(sizes.items(),
                                   key=lambda one: -sum(one[1].values()))])
    table(('largest files', 'bytes'), [
        ('%s: `%s`' % (name, re.sub(r'^lib\w+-lib-', '', member)), number(n))
        for (name, member), n in members.most_common(LARGEST)])
    with tempfile.NamedTemporaryFile() as f:
        subprocess.run([os.environ.get('STRIP', 'strip'), '-o', f.name,
                        program], check=True)
        content = f.read()
    print('%s bytes in the map; the file has %s stripped, %s by `gzip -9`.' % (
        number(sum(p.size for p in loaded)), number(len(content)),
        number(len(gzip.compress(content, 9)))))


main(*sys.argv[1:])
