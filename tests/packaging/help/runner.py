# SPDX-License-Identifier: MIT
"""Runs the steps of a composite Action as GitHub's runner does."""
import os
import re
import signal
import subprocess

import npmworld as n
from npmworld import h

EXPRESSION = re.compile(r'\$\{\{\s*(.*?)\s*\}\}')


class Job:
    """One use of the Action: its outputs, its log, its summary."""

    def __init__(self, action, given, env=None, cwd=None):
        unknown = set(given) - set(action['inputs'])
        if unknown:
            raise KeyError('no inputs %s' % unknown)
        self.inputs = {name: given.get(name, one.get('default', ''))
                       for name, one in action['inputs'].items()}
        self.temp = h.newdir('runner')
        self.env, self.cwd = env or {}, cwd or h.newdir('workspace')
        self.steps, self.log, self.summary, self.status = {}, '', '', 0
        for step in action['runs']['steps']:
            if self.status == 0:    # the next is skipped, as by success()
                self.step(step)
        self.outputs = {name: self.evaluate(one['value'])
                        for name, one in action['outputs'].items()}

    def evaluate(self, text):
        return EXPRESSION.sub(lambda m: self.value(m[1]), str(text))

    def value(self, expression):
        if m := re.fullmatch(r'inputs\.([\w-]+)', expression):
            return self.inputs[m[1]]
        if m := re.fullmatch(r'steps\.(\w+)\.outputs\.([\w-]+)', expression):
            return self.steps.get(m[1], {}).get(m[2], '')
        raise KeyError('what is %s?' % expression)

    def file(self, name):
        return h.write(os.path.join(self.temp, name), '')

    def process(self, step):
        """shell: sh is `sh -e FILE`."""
        script = h.write(os.path.join(self.temp, 'step.sh'),
                         self.evaluate(step['run']))
        env = {'GITHUB_ACTIONS': 'true', 'GITHUB_ACTION_PATH': h.SRCDIR,
               'RUNNER_TEMP': self.temp, **self.env,
               'GITHUB_OUTPUT': self.file('output'),
               'GITHUB_STEP_SUMMARY': self.file('summary'),
               **{k: self.evaluate(v) for k, v in step['env'].items()}}
        where = os.path.join(self.cwd, self.evaluate(
            step.get('working-directory', '.')))
        return subprocess.Popen(
            [step['shell'], '-e', script], cwd=where, env=h.environment(env),
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT)

    def step(self, step):
        process = self.process(step)
        self.meanwhile(step['id'], process)
        done = h.finish(process)
        self.log += done.out
        self.status = done.status
        with open(os.path.join(self.temp, 'output')) as f:
            self.steps[step['id']] = dict(
                line.rstrip('\n').split('=', 1) for line in f)
        with open(os.path.join(self.temp, 'summary')) as f:
            self.summary += f.read()

    def meanwhile(self, name, process):
        """While a step runs."""


class Cancelled(Job):
    """A job that is cancelled once a statement runs."""

    def __init__(self, action, given, running):
        self.running = running
        super().__init__(action, given)

    def meanwhile(self, name, process):
        if name == 'run' and self.running():
            process.send_signal(signal.SIGINT)


__all__ = ['Cancelled', 'EXPRESSION', 'Job', 'n']
