# SPDX-License-Identifier: MIT
"""notices.py MAP: the licences of all that a program was linked of, as they
are kept by the machine where it was built."""
import os
import re
import sys

from components import component
from linkmap import packages

HEAD = '''\
Third-party notices of mizzle

mizzle itself is under the MIT licence (file LICENSE of its sources). The
program that is released has these in it, too:

%s

Its complete source, with which it can be linked again with other versions of
them, is released beside it. What follows is what their packages say.
'''
COMMON = re.compile('/usr/share/common-licenses/[A-Za-z0-9.+-]*[A-Za-z0-9]')


def titled(title, text):
    line = '=' * 78
    return '%s\n%s\n%s\n\n%s\n' % (line, title, line, text.strip('\n'))


parts, rows, common = [], [], set()
seen = set()
for package in packages(sys.argv[1], 'ca-certificates'):
    if package.source in seen:
        continue
    seen.add(package.source)
    one = component(package)
    rows.append('    %-30s %s' % (one.title, one.licence))
    text = package.copyright()
    common.update(os.path.realpath(path) for path in COMMON.findall(text))
    parts.append(titled('%s %s' % (one.title, package.upstream()), text))
for path in sorted(common):
    with open(path, encoding='utf-8') as f:
        parts.append(titled(os.path.basename(path), f.read()))
sys.stdout.write(HEAD % '\n'.join(rows))
for part in parts:
    sys.stdout.write('\n' + part)
