#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# What the shells complete for mmio is what it takes: each command and each long option, and nothing else.
set -u

. "${top_srcdir:?}/tests/tap.sh"
LC_ALL=C.UTF-8
export LC_ALL

commands=$(mmio --help | sed -n 's/^  \([a-z]*\)  .*/\1/p')
# shellcheck disable=SC2086  # words
printf '%s\n' $commands | sort > "$folder/commands"
for command in $commands; do
  mmio "$command" --help | sed -n "s/^  -[a-zA-Z], \(--[a-z]*\).*/$command \1/p"
done | sort > "$folder/options"

# each SHELL COMPLETE: COMPLETE prints what the shell offers for the words that it is given, a line each.
each ()
{
  "$2" '' | sed 's/[ \t].*//' | grep -v '^-' | sort > "$folder/offered"
  same "/completion/$1/commands" "$folder/commands" "$folder/offered"
  for command in $commands; do
    "$2" "$command" -- | sed -n "s/^\(--[a-z]*\).*/$command \1/p"
  done | sort -u > "$folder/offered"
  same "/completion/$1/options" "$folder/options" "$folder/offered"

  mkdir -p "$folder/files" && touch "$folder/files/one.txt"
  (cd "$folder/files" && "$2" cat one) | sed 's/[ \t].*//' | sort -u > "$folder/offered"
  echo one.txt > "$folder/wanted"
  same "/completion/$1/files" "$folder/wanted" "$folder/offered"
}

in_bash ()
{
  bash -c '. "$1"; shift; COMP_WORDS=(mmio "$@"); COMP_CWORD=$#; _mmio; printf "%s\n" "${COMPREPLY[@]}"' bash \
    "$top_srcdir/tools/completion/mmio" "$@"
}

in_fish ()
{
  HOME=$folder XDG_CONFIG_HOME=$folder XDG_DATA_HOME=$folder fish --no-config -c \
    'source $argv[1]; complete --do-complete "mmio $argv[2..]"' "$top_srcdir/tools/completion/mmio.fish" "$@" 2>/dev/null
}

# Its completion lives in the line editor: a terminal of zsh's own, where what is offered is printed and not shown.
cat > "$folder/in-zsh" <<'END'
zmodload zsh/zpty
zpty shell zsh -f -i
zpty -w shell "PS1=; stty -echo; fpath=($1 \$fpath); autoload -Uz compinit; compinit -u -d $2/zcompdump; zstyle ':completion:*' list-separator '  '
compadd () { if [[ \$* == *-[OADa]* && \$* != *-a* ]]; then builtin compadd \"\$@\"; return; fi
  local -a offered; builtin compadd -O offered \"\$@\"; print -lr -- \$offered >> $2/zsh-offered; builtin compadd \"\$@\" }
print ready"
while zpty -r shell line; do [[ $line == ready* ]] && break; done
: > $2/zsh-offered
zpty -w -n shell "mmio ${(j: :)@[3,-1]}"$'\t'
zpty -w -n shell $'\C-a#\C-e\n'
zpty -w shell $'print over'
while zpty -r shell line; do [[ $line == over* ]] && break; done
zpty -d shell
cat $2/zsh-offered
END
in_zsh ()
{
  timeout 60 zsh -f "$folder/in-zsh" "$top_srcdir/tools/completion" "$folder" "$@"
}

for shell in bash fish zsh; do
  if command -v $shell > /dev/null; then
    each $shell in_$shell
  else
    skip "there is no $shell" "/completion/$shell"
  fi
done

end
