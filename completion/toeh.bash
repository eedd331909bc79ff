# Made from the commands by npm run man.
# shellcheck shell=bash
_toeh() {
  local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD - 1]}
  local command='' after=0 i word words='' files='' options='' first='' joined=''
  COMPREPLY=()
  # bash parts --name=value at the equals sign.
  if [[ $cur == = ]]; then
    cur='' joined=yes
  elif [[ $prev == = ]]; then
    prev=${COMP_WORDS[COMP_CWORD - 2]} joined=yes
  fi
  for ((i = 1; i < COMP_CWORD; i++)); do
    word=${COMP_WORDS[i]}
    if [[ $word == -- ]]; then
      prev=--
    elif [[ -n $command ]]; then
      [[ $word == -* ]] || ((after++))
    else
      case $word in
        init | mode | doctor | allow | block | revoke | undo | known | learn | replay | why | import | export | list | show | release | reject | moderate | recheck | cleanup | audit | forget | express | digest | report | metrics | backup | fsck) command=$word ;;
      esac
    fi
  done
  case $command:$prev:$joined in
    learn:--journal: | replay:--journal:) prev='' ;;
  esac
  case $command:$prev in
    *:--config) files=yes ;;
    init:--user) : ;;
    init:--internal) : ;;
    init:--approver) : ;;
    init:--language) words='en fr' ;;
    init:--state) files=yes ;;
    init:--relay) : ;;
    init:--config-dir) files=yes ;;
    doctor:--config-dir) files=yes ;;
    doctor:--canary-to) : ;;
    allow:--note) : ;;
    allow:--for) : ;;
    allow:--until) : ;;
    block:--note) : ;;
    block:--for) : ;;
    block:--until) : ;;
    revoke:--for) : ;;
    revoke:--only) words='allow block' ;;
    revoke:--source) : ;;
    known:--stale) : ;;
    learn:--journal) files=yes ;;
    learn:--since) : ;;
    learn:--relay) : ;;
    learn:--min-messages) : ;;
    learn:--min-days) : ;;
    learn:--csv) files=yes ;;
    replay:--journal) files=yes ;;
    replay:--since) : ;;
    replay:--relay) : ;;
    why:--sender) : ;;
    why:--login) : ;;
    import:--format) words='csv json vcf ldif' ;;
    import:--column) : ;;
    import:--sync) : ;;
    import:--at-most) : ;;
    import:--for) : ;;
    import:--until) : ;;
    import:--note) : ;;
    export:--format) words='csv json' ;;
    list:--sender) : ;;
    list:--domain) : ;;
    list:--recipient) : ;;
    list:--before) : ;;
    list:--since) : ;;
    list:--limit) : ;;
    list:--subject) : ;;
    show:--save) files=yes ;;
    release:--sender) : ;;
    release:--domain) : ;;
    release:--recipient) : ;;
    release:--before) : ;;
    release:--since) : ;;
    release:--allow) words='address domain' ;;
    reject:--sender) : ;;
    reject:--domain) : ;;
    reject:--recipient) : ;;
    reject:--before) : ;;
    reject:--since) : ;;
    reject:--note) : ;;
    moderate:--sender) : ;;
    moderate:--sasl-user) : ;;
    moderate:--queue-id) : ;;
    audit:--who) : ;;
    audit:--since) : ;;
    audit:--before) : ;;
    audit:--deed) : ;;
    audit:--head) : ;;
    report:--since) : ;;
    report:--html) files=yes ;;
    metrics:--textfile) files=yes ;;
    backup:--keep) : ;;
    fsck:--backup) files=yes ;;
    *)
      if [[ -z $command ]]; then
        words='init mode doctor allow block revoke undo known learn replay why import export list show release reject moderate recheck cleanup audit forget express digest report metrics backup fsck --config --json --help --version'
      else
        case $command in
        init)
          options='--user --internal --approver --language --state --express --anew --postfix --moderate --cron --apply --undo --reload --relay --config-dir'
          ;;
        mode)
          options='--yes'
          first='observe enforce'
          ;;
        doctor)
          options='--config-dir --canary --canary-to'
          ;;
        allow)
          options='--subdomains --note --for --until --force'
          ;;
        block)
          options='--subdomains --note --for --until --force'
          ;;
        revoke)
          options='--for --only --source --dry-run'
          ;;
        undo)
          options='--dry-run --yes'
          ;;
        known)
          options='--stale'
          ;;
        learn)
          options='--journal --since --relay --min-messages --min-days --csv --apply'
          first='log observed'
          files=yes
          ;;
        replay)
          options='--journal --since --relay --all'
          files=yes
          ;;
        why)
          options='--sender --login'
          ;;
        import)
          options='--format --dry-run --force --skip-faults --column --sync --at-most --for --until --note'
          files=yes
          ;;
        export)
          options='--format'
          files=yes
          ;;
        list)
          options='--sender --domain --recipient --before --since --all --limit --newest --settled --subject'
          ;;
        show)
          options='--text --save'
          ;;
        release)
          options='--sender --domain --recipient --before --since --all --dry-run --yes --allow --again --quiet --force'
          ;;
        reject)
          options='--sender --domain --recipient --before --since --all --dry-run --yes --again --note --quiet'
          ;;
        moderate)
          options='--sender --sasl-user --queue-id'
          ;;
        recheck)
          options=''
          ;;
        cleanup)
          options=''
          ;;
        audit)
          options='--who --since --before --deed --csv --head'
          ;;
        forget)
          options='--dry-run --yes'
          ;;
        express)
          options='--write --check'
          ;;
        digest)
          options=''
          ;;
        report)
          options='--since --html'
          ;;
        metrics)
          options='--textfile'
          ;;
        backup)
          options='--keep'
          files=yes
          ;;
        fsck)
          options='--repair --settle-gone --backup'
          ;;
        esac
        if [[ $cur == -* && $prev != -- ]]; then
          words="$options --config --json --help --version" files=''
        elif [[ -n $first && $after == 0 ]]; then
          words=$first files=''
        fi
      fi
      ;;
  esac
  if [[ -n $files ]]; then
    compopt -o filenames 2>/dev/null
    mapfile -t COMPREPLY < <(compgen -f -- "$cur")
  elif [[ -n $words ]]; then
    mapfile -t COMPREPLY < <(compgen -W "$words" -- "$cur")
  fi
}
complete -F _toeh toeh
