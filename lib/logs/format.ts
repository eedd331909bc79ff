/** The format of a log that could not be understood: what it looks like, and the command that gives a readable one. Pure. */
import { words } from '../text/translate.js'

interface Format {
  /** What its lines, or the beginning of the file, look like. */
  looks: RegExp
  say: () => string
}

const JOURNAL = 'journalctl -o short-iso SYSLOG_FACILITY=2 | toeh learn log -'

/** The first that fits counts. */
const FORMATS: readonly Format[] = [
  {
    looks: /^LPKSHHRH/,
    say: () => words`it is a file of systemd: give it as --journal=FILE`,
  },
  {
    looks: /^__CURSOR=|^[A-Z][a-z]{2} [\d-]{10} [\d:]{8}\S* \S+ \[s=|^\s+_[A-Z_]+=/m,
    say: () => words`it is the journal in a form for other uses: write it by ${JOURNAL}`,
  },
  {
    looks: /^PK\x03\x04|^PK\x05\x06/,
    say: () => words`it is a ZIP archive: ${'unzip -p FILE | toeh learn log -'}`,
  },
  {
    looks: /^7z\xbc\xaf|^7z..'\x1c/,
    say: () => words`it is a 7z archive: ${'7z x -so FILE | toeh learn log -'}`,
  },
  {
    looks: /\0ustar|^[^\n\0]{1,100}\0{5,}[0-7 ]{6,}/,
    say: () => words`it is a tar archive: ${'tar -xOf FILE | toeh learn log -'}`,
  },
  {
    looks:
      /^(?:\ufffd\ufffd)?(?:[\x09\x0a\x0d\x20-\x7e]\0){8}|^(?:\ufffd\ufffd)?(?:\0[\x09\x0a\x0d\x20-\x7e]){8}/,
    say: () => words`it is UTF-16: ${'iconv -f UTF-16 -t UTF-8 FILE | toeh learn log -'}`,
  },
  {
    looks: /^#Software: Microsoft Exchange|^\ufeff?#Software: /m,
    say: () => words`it is a log of ${'Exchange'}, and toeh reads that of Postfix`,
  },
  {
    looks:
      /^[\d-]{10} [\d:.]{8,12}(?: [+-]\d{4})? (?:\[\d+\] )?\w{6}-\w{6,11}-\w{2,4} (?:<=|=>|->|==|\*\*|Completed)/m,
    say: () => words`it is a log of ${'Exim'}, and toeh reads that of Postfix`,
  },
  {
    looks: /\bsendmail\[\d+\]: |\bsm-mta\[\d+\]: /,
    say: () => words`it is a log of ${'sendmail'}, and toeh reads that of Postfix`,
  },
  {
    looks: /^\{/m,
    say: () =>
      words`it is JSON with other names than those of docker, journalctl and rsyslog: ${"jq -r '.FIELD' FILE | toeh learn log -"}, with the field that has the whole line`,
  },
  { looks: /\0/, say: () => words`it is no text` },
]

/** What the beginning of a log looks like, with what to do; undefined where nobody knows. */
export function nameFormat(beginning: string): string | undefined {
  return FORMATS.find(({ looks }) => looks.test(beginning))?.say()
}
