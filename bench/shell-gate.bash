#!/bin/bash
# A gate as one would write it in a shell: asks sqlite3 about each recipient, keeps what is unknown, hands the rest to
# sendmail. It knows no internal domains, no rules for some senders, no retries.
# shell-gate.bash DATABASE FOLDER SENDER RECIPIENT...
database=$1 folder=$2 sender=$3
shift 3
mail=$folder/in.$$
trap 'rm -f "$mail"' EXIT
cat > "$mail" || exit 75
known=() unknown=()
for recipient; do
  value=${recipient,,}
  value=${value//\'/\'\'}
  effect=$(sqlite3 -readonly "$database" "SELECT effect FROM rule WHERE value IN ('$value', '${value##*@}')
    AND scope = '' AND revoked_at IS NULL ORDER BY length(value) DESC, effect DESC LIMIT 1") || exit 75
  if [[ $effect == allow ]]; then known+=("$recipient"); else unknown+=("$recipient"); fi
done
if ((${#unknown[@]} > 0)); then
  held=$(mktemp -d "$folder/held.XXXXXX") || exit 75
  printf '%s\n' "$sender" "${unknown[@]}" > "$held/envelope" || exit 75
  cp "$mail" "$held/message.eml" && sync "$held"/* "$held" "$folder" || exit 75
fi
((${#known[@]} == 0)) || /usr/sbin/sendmail -G -i -f "$sender" -- "${known[@]}" < "$mail" || exit 75
