// SPDX-License-Identifier: LGPL-2.1-or-later
//
// One line above the content that stays until something is done about it, as Adw.Banner of later versions of libadwaita.

import GObject from 'gi://GObject';
import Gtk from 'gi://Gtk?version=4.0';

export const Banner = GObject.registerClass({
    GTypeName: 'MmioViewerBanner',
    Template: 'resource:///org/libmmio/Viewer/ui/banner.ui',
    InternalChildren: ['revealer', 'title', 'button'],
    Signals: {'clicked': {}},
}, class Banner extends Gtk.Box {
    constructor(properties = {}) {
        super({visible: false, ...properties});
        this._button.connect('clicked', () => this.emit('clicked'));
        this._revealer.connect('notify::child-revealed', () => {
            this.visible = this._revealer.reveal_child;
        });
    }

    reveal(title, button) {
        this._title.label = title;
        this._button.label = button;
        this.visible = true;
        this._revealer.reveal_child = true;
        this.update_property([Gtk.AccessibleProperty.LABEL], [title]);
    }

    conceal() {
        this._revealer.reveal_child = false;
    }
});
