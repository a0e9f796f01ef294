// SPDX-License-Identifier: LGPL-2.1-or-later
//
// The little a test in GJS needs: test () runs a function, or an async one on a main loop, and prints a TAP point.

import Gio from 'gi://Gio';
import GLib from 'gi://GLib';
import System from 'system';

let number = 0;
let failed = false;
const queue = [];

export function fail(message) {
    throw new Error(message);
}

export function assert(condition, message = 'not true') {
    if (!condition)
        fail(message);
}

export function assertEqual(actual, expected, message = '') {
    const a = show(actual), e = show(expected);
    if (a !== e)
        fail(`${message}${message && ': '}got ${a}, expected ${e}`);
}

// Runs the function, which must throw a GError of the domain and code.
export function assertThrows(domain, code, func) {
    try {
        func();
    } catch (error) {
        if (error.matches?.(domain, code))
            return error;
        throw error;
    }
    return fail('nothing was thrown');
}

export function assertThrowsType(type, func) {
    try {
        func();
    } catch (error) {
        if (error instanceof type)
            return error;
        throw error;
    }
    return fail('nothing was thrown');
}

function show(value) {
    if (value instanceof Uint8Array)
        return `Uint8Array [${Array.from(value).join(', ')}]`;
    if (typeof value === 'bigint')
        return `${value}n`;
    if (Array.isArray(value))
        return `[${value.map(show).join(', ')}]`;
    return typeof value === 'string' ? JSON.stringify(value) : String(value);
}

// Resolves with the arguments of the next emission of the signal, and rejects when it has not come in time.
export function next(object, signal, milliseconds = 60000) {
    return new Promise((resolve, reject) => {
        let timer = 0;
        const handler = object.connect(signal, (_object, ...args) => {
            object.disconnect(handler);
            GLib.source_remove(timer);
            resolve(args);
        });
        timer = GLib.timeout_add(GLib.PRIORITY_DEFAULT, milliseconds, () => {
            object.disconnect(handler);
            reject(new Error(`${signal} did not come within ${milliseconds} ms`));
            return GLib.SOURCE_REMOVE;
        });
    });
}

function removeFolder(folder) {
    const children = folder.enumerate_children('standard::name,standard::type',
        Gio.FileQueryInfoFlags.NOFOLLOW_SYMLINKS, null);
    for (let info = children.next_file(null); info !== null; info = children.next_file(null)) {
        const child = children.get_child(info);
        if (info.get_file_type() === Gio.FileType.DIRECTORY)
            removeFolder(child);
        else
            child.delete(null);
    }
    children.close(null);
    folder.delete(null);
}

// A point. The function is given the path of a temporary folder of its own.
export function test(name, func) {
    queue.push([name, func]);
}

export function skip(name, reason) {
    queue.push([name, null, reason]);
}

async function runOne(name, func, reason) {
    number++;
    if (!func) {
        print(`ok ${number} - ${name} # SKIP ${reason}`);
        return;
    }
    const folder = GLib.Dir.make_tmp('mmio-XXXXXX');
    try {
        await func(folder);
        print(`ok ${number} - ${name}`);
    } catch (error) {
        failed = true;
        for (const line of `${error}\n${error.stack ?? ''}`.trimEnd().split('\n'))
            print(`# ${line}`);
        print(`not ok ${number} - ${name}`);
    } finally {
        removeFolder(Gio.File.new_for_path(folder));
    }
}

// To be called once, last.
export function run() {
    const loop = GLib.MainLoop.new(null, false);
    (async () => {
        for (const point of queue)
            await runOne(...point);
    })().catch(error => {
        failed = true;
        print(`Bail out! ${error}`);
    }).finally(() => loop.quit());
    loop.run();
    print(`1..${number}`);
    System.exit(failed ? 1 : 0);
}
