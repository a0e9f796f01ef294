// SPDX-License-Identifier: LGPL-2.1-or-later
//
// hex FILE: the file's bytes, sixteen a line, as numbers and as text.

import Mmio from 'gi://Mmio?version=1.0';
import {programArgs} from 'system';

const hex = (number, width) => number.toString(16).padStart(width, '0');
const file = Mmio.File.open(programArgs[0]);
let offset = 0;

for (const chunk of file.chunks(16)) {
    const numbers = Array.from(chunk, byte => hex(byte, 2)).join(' ');
    const text = Array.from(chunk, byte => byte >= 32 && byte < 127 ? String.fromCharCode(byte) : '.').join('');
    print(`${hex(offset, 8)}  ${numbers.padEnd(47)}  ${text}`);
    offset += chunk.length;
}
file.close();
