// SPDX-License-Identifier: LGPL-2.1-or-later
//
// The bar to search with: text or hex, forwards and backwards, with its progress in the entry itself.

import Gdk from 'gi://Gdk?version=4.0';
import GLib from 'gi://GLib';
import GObject from 'gi://GObject';
import Gtk from 'gi://Gtk?version=4.0';

import {Search} from './search.js';
import {_, fill, ngettext, offsetText, parseHex} from './text.js';

// Between two keys, ms.
const TYPING = 200;
// Below that width, in pixels.
const NARROW = 480;
const SPACING = 6;

export const SearchBar = GObject.registerClass({
    GTypeName: 'MmioViewerSearchBar',
    Template: 'resource:///org/libmmio/Viewer/ui/search.ui',
    InternalChildren: ['bar', 'box', 'entry', 'kind', 'status', 'stop', 'previous', 'next'],
    Properties: {
        'active': GObject.ParamSpec.boolean('active', '', '', GObject.ParamFlags.READWRITE, false),
    },
    Signals: {
        // start and end of a match
        'found': {param_types: [GObject.TYPE_DOUBLE, GObject.TYPE_DOUBLE]},
        // the pattern, and where else it is
        'pattern': {param_types: [GObject.TYPE_JSOBJECT]},
        'matches': {param_types: [GObject.TYPE_JSOBJECT]},
        'failed': {param_types: [GObject.TYPE_JSOBJECT]},
    },
}, class SearchBar extends Gtk.Widget {
    constructor(properties = {}) {
        super(properties);
        this._document = null;
        this._search = null;
        this._counting = null;
        this._typingId = 0;
        this._narrowId = 0;
        this._from = 0;
        this.caret = 0;

        this._bar.connect_entry(this._entry);
        this.connect('destroy', () => this._bar.unparent());
        this._bar.bind_property('search-mode-enabled', this, 'active', GObject.BindingFlags.BIDIRECTIONAL);
        this.connect('notify::active', () => this._onActive());
        this._entry.connect('changed', () => this._onTyped());
        this._entry.connect('activate', () => this.find(true));
        this._kind.connect('notify::selected', () => this._onTyped());
        this._stop.connect('clicked', () => this.stop());
        this._previous.connect('clicked', () => this.find(false));
        this._next.connect('clicked', () => this.find(true));

        const keys = new Gtk.EventControllerKey({propagation_phase: Gtk.PropagationPhase.CAPTURE});
        keys.connect('key-pressed', (_controller, key, _code, state) => {
            if ((key !== Gdk.KEY_Return && key !== Gdk.KEY_KP_Enter) || (state & Gdk.ModifierType.SHIFT_MASK) === 0)
                return Gdk.EVENT_PROPAGATE;
            this.find(false);
            return Gdk.EVENT_STOP;
        });
        this._entry.add_controller(keys);
        this._say('');
    }

    vfunc_measure(orientation, forSize) {
        return this._bar.measure(orientation, forSize);
    }

    // In a narrow window the rest stands below the entry.
    vfunc_size_allocate(width, height, baseline) {
        this._bar.allocate(width, height, baseline, null);
        const orientation = width < NARROW ? Gtk.Orientation.VERTICAL : Gtk.Orientation.HORIZONTAL;
        if (this._box.orientation === orientation || this._narrowId)
            return;
        // Not within an allocation.
        this._narrowId = GLib.idle_add(GLib.PRIORITY_HIGH_IDLE, () => {
            this._narrowId = 0;
            this._box.orientation = orientation;
            // What stands in a bar has margins above and below already.
            this._box.spacing = orientation === Gtk.Orientation.VERTICAL ? 0 : SPACING;
            return GLib.SOURCE_REMOVE;
        });
    }

    get active() {
        return this._active ?? false;
    }

    set active(active) {
        if (this.active === active)
            return;
        this._active = active;
        this.notify('active');
    }

    setDocument(document) {
        this.stop();
        this._document = document;
        this._onTyped();
    }

    open() {
        this.active = true;
        this._entry.grab_focus();
        this._entry.select_region(0, -1);
    }

    stop() {
        if (this._typingId)
            GLib.source_remove(this._typingId);
        this._typingId = 0;
        this._search?.cancel();
        this._counting?.cancel();
        this._search = null;
        this._counting = null;
        this._showProgress(null);
    }

    /** Goes to the next match from the cursor, or to the one before it. */
    find(forwards) {
        const pattern = this._pattern();
        if (!this.active)
            this.open();
        if (!this._document || !pattern?.length)
            return;
        this._start(pattern, forwards ? this._from : this.caret, forwards).catch(error => this.emit('failed', error));
    }

    _pattern() {
        const {text} = this._entry;
        return this._kind.selected === 1 ? parseHex(text) : new TextEncoder().encode(text);
    }

    _onActive() {
        if (this.active)
            this._onTyped();
        else
            this.stop();
        this.emit('pattern', this.active ? this._pattern() : null);
        if (!this.active)
            this.emit('matches', []);
    }

    _onTyped() {
        this.stop();
        const pattern = this._pattern();
        const isUsable = pattern !== null && pattern.length > 0;

        if (pattern === null)
            this._entry.add_css_class('error');
        else
            this._entry.remove_css_class('error');
        this._say(pattern === null ? _('Not hex') : '');
        this._previous.sensitive = isUsable;
        this._next.sensitive = isUsable;
        if (!this.active)
            return;
        this.emit('pattern', isUsable ? pattern : null);
        this.emit('matches', []);
        if (!isUsable || !this._document)
            return;
        // From the cursor itself: what is typed on may still match there.
        this._typingId = GLib.timeout_add(GLib.PRIORITY_DEFAULT, TYPING, () => {
            this._typingId = 0;
            this._start(pattern, this.caret, true).catch(error => this.emit('failed', error));
            return GLib.SOURCE_REMOVE;
        });
    }

    async _start(pattern, from, forwards) {
        this.stop();
        const search = new Search(this._document, pattern);
        this._search = search;
        this._showProgress(0);

        let match;
        try {
            match = await search.nearest(Math.min(from, this._document.size), forwards, share => {
                if (this._search === search)
                    this._showProgress(share);
            });
        } finally {
            if (this._search === search) {
                this._search = null;
                this._showProgress(null);
            }
        }
        if (match === null)
            return;
        if (match < 0) {
            this._entry.add_css_class('error');
            this._say(_('No matches'));
            return;
        }
        this._entry.remove_css_class('error');
        this._say(fill(_('Match at %s'), offsetText(match)));
        this._from = match + 1;
        this.emit('found', match, match + pattern.length);
        await this._count(pattern, match);
    }

    async _count(pattern, match) {
        const counting = new Search(this._document, pattern);
        this._counting = counting;
        const matches = await counting.all();
        if (matches === null || this._counting !== counting)
            return;
        this._counting = null;
        this.emit('matches', matches);
        const index = matches.indexOf(match);
        if (index >= 0 && matches.length < 1000)
            this._say(fill(ngettext('%s of %s match', '%s of %s matches', matches.length), index + 1, matches.length));
    }

    _say(text) {
        this._status.label = text;
        this._status.visible = text !== '';
    }

    _showProgress(share) {
        this._entry.progress_fraction = share ?? 0;
        this._stop.visible = share !== null;
    }

    /** The cursor was moved by something else: the next match is the one behind it. */
    setCursor(start, end) {
        this.caret = start;
        this._from = end > start + 1 ? start + 1 : start;
    }
});
