#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""introspected.py GIR: what programs rely on and no symbol tells of, a line each: types, values, properties, signals."""

import sys
import xml.etree.ElementTree as tree

CORE, C, GLIB = ('{http://www.gtk.org/introspection/%s/1.0}' % name for name in ('core', 'c', 'glib'))


def type_of(node):
    found = node.find(CORE + 'type')
    if found is None:
        found = node.find(CORE + 'array')
    return found.get('name') or found.get(C + 'type') or found.tag.removeprefix(CORE)


def lines(namespace):
    for node in namespace:
        name = node.get('name')
        kind = node.tag.removeprefix(CORE)
        if node.get(GLIB + 'type-name') is None:
            continue
        yield f'{kind} {name} = {node.get(GLIB + "type-name")}'
        if node.get('parent'):
            yield f'{kind} {name} is a {node.get("parent")}'
        for implemented in node.findall(CORE + 'implements'):
            yield f'{kind} {name} is a {implemented.get("name")}'
        if node.get(GLIB + 'error-domain'):
            yield f'{kind} {name} is of {node.get(GLIB + "error-domain")}'
        for member in node.findall(CORE + 'member'):
            yield f'{kind} {name}: {member.get(C + "identifier")} = {member.get("value")} "{member.get(GLIB + "nick")}"'
        for found in node.findall(CORE + 'property'):
            yield f'{kind} {name}: property {found.get("name")}, {type_of(found)}'
            # A line for each thing that can be done with it: more is no break.
            if found.get('readable') != '0':
                yield f'{kind} {name}: property {found.get("name")} can be read'
            if found.get('writable') == '1':
                yield f'{kind} {name}: property {found.get("name")} can be constructed with'
                if found.get('construct-only') != '1':
                    yield f'{kind} {name}: property {found.get("name")} can be set'
        for signal in node.findall(GLIB + 'signal'):
            parameters = signal.findall(f'{CORE}parameters/{CORE}parameter')
            returned = type_of(signal.find(CORE + 'return-value'))
            yield f'{kind} {name}: signal {signal.get("name")} ({", ".join(map(type_of, parameters))}) -> {returned}'


if __name__ == '__main__':
    print('\n'.join(sorted(lines(tree.parse(sys.argv[1]).getroot().find(CORE + 'namespace')))))
