// SPDX-License-Identifier: LGPL-2.1-or-later
//
// The application: a window a file.

import Adw from 'gi://Adw?version=1';
import Gio from 'gi://Gio';
import GLib from 'gi://GLib';
import GObject from 'gi://GObject';
import Gtk from 'gi://Gtk?version=4.0';

import {Recent} from './recent.js';
import {_} from './text.js';
import {Window} from './window.js';

const ACCELERATORS = {
    'app.new-window': ['<Control>n'],
    'app.quit': ['<Control>q'],
    'win.open': ['<Control>o'],
    'win.close': ['<Control>w'],
    'win.find': ['<Control>f'],
    'win.find-next': ['<Control>g', 'F3'],
    'win.find-previous': ['<Control><Shift>g', '<Shift>F3'],
    'win.go-to': ['<Control>l'],
    'win.reload': ['<Control>r', 'F5'],
    'win.inspector': ['F9'],
    'win.zoom-in': ['<Control>plus', '<Control>equal', '<Control>KP_Add'],
    'win.zoom-out': ['<Control>minus', '<Control>KP_Subtract'],
    'win.zoom-reset': ['<Control>0', '<Control>KP_0'],
};

export const Application = GObject.registerClass({
    GTypeName: 'MmioViewerApplication',
}, class Application extends Adw.Application {
    constructor(version) {
        super({
            application_id: 'org.libmmio.Viewer',
            flags: Gio.ApplicationFlags.HANDLES_OPEN,
            resource_base_path: '/org/libmmio/Viewer',
        });
        this.set_option_context_parameter_string(_('[FILE…]'));
        this.set_option_context_summary(_('Shows files of any size as hex and text, and what happens to them while they are shown.'));
        this.add_main_option('version', 0, GLib.OptionFlags.NONE, GLib.OptionArg.NONE, _('Show the version'), null);
        this._version = version;
        this.recent = null;
    }

    vfunc_handle_local_options(options) {
        if (!options.contains('version'))
            return -1;
        print(`mmio-viewer ${this._version}`);
        return 0;
    }

    vfunc_startup() {
        super.vfunc_startup();
        GLib.set_application_name(_('Mapped File Viewer'));
        Gtk.Window.set_default_icon_name(this.application_id);
        this.recent = new Recent();

        this._addAction('new-window', () => new Window({application: this}).present());
        this._addAction('quit', () => this.get_windows().forEach(window => window.close()));
        this._addAction('about', () => this._about());
        this._addAction('open-recent', (_action, uri) => this.openFiles([Gio.File.new_for_uri(uri.unpack())], this.active_window), 's');
        for (const [action, keys] of Object.entries(ACCELERATORS))
            this.set_accels_for_action(action, keys);
    }

    vfunc_activate() {
        (this.active_window ?? new Window({application: this})).present();
    }

    vfunc_open(files, _hint) {
        this.openFiles(files, null);
    }

    /** In the window that asks for it if that is empty, else each in one of its own. */
    openFiles(files, window) {
        for (const file of files) {
            const target = window && !window.document ? window : new Window({application: this});
            window = null;
            target.open(file).catch(logError);
            target.present();
        }
    }

    _addAction(name, run, type = null) {
        const action = new Gio.SimpleAction({name, parameter_type: type === null ? null : new GLib.VariantType(type)});
        action.connect('activate', run);
        this.add_action(action);
    }

    _about() {
        new Adw.AboutWindow({
            transient_for: this.active_window,
            application_name: _('Mapped File Viewer'),
            application_icon: this.application_id,
            developer_name: _('The libmmio authors'),
            version: this._version,
            license_type: Gtk.License.LGPL_2_1,
            comments: _('Shows files of any size as hex and text, and what happens to them while they are shown.'),
        }).present();
    }
});
