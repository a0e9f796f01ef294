// SPDX-License-Identifier: LGPL-2.1-or-later
//
// How the viewer writes numbers, and how it reads those of its user.

import GLib from 'gi://GLib';
import Gettext from 'gettext';

const {vprintf} = imports.format;

export const DOMAIN = 'libmmio';
export const {gettext: _, ngettext, pgettext: C_} = Gettext.domain(DOMAIN);

/** A translated message with its %s filled in. */
export function fill(message, ...values) {
    return vprintf(message, values.map(String));
}

export function hex(number, digits) {
    return number.toString(16).toUpperCase().padStart(digits, '0');
}

/** Each byte in two digits. */
export const HEX = Array.from({length: 256}, (_, byte) => hex(byte, 2));

export function hexBytes(bytes) {
    return Array.from(bytes, byte => HEX[byte]).join(' ');
}

/** ASCII as it is, a middle dot for everything else. */
export function printable(byte) {
    return byte >= 0x20 && byte < 0x7f ? String.fromCharCode(byte) : '·';
}

/** An offset as a person reads it. */
export function offsetText(offset) {
    return `0x${hex(offset, 4)}`;
}

export function sizeText(size) {
    return GLib.format_size_full(size, GLib.FormatSizeFlags.IEC_UNITS);
}

/**
 * What a person writes for an offset: 4096, 0x1000, 1000h, +16 or -0x10 from the cursor, 50% of the file. NaN if it is none of these.
 */
export function parseOffset(text, cursor, size) {
    const [, sign, body] = /^\s*([+\-−]?)\s*(.*?)\s*$/.exec(text);
    let number = NaN;

    if (/^\d+([.,]\d+)?\s*%$/.test(body))
        number = Math.floor(parseFloat(body.replace(',', '.')) / 100 * size);
    else if (/^(0x[\da-f]+|[\da-f]+h)$/i.test(body))
        number = parseInt(body, 16);
    else if (/^\d+$/.test(body))
        number = parseInt(body, 10);

    if (sign !== '')
        number = cursor + (sign === '+' ? number : -number);
    return number;
}

/** The bytes that "48 65 6c" or "48656C" stand for; null if it is no whole number of bytes in hex. */
export function parseHex(text) {
    const digits = text.replace(/0x|[\s,:-]/gi, '');
    if (digits.length % 2 !== 0 || /[^\da-f]/i.test(digits))
        return null;
    return Uint8Array.from(digits.match(/../g) ?? [], pair => parseInt(pair, 16));
}

/** An error of the library names the file by its whole path; a toast has room for its name. */
export function errorText(error, file) {
    const path = file.get_path();
    const name = file.get_parse_name().replace(/.*\//, '');
    return path !== null && error.message.startsWith(path) ? name + error.message.slice(path.length) : `${name}: ${error.message}`;
}
