// SPDX-License-Identifier: LGPL-2.1-or-later
//
// What the viewer draws with, from the style that its user has chosen.

import Adw from 'gi://Adw?version=1';

// In how many steps what has changed fades.
export const FLASH_STEPS = 20;

function withAlpha(color, alpha) {
    const copy = color.copy();
    copy.alpha *= alpha;
    return copy;
}

export class Palette {
    constructor(widget) {
        const style = widget.get_style_context();
        const named = name => style.lookup_color(name)[1];
        const isHighContrast = Adw.StyleManager.get_default().high_contrast;

        this.text = style.get_color();
        // How visible is what matters less: as .dim-label.
        this.dim = isHighContrast ? '90%' : '55%';
        this.selection = withAlpha(named('accent_bg_color'), 0.35);
        this.cursor = withAlpha(named('accent_bg_color'), 0.2);
        this.outline = named('accent_color');
        this.match = withAlpha(named('success_bg_color'), 0.4);
        // From the faintest on; text stays legible on the last.
        this.flashes = Array.from({length: FLASH_STEPS}, (_, i) => withAlpha(named('warning_bg_color'), 0.65 * (i + 1) / FLASH_STEPS));
        this.shade = alpha => withAlpha(this.text, isHighContrast ? 2 * alpha : alpha);
        this.accent = alpha => withAlpha(named('accent_bg_color'), alpha);
        this.changed = named('warning_bg_color');
        this.found = named('success_bg_color');
    }
}
