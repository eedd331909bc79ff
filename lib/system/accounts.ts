/** The person who runs a command: the name for the audit, and whether the configuration lets that person decide. */
import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { userInfo } from 'node:os'
import { EXIT } from '../exit.js'
import { Failure } from '../failure.js'

/** What the kernel says of a process that no login has started (audit_loginuid, linux/audit.h). */
const NO_LOGIN = 4294967295

/** What id(1) says, or undefined for a user there is none of. */
function id(flags: string, user: string): string | undefined {
  try {
    return execFileSync('id', [flags, '--', user], {
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
    }).trimEnd()
  } catch {
    return undefined
  }
}

/** The user id of the login this process descends from: it survives su and sudo, and no environment can name another. */
function loginUid(): number | undefined {
  try {
    const uid = Number(readFileSync('/proc/self/loginuid', 'latin1'))
    return uid === NO_LOGIN ? undefined : uid
  } catch {
    return undefined
  }
}

export interface Account {
  name: string
  /** Undefined for a name that no account has. */
  uid: number | undefined
}

/**
 * Who has this process run with the rights of another, as the program says that lends them: sudo(8), doas(1) or pkexec(1).
 * These are environment variables: whoever is already root or the filter's user can set them to anything.
 */
export function lender(): string | undefined {
  const { SUDO_USER, DOAS_USER, PKEXEC_UID } = process.env
  const name = SUDO_USER || DOAS_USER
  return name || (PKEXEC_UID ? (id('-un', PKEXEC_UID) ?? `uid ${PKEXEC_UID}`) : undefined)
}

/**
 * The accounts behind this process: the one {@link lender} names, else its own; then the one that logged in, where that is
 * another.
 */
export function accounts(): Account[] {
  const name = lender()
  const found: Account[] =
    name === undefined
      ? [{ name: userInfo().username, uid: process.getuid?.() }]
      : [{ name, uid: numberOf(id('-u', name)) }]
  const login = loginUid()
  if (login !== undefined && found[0]?.uid !== login) {
    found.push({ name: id('-un', String(login)) ?? `uid ${login}`, uid: login })
  }
  return found
}

/** The groups of an account, none where there is no such account; the one of its own first. */
export function groupsOf(name: string): number[] {
  const text = [id('-g', name), id('-G', name)].join(' ').trim()
  return text === '' ? [] : text.split(' ').map(Number)
}

function numberOf(text: string | undefined): number | undefined {
  return text === undefined ? undefined : Number(text)
}

/** The accounts as the audit writes them: `anna`, or `anna (logged in as bob)`. */
export function describeAccounts([first, login]: readonly Account[]): string {
  const name = first?.name ?? ''
  return login === undefined ? name : `${name} (logged in as ${login.name})`
}

/**
 * Lets those pass who may decide: root and the state folder's owner, acting as nobody else; everybody else only as a
 * member of the group. An empty group leaves it to the rights of the state folder.
 * @throws Failure (77)
 */
export function demandMember(who: readonly Account[], group: string, owner: number): void {
  if (group === '') return
  for (const { name, uid } of who) {
    if (uid === 0 || uid === owner) continue
    if (uid !== undefined && id('-Gn', name)?.split(' ').includes(group)) continue
    throw new Failure('decide', `${name} is not in the group ${group}`, {
      status: EXIT.noPermission,
      hint: 'ask somebody who is (people.group in the configuration)',
    })
  }
}
