# SPDX-License-Identifier: MIT
"""sbom.py VERSION EPOCH TARBALL PROGRAM=MAP...: an SPDX 2.3 document, as JSON,
of the programs of a release and of all that they are linked of."""
import hashlib
import json
import os
import re
import sys
import time
import urllib.parse

from components import component
from linkmap import packages

TOOL = 'Tool: mizzle packaging/sbom.py'


def spdx_id(*words):
    return 'SPDXRef-' + '-'.join(re.sub('[^A-Za-z0-9.]+', '-', word)
                                 for word in words)


def checksums(path):
    with open(path, 'rb') as f:
        content = f.read()
    return [{'algorithm': name.upper(),
             'checksumValue': hashlib.new(name, content).hexdigest()}
            for name in ('sha1', 'sha256')]


def file_of(path, kind):
    name = os.path.basename(path)
    return {'SPDXID': spdx_id('File', name), 'fileName': './' + name,
            'fileTypes': [kind], 'checksums': checksums(path),
            'licenseConcluded': 'NOASSERTION', 'copyrightText': 'NOASSERTION'}


def package_of(package):
    one = component(package)
    purl = 'pkg:deb/debian/%s@%s?arch=%s' % (
        package.name, urllib.parse.quote(package.version, safe='.-'),
        package.arch)
    refs = [('PACKAGE-MANAGER', 'purl', purl)]
    if package.source != 'ca-certificates':
        refs.append(('SECURITY', 'cpe23Type', one.cpe(package.upstream())))
    return {
        'SPDXID': spdx_id('Package', package.name, package.arch),
        'name': package.name, 'versionInfo': package.version,
        'supplier': 'Organization: Debian',
        'downloadLocation': 'NOASSERTION', 'filesAnalyzed': False,
        'licenseConcluded': 'NOASSERTION', 'licenseDeclared': one.licence,
        'copyrightText': 'NOASSERTION',
        'summary': '%s: %s' % (one.title, one.what),
        'sourceInfo': 'linked from the Debian package of source %s' %
        package.source,
        'externalRefs': [{'referenceCategory': a, 'referenceType': b,
                          'referenceLocator': c} for a, b, c in refs],
        **({'homepage': package.home} if package.home else {}),
    }


def relation(a, kind, b):
    return {'spdxElementId': a, 'relationshipType': kind,
            'relatedSpdxElement': b}


def main(version, epoch, tarball, *programs):
    own = spdx_id('Package', 'mizzle')
    source = file_of(tarball, 'ARCHIVE')
    files, linked = [source], {}
    relations = [relation('SPDXRef-DOCUMENT', 'DESCRIBES', own),
                 relation(own, 'CONTAINS', source['SPDXID'])]
    for program, link_map in (one.split('=', 1) for one in programs):
        binary = file_of(program, 'BINARY')
        files.append(binary)
        relations += [relation(own, 'CONTAINS', binary['SPDXID']),
                      relation(binary['SPDXID'], 'GENERATED_FROM',
                               source['SPDXID'])]
        for package in packages(link_map, 'ca-certificates'):
            got = package_of(package)
            linked[got['SPDXID']] = got
            relations.append(relation(
                binary['SPDXID'], 'CONTAINS' if package.source ==
                'ca-certificates' else 'STATIC_LINK', got['SPDXID']))
    digest = hashlib.sha256(json.dumps([files, linked]).encode()).hexdigest()
    document = {
        'spdxVersion': 'SPDX-2.3', 'dataLicense': 'CC0-1.0',
        'SPDXID': 'SPDXRef-DOCUMENT', 'name': 'mizzle-' + version,
        'documentNamespace':
            'https://spdx.org/spdxdocs/mizzle-%s-%s' % (version, digest[:32]),
        'creationInfo': {
            'created': time.strftime('%Y-%m-%dT%H:%M:%SZ',
                                     time.gmtime(int(epoch))),
            'creators': [TOOL]},
        'packages': [{
            'SPDXID': own, 'name': 'mizzle', 'versionInfo': version,
            'downloadLocation': 'NOASSERTION', 'filesAnalyzed': False,
            'licenseConcluded': 'MIT', 'licenseDeclared': 'MIT',
            'copyrightText': 'NOASSERTION',
            'primaryPackagePurpose': 'APPLICATION',
            'externalRefs': [{
                'referenceCategory': 'PACKAGE-MANAGER',
                'referenceType': 'purl',
                'referenceLocator': 'pkg:generic/mizzle@' + version}],
        }, *(linked[name] for name in sorted(linked))],
        'files': files, 'relationships': relations,
    }
    json.dump(document, sys.stdout, indent=2, sort_keys=True)
    sys.stdout.write('\n')


main(*sys.argv[1:])
