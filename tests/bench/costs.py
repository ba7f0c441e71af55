# SPDX-License-Identifier: MIT
"""What one run of a program costs."""
import os
import re
import shutil
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(__file__), '..', 'it'))
from harness import environment, workdir

TOOLS = os.path.abspath('tests/bench')


def measured(command, env, times=1):
    """{'ms', 'cpu_ms', 'rss_kb'}, or {'failed': why}; of several times in a
    row it is the mean."""
    result = os.path.join(workdir(), 'measured')
    done = subprocess.run(
        [TOOLS + '/measure', result, '-n', str(times), *command],
        env=environment(env), cwd=workdir(), stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, check=False)
    if done.returncode:
        return {'failed': 'it cannot be run'}
    with open(result) as f:
        status, us, user, system, rss = map(int, f.read().split())
    if status:
        why = done.stderr.decode('utf-8', 'replace').strip().split('\n')
        return {'failed': 'status %d: %s' % (status, why[0][:200])}
    return {'ms': us / 1000, 'cpu_ms': (user + system) / 1000, 'rss_kb': rss}


def can_count():
    """Whether valgrind is here; perf seldom may count in a virtual machine."""
    return bool(shutil.which('valgrind'))


def instructions(command, env):
    """How many instructions of its own it executes, or None."""
    done = subprocess.run(
        ['valgrind', '--tool=callgrind', '--callgrind-out-file=/dev/null',
         *command], env=environment(env), cwd=workdir(),
        stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE, check=False)
    found = re.search(rb'Collected : (\d+)', done.stderr)
    return int(found.group(1)) if found and done.returncode == 0 else None
