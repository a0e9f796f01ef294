#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# The command in each of the languages of po/LINGUAS, straight from the source folder, also where no such locale is installed.
# shellcheck disable=SC1111  # the quotes that it prints
. "${top_srcdir:?}/tests/tap-languages.sh"

printf 'content\n' > file

check () # LANGUAGE COMMANDS MISSING SIZE LIBRARY ONE TWO
{
  export LANGUAGE="$1"
  says "/$1/help" "$(mmio --help)" "$2"
  says "/$1/usage-error" "$(mmio 2>&1)" "$3"
  says "/$1/table" "$(mmio info file)" "$4"
  says "/$1/error-of-the-library" "$(mmio cat --offset=9 file 2>&1)" "$5"
  says "/$1/plural-of-one" "$(mmio watch --timeout=0 file 2>&1)" "$6"
  says "/$1/plural-of-two" "$(mmio watch --timeout=0 file "$folder/file" 2>&1)" "$7"
  says "/$1/json-speaks-to-programs" "$(mmio info --json file)" '"size": 8'
  checked="$checked $1"
}

checked=
check de 'Befehle:' 'ein Befehl fehlt' 'Größe' 'Position 9 + Länge 0 geht über die Größe 8 hinaus' \
  '1 Datei wird beobachtet' '2 Dateien werden beobachtet'
check es 'Órdenes:' 'falta una orden' 'tamaño' 'la posición 9 + la longitud 0 excede el tamaño 8' \
  'Vigilando 1 archivo;' 'Vigilando 2 archivos;'
check fr 'Commandes :' 'il manque une commande' 'taille' 'la position 9 + la longueur 0 dépasse la taille 8' \
  'Surveillance de 1 fichier ;' 'Surveillance de 2 fichiers ;'
check ja 'コマンド:' 'コマンドが指定されていません' 'サイズ' 'オフセット 9 + 長さ 0 はサイズ 8 を超えています' \
  '1 個のファイルを監視しています' '2 個のファイルを監視しています'
check zh_CN '命令：' '缺少命令' '大小' '偏移 9 + 长度 0 超出了大小 8' '正在监视 1 个文件' '正在监视 2 个文件'
says /every-language "$(echo $checked)" "$(LC_ALL=C sort "$top_srcdir/po/LINGUAS" | tr '\n' ' ' | sed 's/ $//')"

end
