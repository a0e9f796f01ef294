// SPDX-License-Identifier: LGPL-2.1-or-later
//
// A window shows one file: what its parts say to each other.

import Adw from 'gi://Adw?version=1';
import Gdk from 'gi://Gdk?version=4.0';
import Gio from 'gi://Gio';
import GObject from 'gi://GObject';
import Gtk from 'gi://Gtk?version=4.0';
import Pango from 'gi://Pango';

import './banner.js';
import './fileMap.js';
import './hexView.js';
import './inspector.js';
import './searchBar.js';
import {Document, State} from './document.js';
import {_, errorText, fill, hexBytes, offsetText, parseOffset, sizeText} from './text.js';

// More would keep everyone waiting, who copies and who pastes.
const MAX_COPY = 4 * 1024 * 1024;
// Letters that a toast has room for.
const LONG = 32;

export const Window = GObject.registerClass({
    GTypeName: 'MmioViewerWindow',
    Template: 'resource:///org/libmmio/Viewer/ui/window.ui',
    InternalChildren: ['toasts', 'stack', 'title', 'openMenu', 'banner', 'search', 'searchToggle', 'inspectorToggle', 'flap', 'inspector', 'view', 'map',
        'position', 'goTo', 'goToEntry', 'goToButton', 'selection', 'state'],
}, class Window extends Adw.ApplicationWindow {
    constructor(properties) {
        super(properties);
        this.document = null;

        this._addActions();
        this._addDrop();
        this._openMenu.menu_model = this.application.recent.menu;
        // Its buttons are what is told, and a template can't name them.
        const [button, menu] = [this._openMenu.get_first_child(), this._openMenu.get_last_child()];
        button.update_property([Gtk.AccessibleProperty.LABEL], [this._openMenu.tooltip_text]);
        for (const part of [menu, menu.get_first_child()])
            part.update_property([Gtk.AccessibleProperty.LABEL], [this._openMenu.dropdown_tooltip]);

        this._view.connect('cursor-moved', () => this._onCursor());
        this._view.connect('scrolled', () => this._onScrolled());
        this._view.connect('first-rows', () => console.debug('first rows shown'));
        this._map.connect('picked', (_map, share) => this._onPicked(share));
        this._banner.connect('clicked', () => this._onBanner());
        this._inspector.connect('copied', (_inspector, text) => this._copy(text));

        this._search.connect('found', (_search, start, end) => this._view.select(start, end));
        this._search.connect('pattern', (_search, pattern) => this._view.setPattern(pattern));
        this._search.connect('matches', (_search, matches) => this._map.setMatches(matches));
        this._search.connect('failed', (_search, error) => this._fail(error));
        this._search.connect('notify::active', () => {
            if (!this._search.active)
                this._view.grab_focus();
        });
        this._search.bind_property('active', this._searchToggle, 'active',
            GObject.BindingFlags.BIDIRECTIONAL | GObject.BindingFlags.SYNC_CREATE);
        this._searchToggle.connect('notify::active', () => {
            if (this._searchToggle.active)
                this._search.open();
        });

        this._goToEntry.connect('activate', () => this._onGoTo());
        this._goToEntry.connect('changed', () => this._goToEntry.remove_css_class('error'));
        this._goToButton.connect('clicked', () => this._onGoTo());
        this._goTo.connect('show', () => {
            this._goToEntry.text = offsetText(this._view.selection.caret);
            this._goToEntry.grab_focus();
        });
        this._goTo.connect('closed', () => this._view.grab_focus());

        this.connect('close-request', () => {
            this._setDocument(null);
            return Gdk.EVENT_PROPAGATE;
        });
        this._enable();
    }

    async open(location) {
        const document = new Document(location);
        try {
            await document.open();
        } catch (error) {
            this._toast(errorText(error, location));
            return;
        }
        this._setDocument(document);
        this.application.recent.add(location);
        document.watch();
    }

    // The file

    _setDocument(document) {
        this.document?.close();
        this._banner.conceal();
        this.document = document;
        this._view.setDocument(document);
        this._map.setDocument(document);
        this._search.setDocument(document);
        this._stack.visible_child_name = document ? 'file' : 'empty';
        this._enable();
        if (!document)
            return;

        document.connect('changed', () => this._inspect());
        document.connect('resized', (_document, old) => this._onResized(old));
        document.connect('state', () => this._onState());
        document.connect('replaced', () => this._showBanner('reload', _('Another file was saved in place of this one'), _('_Reload')));
        document.connect('removed', () => this._showBanner('dismiss', _('The file was removed or renamed. Its content is still shown.'),
            _('_Dismiss')));
        document.connect('reloaded', () => this._banner.conceal());
        document.connect('failed', (_document, error) => this._fail(error));
        this._onTitle();
        this._onState();
        this._view.grab_focus();
    }

    _onTitle() {
        this.title = this.document.name;
        this._title.title = this.document.name;
        this._title.subtitle = sizeText(this.document.size);
    }

    _onResized(old) {
        const {size} = this.document;
        this._onTitle();
        if (size < old && !this.document.isReplaced)
            this._showBanner('dismiss', fill(_('The file was cut off: %s of %s are left'), sizeText(size), sizeText(old)), _('_Dismiss'));
        this._onScrolled();
    }

    _onState() {
        this._state.label = {
            [State.UNCHANGED]: '',
            [State.CHANGING]: _('Changing…'),
            [State.SETTLED]: _('Settled'),
        }[this.document.state];
        this._state.visible = this._state.label !== '';
    }

    _showBanner(action, text, button) {
        this._bannerAction = action;
        this._banner.reveal(text, button);
    }

    _onBanner() {
        if (this._bannerAction === 'reload')
            this.document.reload();
        else
            this._banner.conceal();
    }

    // The cursor

    _onCursor() {
        const {start, end, caret, isRange} = this._view.selection;
        this._position.label = offsetText(caret);
        this._selection.label = isRange ? fill(_('%s selected'), sizeText(end - start)) : '';
        this._selection.visible = isRange;
        this._search.setCursor(start, end);
        this._inspect();
    }

    _inspect() {
        this._inspector.inspect(this.document, this._view.selection.start);
    }

    _onScrolled() {
        this._map.setView(...this._view.visibleRange);
    }

    _onPicked(share) {
        this._view.moveTo(Math.floor(share * (this.document?.size ?? 0)), {center: true});
    }

    _onGoTo() {
        const offset = parseOffset(this._goToEntry.text, this._view.selection.caret, this.document.size);
        if (!(offset >= 0) || offset > Math.max(this.document.size - 1, 0)) {
            this._goToEntry.add_css_class('error');
            this._goToEntry.error_bell();
            return;
        }
        this._goTo.popdown();
        this._view.moveTo(offset, {center: true});
    }

    // Actions

    _addActions() {
        const actions = {
            'open': () => this._choose(),
            'find': () => this._search.open(),
            'find-next': () => this._search.find(true),
            'find-previous': () => this._search.find(false),
            'go-to': () => this._position.popup(),
            'reload': () => this.document.reload(),
            'copy-hex': () => this._copySelection(hexBytes),
            'copy-text': () => this._copySelection(bytes => new TextDecoder().decode(bytes)),
            'copy-offset': () => this._copy(offsetText(this._view.selection.caret)),
            'select-all': () => this._view.selectAll(),
            'zoom-in': () => this._view.zoom(1),
            'zoom-out': () => this._view.zoom(-1),
            'zoom-reset': () => this._view.zoom(0),
            'close': () => this.close(),
        };
        for (const [name, run] of Object.entries(actions)) {
            const action = new Gio.SimpleAction({name});
            action.connect('activate', run);
            this.add_action(action);
        }
        this.add_action(new Gio.PropertyAction({name: 'inspector', object: this._flap, property_name: 'reveal-flap'}));
    }

    // What needs a file is there only with one.
    _enable() {
        this._inspectorToggle.visible = this.document !== null;
        this._searchToggle.visible = this.document !== null;
        for (const name of ['find', 'find-next', 'find-previous', 'go-to', 'reload', 'copy-hex', 'copy-text', 'copy-offset', 'select-all',
            'zoom-in', 'zoom-out', 'zoom-reset'])
            this.lookup_action(name).enabled = this.document !== null;
    }

    _choose() {
        this._chooser = new Gtk.FileChooserNative({
            title: _('Open a File'),
            transient_for: this,
            modal: true,
            action: Gtk.FileChooserAction.OPEN,
        });
        if (this.document)
            this._chooser.set_current_folder(this.document.location.get_parent());
        this._chooser.connect('response', (chooser, response) => {
            if (response === Gtk.ResponseType.ACCEPT)
                this.application.openFiles([chooser.get_file()], this);
            this._chooser = null;
        });
        this._chooser.show();
    }

    _addDrop() {
        const drop = Gtk.DropTarget.new(Gdk.FileList.$gtype, Gdk.DragAction.COPY);
        drop.connect('drop', (_target, list) => {
            this.application.openFiles(list.get_files(), this);
            return true;
        });
        this._toasts.add_controller(drop);
    }

    _copySelection(toText) {
        const {start, end} = this._view.selection;
        if (end - start > MAX_COPY) {
            this._toast(fill(_('%s are too much to copy: the limit is %s'), sizeText(end - start), sizeText(MAX_COPY)));
            return;
        }
        this._copy(toText(this.document.read(start, end - start)));
    }

    _copy(text) {
        this.get_clipboard().set(text);
        this._toast(_('Copied'));
    }

    _fail(error) {
        this._toast(this.document ? errorText(error, this.document.location) : error.message);
    }

    // Which file, and why: in two lines if one is too long for a narrow window, and both ends of each are seen.
    _toast(text) {
        const title = text.length > LONG ? text.replace(': ', ':\n') : text;
        const label = new Gtk.Label({label: title, ellipsize: Pango.EllipsizeMode.MIDDLE, xalign: 0, tooltip_text: text});
        label.add_css_class('heading');
        this._toasts.add_toast(new Adw.Toast({custom_title: label}));
    }
});
