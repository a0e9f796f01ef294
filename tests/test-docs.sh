#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# The reference: everything public is documented, and each link in it and in the README leads somewhere.
set -u

. "${top_srcdir:?}/tests/tap.sh"
gir=$top_builddir/Mmio-1.0.gir
config=$top_builddir/docs/libmmio.toml

end_without () # REASON NAME…: the names can't be tested
{
  skip "$@"
  end
}

# Links of the README and its like, and of the pages to what stands beside them; those that gi-docgen makes are looked at below.
for page in "$top_srcdir"/*.md "$top_srcdir"/docs/*.md; do
  grep -oE '\]\([^)]*\)' "$page" | sed 's/^](//; s/)$//; s/#.*//' | sort -u | while read -r target; do
    case $target in
      '' | *:*) continue ;;
      *.html) beside=${target%.html}.md ;;
      *) beside=$target ;;
    esac
    [ -e "$(dirname "$page")/$beside" ] || echo "${page##*/}: $target"
  done
done > "$folder/diagnosis"
clean /docs/links-of-pages

for page in "$top_srcdir"/docs/*.md; do
  grep -q "\"${page##*/}\"" "$config" || echo "${page##*/}"
done > "$folder/diagnosis"
clean /docs/every-page-is-in-the-reference

[ -f "$gir" ] || end_without "configured without introspection" /docs/since /docs/twins /docs/complete /docs/links-of-comments /docs/links-of-the-reference
[ -n "$PYTHON" ] || end_without "no Python" /docs/since /docs/twins /docs/complete /docs/links-of-comments /docs/links-of-the-reference

cat > "$folder/since.py" <<'EOF'
import sys
import xml.etree.ElementTree as tree

core, c, glib = ('{http://www.gtk.org/introspection/%s/1.0}' % name for name in ('core', 'c', 'glib'))
kinds = [core + kind for kind in ('class', 'record', 'enumeration', 'bitfield', 'function', 'method', 'constructor', 'constant',
                                  'property', 'function-macro')] + [glib + 'signal']
for parent in tree.parse(sys.argv[1]).iter():
    for node in parent:
        name = node.get(c + 'identifier') or node.get(c + 'type') or node.get('name')
        # What g_object_class_…, a type's structure of functions, has is the object's own.
        if node.tag not in kinds or node.get(glib + 'is-gtype-struct-for'):
            continue
        if node.find(core + 'doc') is None:
            print(name, 'has no comment')
        elif node.get('version') is None:
            print(name, 'does not say since when')
EOF
"$PYTHON" "$folder/since.py" "$gir" > "$folder/diagnosis" 2>&1
clean /docs/since

# What says that it blocks has a twin that doesn't, by the same name or named there.
cat > "$folder/twins.py" <<'EOF'
import re
import sys
import xml.etree.ElementTree as tree

core, c = ('{http://www.gtk.org/introspection/%s/1.0}' % name for name in ('core', 'c'))
calls = {node.get(c + 'identifier'): node for node in tree.parse(sys.argv[1]).iter()
         if node.tag in [core + kind for kind in ('function', 'method', 'constructor')]}
blocking = 0
for name, node in calls.items():
    text = ' '.join(node.findtext(core + 'doc', '').split())
    if re.search(r'\b[Bb]locks (until|for as long)', text):
        blocking += 1
        if not name.endswith('_async') and name + '_async' not in calls and '_async]' not in text:
            print(name, 'blocks, and has no twin')
for name in calls:
    if name.endswith('_async') and name.removesuffix('_async') + '_finish' not in calls:
        print(name, 'is never finished')
if blocking == 0:
    print('nothing blocks')
EOF
"$PYTHON" "$folder/twins.py" "$gir" > "$folder/diagnosis" 2>&1
clean /docs/twins

command -v gi-docgen > /dev/null ||
  end_without "gi-docgen is not installed" /docs/complete /docs/links-of-comments /docs/links-of-the-reference

gi-docgen check --quiet --fatal-warnings --config="$config" "$gir" > "$folder/diagnosis" 2>&1 || echo failed >> "$folder/diagnosis"
clean /docs/complete

gi-docgen generate --quiet --fatal-warnings --no-namespace-dir --config="$config" --content-dir="$top_srcdir/docs" \
  --output-dir="$folder/reference" "$gir" > "$folder/diagnosis" 2>&1
point /docs/links-of-comments $?

cat > "$folder/links.py" <<'EOF'
import html.parser
import pathlib
import sys
import urllib.parse

folder = pathlib.Path(sys.argv[1])


class Page(html.parser.HTMLParser):
    def __init__(self, path):
        super().__init__()
        self.names, self.links = set(), set()
        self.feed(path.read_text(encoding='utf-8'))

    def handle_starttag(self, tag, attributes):
        attributes = dict(attributes)
        self.names.update(attributes[name] for name in ('id', 'name') if attributes.get(name))
        self.links.update(attributes[name] for name in ('href', 'src') if attributes.get(name))


pages = {path.name: Page(path) for path in folder.glob('*.html')}
if not pages:
    print('no page was made')
for name, page in sorted(pages.items()):
    for link in sorted(page.links):
        parts = urllib.parse.urlsplit(link)
        target = urllib.parse.unquote(parts.path)
        if parts.scheme or parts.netloc:
            continue
        if target and not (folder / target).exists():
            print(f'{name}: {link}')
        elif parts.fragment and (target or name) in pages and parts.fragment not in pages[target or name].names:
            print(f'{name}: {link}')
EOF
"$PYTHON" "$folder/links.py" "$folder/reference" > "$folder/diagnosis" 2>&1
clean /docs/links-of-the-reference

end
