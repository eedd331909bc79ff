# Made from the commands by npm run man.
set -l commands init mode doctor allow block revoke undo known learn replay why import export list show release reject moderate recheck cleanup audit forget express digest report metrics backup fsck
complete -c toeh -f
complete -c toeh -l config -d 'configuration file' -r -F
complete -c toeh -l json -d 'answer as JSON'
complete -c toeh -l help -d 'show help'
complete -c toeh -l version -d 'show the version'
complete -c toeh -n "not __fish_seen_subcommand_from $commands" -a init -d 'make configuration, folders and database; print the master.cf lines'
complete -c toeh -n '__fish_seen_subcommand_from init' -l user -d 'the filter\'s user (for root; default toeh)' -x
complete -c toeh -n '__fish_seen_subcommand_from init' -l internal -d 'the company\'s own domains (default: Postfix\'s)' -x
complete -c toeh -n '__fish_seen_subcommand_from init' -l approver -d 'who may say yes to held mail, and is told of it' -x
complete -c toeh -n '__fish_seen_subcommand_from init' -l language -d 'of notices (default: that of this shell)' -x -a 'en fr'
complete -c toeh -n '__fish_seen_subcommand_from init' -l state -d 'state folder' -r -F
complete -c toeh -n '__fish_seen_subcommand_from init' -l express -d 'print what the express lane needs as well'
complete -c toeh -n '__fish_seen_subcommand_from init' -l anew -d 'make an empty database also where one was lost'
complete -c toeh -n '__fish_seen_subcommand_from init' -l postfix -d 'show what would change in main.cf and master.cf'
complete -c toeh -n '__fish_seen_subcommand_from init' -l moderate -d 'show what would change in Postfix for approvers\' answers by mail'
complete -c toeh -n '__fish_seen_subcommand_from init' -l cron -d 'print the lines for cron, their programs by their paths'
complete -c toeh -n '__fish_seen_subcommand_from init' -l apply -d 'with --postfix: change it, and make all the rest; or change it alone (--moderate)'
complete -c toeh -n '__fish_seen_subcommand_from init' -l undo -d 'with --postfix or --moderate: put back what was there'
complete -c toeh -n '__fish_seen_subcommand_from init' -l reload -d 'with --apply or --undo: tell Postfix of it'
complete -c toeh -n '__fish_seen_subcommand_from init' -l relay -d 'with --postfix: the networks that relay by port 25, through the gate' -x
complete -c toeh -n '__fish_seen_subcommand_from init' -l config-dir -d 'with --postfix or --moderate: another Postfix instance\'s configuration folder' -r -F
complete -c toeh -n "not __fish_seen_subcommand_from $commands" -a mode -d 'show whether unknown mail is held or only observed, or change it'
complete -c toeh -n '__fish_seen_subcommand_from mode' -l yes -d 'enforce without asking'
complete -c toeh -n '__fish_seen_subcommand_from mode' -a 'observe enforce'
complete -c toeh -n "not __fish_seen_subcommand_from $commands" -a doctor -d 'check Postfix and this installation; say what mends it'
complete -c toeh -n '__fish_seen_subcommand_from doctor' -l config-dir -d 'another Postfix instance\'s configuration folder' -r -F
complete -c toeh -n '__fish_seen_subcommand_from doctor' -l canary -d 'send one message round the whole loop'
complete -c toeh -n '__fish_seen_subcommand_from doctor' -l canary-to -d 'to whom (default postmaster of the first internal domain)' -x
complete -c toeh -n "not __fish_seen_subcommand_from $commands" -a allow -d 'make destinations known'
complete -c toeh -n '__fish_seen_subcommand_from allow' -l subdomains -d 'a domain also stands for those below it'
complete -c toeh -n '__fish_seen_subcommand_from allow' -l note -d 'why, for whoever looks later' -x
complete -c toeh -n '__fish_seen_subcommand_from allow' -l for -d 'only for mail of this sender, @domain or group; foreign: of senders who are not ours' -x
complete -c toeh -n '__fish_seen_subcommand_from allow' -l until -d 'only until the end of this day (2026-12-31), or for so long (30d)' -x
complete -c toeh -n '__fish_seen_subcommand_from allow' -l force -d 'take a whole domain of freemail or another shared one'
complete -c toeh -n "not __fish_seen_subcommand_from $commands" -a block -d 'hold destinations, whatever is said of a wider domain'
complete -c toeh -n '__fish_seen_subcommand_from block' -l subdomains -d 'a domain also stands for those below it'
complete -c toeh -n '__fish_seen_subcommand_from block' -l note -d 'why, for whoever looks later' -x
complete -c toeh -n '__fish_seen_subcommand_from block' -l for -d 'only for mail of this sender, @domain or group; foreign: of senders who are not ours' -x
complete -c toeh -n '__fish_seen_subcommand_from block' -l until -d 'only until the end of this day (2026-12-31), or for so long (30d)' -x
complete -c toeh -n '__fish_seen_subcommand_from block' -l force -d 'means nothing here'
complete -c toeh -n "not __fish_seen_subcommand_from $commands" -a revoke -d 'end the rules of destinations'
complete -c toeh -n '__fish_seen_subcommand_from revoke' -l for -d 'only rules for this sender, @domain or group' -x
complete -c toeh -n '__fish_seen_subcommand_from revoke' -l only -d 'only rules that allow, or only those that block' -x -a 'allow block'
complete -c toeh -n '__fish_seen_subcommand_from revoke' -l source -d 'only rules from this source; by itself all of them' -x
complete -c toeh -n '__fish_seen_subcommand_from revoke' -l dry-run -d 'show what would change; change nothing'
complete -c toeh -n "not __fish_seen_subcommand_from $commands" -a undo -d 'take back your own last act, as far as that goes'
complete -c toeh -n '__fish_seen_subcommand_from undo' -l dry-run -d 'show what would change; change nothing'
complete -c toeh -n '__fish_seen_subcommand_from undo' -l yes -d 'do not ask'
complete -c toeh -n "not __fish_seen_subcommand_from $commands" -a known -d 'list the rules, or those that contain a text, or those nobody uses'
complete -c toeh -n '__fish_seen_subcommand_from known' -l stale -d 'only rules that are older and were not used for so long (180d) or since a day' -x
complete -c toeh -n "not __fish_seen_subcommand_from $commands" -a learn -d 'propose rules from delivered mail: from logs, or from observe mode'
complete -c toeh -n '__fish_seen_subcommand_from learn' -l journal -d 'read systemd\'s journal, or that of another machine: a folder or a file' -r -F
complete -c toeh -n '__fish_seen_subcommand_from learn' -l since -d 'from this day on, as 2026-11-04' -x
complete -c toeh -n '__fish_seen_subcommand_from learn' -l relay -d 'the way out, where mail leaves by this host alone: HOST or HOST:PORT as in the log' -x
complete -c toeh -n '__fish_seen_subcommand_from learn' -l min-messages -d 'propose only what so many messages went to' -x
complete -c toeh -n '__fish_seen_subcommand_from learn' -l min-days -d 'propose only what was written to on so many days' -x
complete -c toeh -n '__fish_seen_subcommand_from learn' -l csv -d 'write the candidates into this file, to be edited and taken by toeh import' -r -F
complete -c toeh -n '__fish_seen_subcommand_from learn' -l apply -d 'add the rules; without it look only'
complete -c toeh -n '__fish_seen_subcommand_from learn' -a 'log observed'
complete -c toeh -n '__fish_seen_subcommand_from learn' -F
complete -c toeh -n "not __fish_seen_subcommand_from $commands" -a replay -d 'past mail against today\'s landscape: what would have been held'
complete -c toeh -n '__fish_seen_subcommand_from replay' -l journal -d 'read systemd\'s journal, or that of another machine: a folder or a file' -r -F
complete -c toeh -n '__fish_seen_subcommand_from replay' -l since -d 'from this day on, as 2026-11-04' -x
complete -c toeh -n '__fish_seen_subcommand_from replay' -l relay -d 'the way out, where mail leaves by this host alone: HOST or HOST:PORT as in the log' -x
complete -c toeh -n '__fish_seen_subcommand_from replay' -l all -d 'every row, not 20 of each table'
complete -c toeh -n '__fish_seen_subcommand_from replay' -F
complete -c toeh -n "not __fish_seen_subcommand_from $commands" -a why -d 'the verdict for a recipient, and the row it rests on'
complete -c toeh -n '__fish_seen_subcommand_from why' -l sender -d 'as if sent by this address (default: one of your own that no rule speaks of)' -x
complete -c toeh -n '__fish_seen_subcommand_from why' -l login -d 'as if handed in with this login' -x
complete -c toeh -n "not __fish_seen_subcommand_from $commands" -a import -d 'add the rules of a CSV or JSON file, a list, or an address book'
complete -c toeh -n '__fish_seen_subcommand_from import' -l format -d 'default: by the file\'s ending, else csv' -x -a 'csv json vcf ldif'
complete -c toeh -n '__fish_seen_subcommand_from import' -l dry-run -d 'show what would change; change nothing'
complete -c toeh -n '__fish_seen_subcommand_from import' -l force -d 'take whole domains of freemail and other shared ones'
complete -c toeh -n '__fish_seen_subcommand_from import' -l skip-faults -d 'take the rest of a file that has faults, and list them'
complete -c toeh -n '__fish_seen_subcommand_from import' -l column -d 'the column with the addresses, in a table that is no export; found where left out' -x
complete -c toeh -n '__fish_seen_subcommand_from import' -l sync -d 'the list is the truth for this source: what is not in it any more ends' -x
complete -c toeh -n '__fish_seen_subcommand_from import' -l at-most -d 'with --sync: how much of the source may end at once, in percent (default 10)' -x
complete -c toeh -n '__fish_seen_subcommand_from import' -l for -d 'only for mail of this sender, @domain or group, where the file does not say' -x
complete -c toeh -n '__fish_seen_subcommand_from import' -l until -d 'until the end of this day (2026-12-31), or for so long (30d), where the file does not say' -x
complete -c toeh -n '__fish_seen_subcommand_from import' -l note -d 'why, where the file does not say' -x
complete -c toeh -n '__fish_seen_subcommand_from import' -F
complete -c toeh -n "not __fish_seen_subcommand_from $commands" -a export -d 'every rule as CSV or JSON, for keeping, comparing and toeh import'
complete -c toeh -n '__fish_seen_subcommand_from export' -l format -d 'default: by the file\'s ending, else csv' -x -a 'csv json'
complete -c toeh -n '__fish_seen_subcommand_from export' -F
complete -c toeh -n "not __fish_seen_subcommand_from $commands" -a list -d 'what waits: id, age, size, sender, subject, recipients and reasons'
complete -c toeh -n '__fish_seen_subcommand_from list' -l sender -d 'mail of this sender or @domain; --sender= is the null sender' -x
complete -c toeh -n '__fish_seen_subcommand_from list' -l domain -d 'recipients at exactly this domain' -x
complete -c toeh -n '__fish_seen_subcommand_from list' -l recipient -d 'this recipient only' -x
complete -c toeh -n '__fish_seen_subcommand_from list' -l before -d 'held before this day (2026-11-04), or longer ago than this (10d)' -x
complete -c toeh -n '__fish_seen_subcommand_from list' -l since -d 'held since this day (2026-11-04), or no longer ago than this (12h)' -x
complete -c toeh -n '__fish_seen_subcommand_from list' -l all -d 'show all, however many wait'
complete -c toeh -n '__fish_seen_subcommand_from list' -l limit -d 'show so many messages, the oldest (100; all with --json)' -x
complete -c toeh -n '__fish_seen_subcommand_from list' -l newest -d 'the newest first'
complete -c toeh -n '__fish_seen_subcommand_from list' -l settled -d 'instead, messages that are released, rejected or expired; newest first'
complete -c toeh -n '__fish_seen_subcommand_from list' -l subject -d 'only messages with this in their subject' -x
complete -c toeh -n "not __fish_seen_subcommand_from $commands" -a show -d 'headers, attachments, recipients and reasons of a held message'
complete -c toeh -n '__fish_seen_subcommand_from show' -l text -d 'its text too, as a mail program shows it; the audit says who has read it'
complete -c toeh -n '__fish_seen_subcommand_from show' -l save -d 'write the whole message to a new file (- is standard output); the audit says who' -r -F
complete -c toeh -n "not __fish_seen_subcommand_from $commands" -a release -d 'send held mail on, with its original envelope and bytes'
complete -c toeh -n '__fish_seen_subcommand_from release' -l sender -d 'mail of this sender or @domain; --sender= is the null sender' -x
complete -c toeh -n '__fish_seen_subcommand_from release' -l domain -d 'recipients at exactly this domain' -x
complete -c toeh -n '__fish_seen_subcommand_from release' -l recipient -d 'this recipient only' -x
complete -c toeh -n '__fish_seen_subcommand_from release' -l before -d 'held before this day (2026-11-04), or longer ago than this (10d)' -x
complete -c toeh -n '__fish_seen_subcommand_from release' -l since -d 'held since this day (2026-11-04), or no longer ago than this (12h)' -x
complete -c toeh -n '__fish_seen_subcommand_from release' -l all -d 'everything that waits'
complete -c toeh -n '__fish_seen_subcommand_from release' -l dry-run -d 'show whom it means; change nothing'
complete -c toeh -n '__fish_seen_subcommand_from release' -l yes -d 'do not ask'
complete -c toeh -n '__fish_seen_subcommand_from release' -l allow -d 'and make it known from now on' -x -a 'address domain'
complete -c toeh -n '__fish_seen_subcommand_from release' -l again -d 'repeat a release that was cut off and may have gone out'
complete -c toeh -n '__fish_seen_subcommand_from release' -l quiet -d 'do not tell the sender'
complete -c toeh -n '__fish_seen_subcommand_from release' -l force -d 'with --allow domain: take a whole domain of freemail or another shared one'
complete -c toeh -n "not __fish_seen_subcommand_from $commands" -a reject -d 'do not send held mail; tell its sender'
complete -c toeh -n '__fish_seen_subcommand_from reject' -l sender -d 'mail of this sender or @domain; --sender= is the null sender' -x
complete -c toeh -n '__fish_seen_subcommand_from reject' -l domain -d 'recipients at exactly this domain' -x
complete -c toeh -n '__fish_seen_subcommand_from reject' -l recipient -d 'this recipient only' -x
complete -c toeh -n '__fish_seen_subcommand_from reject' -l before -d 'held before this day (2026-11-04), or longer ago than this (10d)' -x
complete -c toeh -n '__fish_seen_subcommand_from reject' -l since -d 'held since this day (2026-11-04), or no longer ago than this (12h)' -x
complete -c toeh -n '__fish_seen_subcommand_from reject' -l all -d 'everything that waits'
complete -c toeh -n '__fish_seen_subcommand_from reject' -l dry-run -d 'show whom it means; change nothing'
complete -c toeh -n '__fish_seen_subcommand_from reject' -l yes -d 'do not ask'
complete -c toeh -n '__fish_seen_subcommand_from reject' -l again -d 'also what a release left when it was cut off'
complete -c toeh -n '__fish_seen_subcommand_from reject' -l note -d 'why, for the sender and the audit' -x
complete -c toeh -n '__fish_seen_subcommand_from reject' -l quiet -d 'do not tell the sender'
complete -c toeh -n "not __fish_seen_subcommand_from $commands" -a moderate -d 'take an approver\'s answer by mail; from pipe(8), exit status 0 or 75'
complete -c toeh -n '__fish_seen_subcommand_from moderate' -l sender -d 'envelope sender' -x
complete -c toeh -n '__fish_seen_subcommand_from moderate' -l sasl-user -d 'login that submitted the mail' -x
complete -c toeh -n '__fish_seen_subcommand_from moderate' -l queue-id -d 'queue id' -x
complete -c toeh -n "not __fish_seen_subcommand_from $commands" -a recheck -d 'release what has become known since it was held'
complete -c toeh -n "not __fish_seen_subcommand_from $commands" -a cleanup -d 'release what has become known; expire what has waited too long, after telling its sender; sweep old temporaries'
complete -c toeh -n "not __fish_seen_subcommand_from $commands" -a audit -d 'who allowed, released, rejected and revoked, and when; or whether that record is whole'
complete -c toeh -n '__fish_seen_subcommand_from audit' -l who -d 'only what this person did' -x
complete -c toeh -n '__fish_seen_subcommand_from audit' -l since -d 'only from a day on (2026-11-04), or so long ago (30d)' -x
complete -c toeh -n '__fish_seen_subcommand_from audit' -l before -d 'only what was done before a day (2026-11-04), or longer ago than this (10d)' -x
complete -c toeh -n '__fish_seen_subcommand_from audit' -l deed -d 'only this: allow, block, revoke, released, rejected, expired, read, saved, forget' -x
complete -c toeh -n '__fish_seen_subcommand_from audit' -l csv -d 'as CSV for a spreadsheet, times in UTC'
complete -c toeh -n '__fish_seen_subcommand_from audit' -l head -d 'for verify: a head it said earlier; shows rows cut off at the end' -x
complete -c toeh -n "not __fish_seen_subcommand_from $commands" -a forget -d 'show what is known of a person, and erase it; the audit keeps the deeds'
complete -c toeh -n '__fish_seen_subcommand_from forget' -l dry-run -d 'show what there is; change nothing'
complete -c toeh -n '__fish_seen_subcommand_from forget' -l yes -d 'do not ask'
complete -c toeh -n "not __fish_seen_subcommand_from $commands" -a express -d 'known mail past the filter: set it up, check it, ask it'
complete -c toeh -n '__fish_seen_subcommand_from express' -l write -d 'make what Postfix reads as the configuration says; print its lines'
complete -c toeh -n '__fish_seen_subcommand_from express' -l check -d 'does it all fit together? (also without any option)'
complete -c toeh -n "not __fish_seen_subcommand_from $commands" -a digest -d 'tell people of what waits and what no notice has told them yet'
complete -c toeh -n "not __fish_seen_subcommand_from $commands" -a report -d 'what passed, what was held, what waits and for how long'
complete -c toeh -n '__fish_seen_subcommand_from report' -l since -d 'from a day on (2026-11-04), or so long ago (30d)' -x
complete -c toeh -n '__fish_seen_subcommand_from report' -l html -d 'write one page to this file; - is standard output' -r -F
complete -c toeh -n "not __fish_seen_subcommand_from $commands" -a metrics -d 'counts for Prometheus; names nobody'
complete -c toeh -n '__fish_seen_subcommand_from metrics' -l textfile -d 'write them to this file, for node_exporter\'s textfile collector' -r -F
complete -c toeh -n "not __fish_seen_subcommand_from $commands" -a backup -d 'copy the database to a file, or to a dated file in a folder, and check the copy'
complete -c toeh -n '__fish_seen_subcommand_from backup' -l keep -d 'in a folder: keep so many, remove older ones' -x
complete -c toeh -n '__fish_seen_subcommand_from backup' -F
complete -c toeh -n "not __fish_seen_subcommand_from $commands" -a fsck -d 'check that database, folders, bytes and rights are whole; repair what is safe'
complete -c toeh -n '__fish_seen_subcommand_from fsck' -l repair -d 'repair what is safe; without it nothing is written'
complete -c toeh -n '__fish_seen_subcommand_from fsck' -l settle-gone -d 'with --repair: reject what waits without its bytes'
complete -c toeh -n '__fish_seen_subcommand_from fsck' -l backup -d 'with --repair: the backup a lost database is rebuilt from; a file, or a folder of dated ones' -r -F
