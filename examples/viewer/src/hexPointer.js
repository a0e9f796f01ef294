// SPDX-License-Identifier: LGPL-2.1-or-later
//
// What the pointer and fingers do in the hex view, but for its menu.

import Gdk from 'gi://Gdk?version=4.0';
import GLib from 'gi://GLib';
import Gtk from 'gi://Gtk?version=4.0';

// So often the view goes on by a row while the pointer is held beyond it, ms.
const SCROLL_PERIOD = 50;

// Selects along the pointer, and scrolls while it is held above or below.
class Selecting {
    constructor(view) {
        this._view = view;
        this._point = [0, 0];
        this._sourceId = 0;

        const drag = new Gtk.GestureDrag({button: Gdk.BUTTON_PRIMARY});
        drag.connect('drag-update', (_gesture, dx, dy) => {
            const [, x, y] = drag.get_start_point();
            if (Math.abs(dx) + Math.abs(dy) > view.charWidth)
                this._onPoint(x + dx, y + dy);
        });
        drag.connect('drag-end', () => this._stop());
        drag.connect('cancel', () => this._stop());
        view.add_controller(drag);
        view.connect('unmap', () => this._stop());
        this.gesture = drag;
    }

    _onPoint(x, y) {
        this._point = [x, y];
        this._select();
        const isOutside = y < 0 || y > this._view.get_height();
        if (!isOutside)
            this._stop();
        else if (!this._sourceId)
            this._sourceId = GLib.timeout_add(GLib.PRIORITY_DEFAULT, SCROLL_PERIOD, () => this._select());
    }

    _select() {
        const view = this._view;
        const [x, y] = this._point;
        view.moveTo(view.offsetAt(x, Math.max(-view.rowHeight, Math.min(y, view.get_height() + view.rowHeight))), {extend: true});
        return GLib.SOURCE_CONTINUE;
    }

    _stop() {
        if (this._sourceId)
            GLib.source_remove(this._sourceId);
        this._sourceId = 0;
    }
}

export function addPointer(view) {
    const click = new Gtk.GestureClick({button: Gdk.BUTTON_PRIMARY});
    click.connect('pressed', (_gesture, _count, x, y) => {
        view.grab_focus();
        const extend = (click.get_current_event_state() & Gdk.ModifierType.SHIFT_MASK) !== 0;
        view.moveTo(view.offsetAt(x, y), {extend});
    });
    view.add_controller(click);
    click.group(new Selecting(view).gesture);

    const zoom = new Gtk.EventControllerScroll({flags: Gtk.EventControllerScrollFlags.VERTICAL | Gtk.EventControllerScrollFlags.DISCRETE});
    zoom.connect('scroll', (_controller, _dx, dy) => {
        if ((zoom.get_current_event_state() & Gdk.ModifierType.CONTROL_MASK) === 0)
            return Gdk.EVENT_PROPAGATE;
        view.zoom(dy < 0 ? 1 : -1);
        return Gdk.EVENT_STOP;
    });
    view.add_controller(zoom);
}
