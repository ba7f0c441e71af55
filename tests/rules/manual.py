# SPDX-License-Identifier: MIT
"""Manual pages of section 3 and headers agree: every function, as it is
declared, is in the synopsis and is explained below it, and every field and
constant of mizzle.h is named; so is nothing else.  What libmizzle.so exports
is what mizzle.h declares."""
import os
import re
import sys

os.chdir(os.environ.get('srcdir', '.'))
passed = failed = 0


def same(what, header, page):
    global passed, failed
    passed += len(header & page)
    failed += len(header ^ page)
    for text in sorted(header - page):
        print('%s: only in the header: %s' % (what, text))
    for text in sorted(page - header):
        print('%s: only in the page: %s' % (what, text))


def read(path):
    with open(path, encoding='utf-8') as f:
        return f.read()


def code(path):
    """A header without comments, directives and marks of the compiler."""
    text = re.sub(r'/\*.*?\*/', '', read(path), flags=re.S)
    text = re.sub(r'^#(.*\\\n)*.*$', '', text, flags=re.M)
    text = re.sub(r'\b(MIZZLE_API|PGW_MUST_CHECK|PGW_PRINTF\([^)]*\))', '',
                  text)
    return re.sub(r'\s+', ' ', text)


def spaced(text):
    return re.sub(r' ?\* ?', ' *', re.sub(r'\s+', ' ', text)).strip()


def declared(path):
    """name: "type name(arguments)" of each function."""
    text = re.sub(r'\b(struct|enum) ?\w* \{[^{}]*\};', '', code(path))
    found = {}
    for kind, name, arguments in re.findall(
            r'((?:\w+ )+(?:\*+)?)((?:pgw|mizzle)_\w+)\('
            r'((?:[^()]|\((?:[^()]|\([^()]*\))*\))*)\) ?;', text):
        found[name] = '%s %s(%s)' % (spaced(kind), name, spaced(arguments))
    return found


def words(line):
    return [a or b for a, b in re.findall(r'"([^"]*)"|(\S+)', line)]


def documented(synopsis):
    """The same of a page, from .Ft, .Fn, .Fo, .Fa and .Fc."""
    found, kind, name, arguments = {}, '', '', []
    for line in synopsis.splitlines():
        macro, rest = line[:3], words(line[3:])
        if macro == '.Ft':
            kind = spaced(' '.join(rest))
        elif macro == '.Fa':
            arguments += rest
        elif macro in ('.Fn', '.Fo'):
            name, arguments = rest[0], rest[1:]
        if macro in ('.Fn', '.Fc'):
            found[name] = '%s %s(%s)' % (kind, name, ', '.join(
                spaced(a) for a in arguments))
    return found


def section(page, name):
    return re.search(r'^\.Sh %s\n(.*?)(?=^\.Sh )' % name, page,
                     re.M | re.S).group(1)


def named(text, macro):
    return {w for line in text.splitlines() if line.startswith('.')
            for w in re.findall(r'[. ]%s ([a-zA-Z_]\w*)' % macro, line)}


def functions(page, headers):
    text = read(page)
    wanted = {}
    for header in headers:
        wanted.update(declared(header))
    same(page, set(wanted.values()),
         set(documented(section(text, 'SYNOPSIS')).values()))
    rest = text.replace(section(text, 'SYNOPSIS'), '')
    same(page + ', explained', set(wanted), {
        n for n in named(rest, 'Fn') if n.startswith(('pgw_', 'mizzle_'))})
    return set(wanted)


def fields(header):
    """What is in the structs of a header, callbacks included."""
    found = set()
    for body in re.findall(r'struct \w+ \{([^{}]*)\};', code(header)):
        for line in body.split(';'):
            callback = re.search(r'\(\*(\w+)\)\(', line)
            names = [callback.group(1)] if callback else re.findall(
                r'(\w+)(?:\[\w+\])?(?:,|$)', line.strip())
            found.update(n for n in names if n != 'reserved')
    return found


def constants(header):
    return {c for body in re.findall(r'enum \w+ \{([^{}]*)\};', code(header))
            for c in re.findall(r'MIZZLE_\w+', body)} - {'MIZZLE_STATES'}


def public(header, seen=None):
    """A header of proto/ and all that it includes."""
    seen = {header} if seen is None else seen | {header}
    for name in re.findall(r'^#include "(\w+\.h)"', read(header), re.M):
        if 'proto/' + name not in seen:
            seen |= public('proto/' + name, seen)
    return seen


api = functions('src/mizzle.3', ['src/mizzle.h'])
page = read('src/mizzle.3')
same('src/mizzle.3, fields', fields('src/mizzle.h'), named(page, 'Va'))
same('src/mizzle.3, constants', constants('src/mizzle.h'),
     {c for c in named(page, 'Dv') if c.startswith('MIZZLE_')})
same('src/libmizzle.map', api, set(re.findall(
    r'\b(mizzle_\w+);', read('src/libmizzle.map'))))
functions('proto/libpgw.3', sorted(public('proto/pgw.h')))
installed = re.search(r'^pgwinclude_HEADERS = ((?:.*\\\n)*.*)',
                      read('Makefile.am'), re.M).group(1)
same('pgwinclude_HEADERS', public('proto/pgw.h'),
     set(re.findall(r'proto/\w+\.h', installed)))
print('%d passed, %d failed' % (passed, failed))
sys.exit(1 if failed else 0)
