# SPDX-License-Identifier: MIT
"""npm and Node as the tests of packaging use them: over a registry of ours."""
import os
import shutil
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(__file__), '..', '..', 'it'))
import harness as h
from registry import Registry

PACK = os.path.join(h.SRCDIR, 'packaging', 'npm', 'pack.sh')


def needs(*programs):
    for program in programs:
        if not shutil.which(program):
            h.skip('no %s here' % program)


def tools(*packages):
    """Where tests/packaging/package.json is installed."""
    home = os.environ.get('PACKAGING_HOME', '')
    place = os.path.join(home, 'node_modules')
    for package in packages:
        if not os.path.isdir(os.path.join(place, package)):
            h.note('no %s of npm in PACKAGING_HOME: what needs it is left out'
                   % package)
            return None
    return place


def run(argv, timeout=120, env=None, **more):
    more.setdefault('cwd', h.workdir())
    process = subprocess.Popen(argv, env=h.environment(env),
                               stdin=more.pop('stdin', subprocess.DEVNULL),
                               stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                               **more)
    return h.finish(process, timeout)


def pack(out, *programs):
    return run([PACK, '-o', out, *programs])


def packed():
    """The packages of the program to test, and a registry that has them."""
    out = h.newdir('packed')
    done = pack(out, 'x64=' + h.MIZZLE, 'arm64=' + foreign_program())
    if done.status != 0:
        print(done)
        sys.exit(1)
    registry = Registry(out)
    os.environ.update({
        'npm_config_registry': registry.url,
        'npm_config_cache': os.path.join(h.workdir(), 'npm-cache'),
        'npm_config_update_notifier': 'false',
        'npm_config_audit': 'false', 'npm_config_fund': 'false',
        'npm_config_loglevel': 'error',
    })
    return registry


def foreign_program():
    """The program, with a head that says it is for another machine."""
    with open(h.MIZZLE, 'rb') as f:
        content = bytearray(f.read())
    content[18] = 0xb7
    path = h.write(os.path.join(h.workdir(), 'foreign', 'mizzle'),
                   bytes(content))
    os.chmod(path, 0o755)
    return path


def project(name, *install):
    """A fresh project with mizzle installed in it."""
    place = h.newdir(name)
    h.write(os.path.join(place, 'package.json'), '{"private": true}\n')
    done = run(['npm', 'install', *install, 'mizzle'], cwd=place)
    if done.status != 0:
        print(done)
        sys.exit(1)
    return place
