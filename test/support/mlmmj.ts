/** A mailing list of Debian's mlmmj, in a folder of its own. Nothing of it runs until mail comes for it. */
import { execFileSync } from 'node:child_process'
import { chmodSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Test } from 'tap'
import { findProgram } from './debianpackages.js'
import { makeFolder } from './lab.js'
import { USER } from './postfix.js'

/** Why it cannot be used here, or false. */
export function cannotRunMlmmj(): string | false {
  return findProgram('mlmmj-receive') === undefined ? "Debian's package mlmmj is not installed" : false
}

export class List {
  /** Stands for the host's own root: the lists are where Debian has them below it. */
  readonly root: string
  readonly #dir: string
  readonly #name: string

  private constructor(root: string, name: string) {
    this.root = root
    this.#name = name
    this.#dir = join(root, 'var/spool/mlmmj', name)
  }

  /** Makes a list as its administrator does, and subscribes people. */
  static make(t: Test, name: string, members: readonly string[]): List {
    const root = makeFolder(t, 'toeh-mlmmj-')
    chmodSync(root, 0o755)
    const list = new List(root, name)
    const spool = join(root, 'var/spool/mlmmj')
    mkdirSync(spool, { recursive: true })
    // It asks for the domain, the owner and the language of its texts.
    const input = 'company.example\npostmaster@company.example\nen\n'
    execFileSync('/usr/bin/mlmmj-make-ml', ['-L', name, '-s', spool], {
      input,
      stdio: ['pipe', 'ignore', 'pipe'],
    })
    execFileSync('chown', ['-R', `${USER}:nogroup`, list.#dir])
    for (const member of members)
      execFileSync('/usr/bin/mlmmj-sub', ['-L', list.#dir, '-a', member, '-f', '-q', '-s'])
    return list
  }

  /** Where it hands its mail to, on port 25. */
  relayThrough(host: string): void {
    writeFileSync(join(this.#dir, 'control/relayhost'), `${host}\n`)
  }

  /** The service of master.cf that README.postfix of mlmmj has. */
  get service(): string {
    const spool = join(this.root, 'var/spool/mlmmj')
    return `mlmmj unix - n n - - pipe
  flags=ORhu user=${USER} argv=/usr/bin/mlmmj-receive -F -L ${spool}/$nexthop
`
  }

  /** What that asks of main.cf. */
  get settings(): string[] {
    const address = `${this.#name}@company.example`
    return [
      'mlmmj_destination_recipient_limit=1',
      `transport_maps=inline:{ {${address} = mlmmj:${this.#name}} }`,
    ]
  }

  /** Whom it has counted a bounce of. */
  bounced(): string[] {
    return readdirSync(join(this.#dir, 'bounce'))
  }
}
