// SPDX-License-Identifier: LGPL-2.1-or-later
//
// The declarations for TypeScript name what there is, all of it and nothing else.

import Gio from 'gi://Gio';
import GIRepository from 'gi://GIRepository';
import GLib from 'gi://GLib';
import Mmio from 'gi://Mmio?version=1.0';
import {assertEqual, run, skip, test} from './tap.js';

// Not for scripts: references, and what the overrides give in another form.
const HIDDEN = ['ref', 'unref', 'free', 'copy', 'get_pointer', 'read_bytes'];

const folder = GLib.getenv('G_TEST_SRCDIR') ?? '.';
const source = Gio.File.new_for_path(`${folder}/../bindings/gjs/mmio-1.0.d.ts`);

function declared(text) {
    const classes = new Map();
    let members = null;
    for (const line of text.split('\n')) {
        const start = /^ {8}class (\w+)/.exec(line);
        if (start)
            classes.set(start[1], members = new Set());
        else if (/^ {8}\S/.test(line))
            members = null;
        const member = /^ {12}(?:static |readonly )*'?(\w+)'?[?(<:]/.exec(line);
        if (members && member && member[1] !== 'constructor')
            members.add(member[1]);
    }
    return classes;
}

function existing(name) {
    const repository = GIRepository.Repository.get_default();
    const info = repository.find_by_name('Mmio', name);
    const object = info.get_type() === GIRepository.InfoType.OBJECT;
    const count = object ? GIRepository.object_info_get_n_methods(info) : GIRepository.struct_info_get_n_methods(info);
    const names = [];
    for (let i = 0; i < count; i++)
        names.push((object ? GIRepository.object_info_get_method(info, i) : GIRepository.struct_info_get_method(info, i)).get_name());
    return names;
}

if (source.query_exists(null)) {
    const classes = declared(new TextDecoder().decode(source.load_contents(null)[1]));

    for (const name of ['File', 'View', 'AtomicU32', 'AtomicU64', 'InputStream', 'OutputStream']) {
        test(`/gjs/types/${name}-has-all-that-there-is`, () => {
            const missing = existing(name).filter(method => !classes.get(name).has(method) && !HIDDEN.includes(method));
            assertEqual(missing, []);
        });
        test(`/gjs/types/${name}-has-nothing-else`, () => {
            const there = member => member in Mmio[name] || member in Mmio[name].prototype;
            assertEqual([...classes.get(name)].filter(member => !there(member)), []);
        });
    }
    test('/gjs/types/errors', () => {
        assertEqual([...classes.get('Error')].filter(code => typeof Mmio.Error[code] !== 'number'), []);
    });
} else {
    skip('/gjs/types', 'the declarations are not installed');
}

run();
