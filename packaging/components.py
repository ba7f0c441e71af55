# SPDX-License-Identifier: MIT
"""What a released program is made of besides mizzle, by Debian source package:
its licence, what it is for, and its name in vulnerability databases."""


class Component:
    def __init__(self, title, licence, vendor, product, what):
        self.title, self.licence, self.what = title, licence, what
        self.vendor, self.product = vendor, product

    def cpe(self, version):
        return 'cpe:2.3:a:%s:%s:%s:*:*:*:*:*:*:*' % (
            self.vendor, self.product, version)


COMPONENTS = {
    'c-ares': Component('c-ares', 'MIT', 'c-ares', 'c-ares', 'DNS'),
    'ca-certificates': Component(
        "Mozilla's list of authorities", 'MPL-2.0', 'mozilla', 'nss',
        'sslrootcert=system where the machine has no authorities'),
    'gcc-12': Component(
        "GCC's runtime library", 'GPL-3.0-or-later WITH GCC-exception-3.1',
        'gnu', 'gcc', 'what the compiler calls'),
    'glibc': Component('GNU C Library', 'LGPL-2.1-or-later', 'gnu', 'glibc',
                       'the C library'),
    'jansson': Component('Jansson', 'MIT', 'jansson_project', 'jansson',
                         'JSON'),
    'libevent': Component('libevent', 'BSD-3-Clause', 'libevent_project',
                          'libevent', 'HTTP of serve'),
    'openssl': Component('OpenSSL', 'Apache-2.0', 'openssl', 'openssl',
                         'TLS and hashes'),
    'utf8proc': Component('utf8proc', 'MIT AND Unicode-DFS-2015',
                          'juliastrings', 'utf8proc',
                          'passwords that are not ASCII'),
    'zlib': Component('zlib', 'Zlib', 'zlib', 'zlib', 'compression'),
}


def component(package):
    """A library that nobody knows here is a decision that nobody took."""
    if package.source not in COMPONENTS:
        raise SystemExit('%s is linked, but packaging/components.py does not '
                         'know it' % package.source)
    return COMPONENTS[package.source]
