// SPDX-License-Identifier: LGPL-2.1-or-later
//
// What keys do in the hex view.

import Gdk from 'gi://Gdk?version=4.0';
import Gtk from 'gi://Gtk?version=4.0';

// Here and not the application's: entries have such keys of their own.
const SHORTCUTS = [
    ['<Control>c', 'win.copy-hex'],
    ['<Control><Shift>c', 'win.copy-text'],
    ['<Control>a', 'win.select-all'],
];

/** Where a key moves the cursor, in bytes; undefined if it is no such key. */
function moveOf(key, view, isControl) {
    const n = view.bytesPerRow;
    const {caret, last} = view.selection;
    const rowStart = caret - caret % n;
    const page = view.rowsPerPage * n;
    const forwards = view.get_direction() === Gtk.TextDirection.RTL ? -1 : 1;
    // A step up or down that there is no row for goes nowhere, rather than to the end of the row.
    const vertical = step => caret + step >= 0 && caret + step <= last ? step : 0;

    switch (Gdk.keyval_name(key)?.replace(/^KP_/, '')) {
    case 'Left':
        return -forwards;
    case 'Right':
        return forwards;
    case 'Up':
        return vertical(-n);
    case 'Down':
        return vertical(n);
    case 'Page_Up':
    case 'Prior':
        return -page;
    case 'Page_Down':
    case 'Next':
        return page;
    case 'Home':
        return (isControl ? 0 : rowStart) - caret;
    case 'End':
        return (isControl ? last : rowStart + n - 1) - caret;
    default:
        return undefined;
    }
}

export function addKeys(view) {
    const keys = new Gtk.EventControllerKey();
    keys.connect('key-pressed', (_controller, key, _code, state) => {
        const extend = (state & Gdk.ModifierType.SHIFT_MASK) !== 0;
        if (key === Gdk.KEY_Menu || key === Gdk.KEY_F10 && extend) {
            view.menu.popUp();
            return Gdk.EVENT_STOP;
        }
        const move = moveOf(key, view, (state & Gdk.ModifierType.CONTROL_MASK) !== 0);
        if (move === undefined || !view.document)
            return Gdk.EVENT_PROPAGATE;
        view.moveTo(view.selection.caret + move, {extend});
        return Gdk.EVENT_STOP;
    });
    view.add_controller(keys);

    const shortcuts = new Gtk.ShortcutController();
    for (const [trigger, action] of SHORTCUTS) {
        shortcuts.add_shortcut(new Gtk.Shortcut({
            trigger: Gtk.ShortcutTrigger.parse_string(trigger),
            action: Gtk.NamedAction.new(action),
        }));
    }
    view.add_controller(shortcuts);
}
