// SPDX-License-Identifier: LGPL-2.1-or-later
//
// The files that the viewer has shown lately, as a menu.

import Gio from 'gi://Gio';
import GLib from 'gi://GLib';
import Gtk from 'gi://Gtk?version=4.0';

import {_} from './text.js';

const SHOWN = 8;

// GTK files them under the application's name, which is another in each language; how it was started is the same.
function isOurs(item) {
    const program = GLib.get_prgname();
    return item.get_applications().some(name => {
        const [found, command] = item.get_application_info(name);
        return found && command.replace(/'/g, '').split(' ')[0] === program;
    });
}

export class Recent {
    constructor() {
        this.menu = new Gio.Menu();
        this._manager = Gtk.RecentManager.get_default();
        this._manager.connect('changed', () => this._update());
        this._update();
    }

    add(location) {
        this._manager.add_item(location.get_uri());
    }

    _update() {
        const items = this._manager.get_items()
            .filter(isOurs)
            .sort((a, b) => b.get_modified().compare(a.get_modified()))
            .slice(0, SHOWN);

        this.menu.remove_all();
        for (const item of items) {
            const entry = Gio.MenuItem.new(item.get_display_name().replaceAll('_', '__'), null);
            entry.set_action_and_target_value('app.open-recent', GLib.Variant.new_string(item.get_uri()));
            this.menu.append_item(entry);
        }
        // An action that there is none of: shown, and can't be chosen.
        if (items.length === 0)
            this.menu.append(_('No Recent Files'), 'app.none');
    }
}
