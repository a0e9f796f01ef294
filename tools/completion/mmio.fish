# SPDX-License-Identifier: LGPL-2.1-or-later
#
# Completion of mmio for fish: commands, their options, files. tests/test-completion.sh holds the three shells against --help.

set -l commands info watch cat dump find write copy resize resident prefetch evict lock counter
set -l command "not __fish_seen_subcommand_from $commands"

complete -c mmio -n $command -f
complete -c mmio -s h -l help -d 'Show help'
complete -c mmio -n $command -l version -d 'Show the version'
complete -c mmio -n $command -a info -d 'Say what a file is'
complete -c mmio -n $command -a watch -d 'Say what happens to files, as it happens'
complete -c mmio -n $command -a cat -d 'Write files to standard output'
complete -c mmio -n $command -a dump -d 'Show files in hexadecimal and as text'
complete -c mmio -n $command -a find -d 'Say where bytes stand in files'
complete -c mmio -n $command -a write -d 'Write standard input into a file, and flush it'
complete -c mmio -n $command -a copy -d 'Copy a range of a file'
complete -c mmio -n $command -a resize -d 'Give files a new size'
complete -c mmio -n $command -a resident -d 'Show how much of files is in memory, and where'
complete -c mmio -n $command -a prefetch -d 'Have files read into memory'
complete -c mmio -n $command -a evict -d 'Have files dropped from memory'
complete -c mmio -n $command -a lock -d 'Keep files in memory until Ctrl-C'
complete -c mmio -n $command -a counter -d 'Print a counter in a file, or add to it'

complete -c mmio -n '__fish_seen_subcommand_from info watch find resident' -s j -l json -d 'One JSON object a line'
complete -c mmio -n '__fish_seen_subcommand_from info' -s w -l watch -d 'Also say what it can be watched with'
complete -c mmio -n '__fish_seen_subcommand_from cat dump find prefetch evict lock write counter' -x -s o -l offset -d 'Where to begin'
complete -c mmio -n '__fish_seen_subcommand_from cat dump find prefetch evict lock copy' -x -s l -l length -d 'How much'
complete -c mmio -n '__fish_seen_subcommand_from write copy' -s g -l grow -d 'Let the file grow'
complete -c mmio -n '__fish_seen_subcommand_from write copy resize counter' -s c -l create -d 'Make the file if there is none'
complete -c mmio -n '__fish_seen_subcommand_from watch lock' -x -s t -l timeout -d 'End after as many seconds'

complete -c mmio -n '__fish_seen_subcommand_from watch' -s l -l locate -d 'Find out which bytes changed'
complete -c mmio -n '__fish_seen_subcommand_from watch' -s L -l lease -d 'Have writers wait until that has been said'
complete -c mmio -n '__fish_seen_subcommand_from watch' -x -s s -l settle -d 'Also say when a file has settled'
complete -c mmio -n '__fish_seen_subcommand_from watch' -x -s e -l exec -d 'Run a command when a file has settled' -a '(__fish_complete_command)'
complete -c mmio -n '__fish_seen_subcommand_from watch' -s S -l stats -d 'Say how many events came, and how fast'
complete -c mmio -n '__fish_seen_subcommand_from watch' -x -s n -l count -d 'End after as many events'
complete -c mmio -n '__fish_seen_subcommand_from dump' -s a -l all -d 'Every line'
complete -c mmio -n '__fish_seen_subcommand_from find' -s x -l hex -d 'The pattern is in hexadecimal'
complete -c mmio -n '__fish_seen_subcommand_from find' -s c -l count -d 'How often, not where'
complete -c mmio -n '__fish_seen_subcommand_from find' -x -s n -l limit -d 'End a file after as many matches'
complete -c mmio -n '__fish_seen_subcommand_from write' -s a -l append -d 'Begin at the end of the file'
complete -c mmio -n '__fish_seen_subcommand_from copy' -x -s f -l from -d 'Where to begin in the source'
complete -c mmio -n '__fish_seen_subcommand_from copy' -x -s t -l to -d 'Where to begin in the target'
complete -c mmio -n '__fish_seen_subcommand_from prefetch' -s w -l wait -d 'Wait until all of it is read'
complete -c mmio -n '__fish_seen_subcommand_from counter' -x -s a -l add -d 'Add to it'
