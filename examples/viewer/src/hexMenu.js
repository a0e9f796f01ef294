// SPDX-License-Identifier: LGPL-2.1-or-later
//
// The menu of the hex view.

import Gdk from 'gi://Gdk?version=4.0';
import Gio from 'gi://Gio';
import Gtk from 'gi://Gtk?version=4.0';

import {_} from './text.js';

function section(menu, items) {
    const part = new Gio.Menu();
    for (const [label, action] of items)
        part.append(label, action);
    menu.append_section(null, part);
}

export class HexMenu {
    constructor(view) {
        this._view = view;
        const menu = new Gio.Menu();
        section(menu, [[_('_Copy as Hex'), 'win.copy-hex'], [_('Copy as _Text'), 'win.copy-text'], [_('Copy _Offset'), 'win.copy-offset']]);
        section(menu, [[_('Select _All'), 'win.select-all'], [_('_Go to Offset…'), 'win.go-to']]);
        this._popover = new Gtk.PopoverMenu({menu_model: menu, has_arrow: false, halign: Gtk.Align.START});
        this._popover.set_parent(view);

        const click = new Gtk.GestureClick({button: Gdk.BUTTON_SECONDARY});
        click.connect('pressed', (_gesture, _count, x, y) => this._onPointer(x, y));
        view.add_controller(click);
        const press = new Gtk.GestureLongPress({touch_only: true});
        press.connect('pressed', (_gesture, x, y) => this._onPointer(x, y));
        view.add_controller(press);
    }

    /** At a point, or at the cursor. */
    popUp([x, y] = this._view.pointOf(this._view.selection.caret)) {
        this._popover.set_pointing_to(new Gdk.Rectangle({x: Math.round(x), y: Math.round(y), width: 1, height: 1}));
        this._popover.popup();
    }

    /** The view has another place or size. */
    present() {
        this._popover.present();
    }

    destroy() {
        this._popover.unparent();
    }

    _onPointer(x, y) {
        const {selection} = this._view;
        const offset = this._view.offsetAt(x, y);
        this._view.grab_focus();
        if (offset < selection.start || offset >= selection.end)
            this._view.moveTo(offset);
        this.popUp([x, y]);
    }
}
