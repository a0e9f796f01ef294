// SPDX-License-Identifier: LGPL-2.1-or-later
//
// The matches of a search among the bytes in view.

/** Where a pattern is in what is shown, {start, bytes}, of a document: also one that begins above it, or goes on below. */
export function matchesInView(document, pattern, {start, bytes}) {
    const matches = [];
    if (!pattern?.length || !document || bytes.length === 0)
        return matches;

    const before = Math.min(pattern.length - 1, start);
    const around = document.read(start - before, before + bytes.length + pattern.length - 1);
    for (let i = around.indexOf(pattern[0]); i >= 0 && i + pattern.length <= around.length;) {
        if (pattern.every((byte, j) => around[i + j] === byte)) {
            matches.push(start - before + i);
            i += pattern.length - 1;
        }
        i = around.indexOf(pattern[0], i + 1);
    }
    return matches;
}
