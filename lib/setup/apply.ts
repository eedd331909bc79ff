/**
 * An alteration of main.cf and master.cf: made by postconf(1) on copies, shown, put in place whole, and taken back. The
 * files themselves are only ever replaced by a rename, so that no reader and no crash meets a half of it.
 *
 * It is long because applying and taking back are each other in reverse, and have to agree on every file.
 */
import { spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import {
  lstatSync,
  mkdtempSync,
  readFileSync,
  realpathSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { EXIT } from '../exit.js'
import { describeError, Failure } from '../failure.js'
import { commandOf, lineOf, parseServices, type Service, withOption, withPair } from '../postfix/mastercf.js'
import { askPostfix } from '../postfix/postconf.js'
import { publish } from '../system/files.js'
import { words } from '../text/translate.js'
import { argumentsOf, type Edit, leadsToGate, unwire } from './plan.js'

/** Postfix reads main.cf first, and what is added to it means nothing before master.cf names it. */
export const FILES = ['main.cf', 'master.cf'] as const
type Name = (typeof FILES)[number]
type Texts = Record<Name, Buffer>

/**
 * A set of changes that is taken back by itself: what is kept of it until then stands beside both files. The gate and what hands
 * answers on have one each.
 */
export interface Layer {
  /** The file with what was changed. */
  memory: string
  /** How the names of both files as they were before end. */
  before: string
}
export const GATE: Layer = { memory: 'toeh-undo.json', before: 'before-toeh' }
export const ANSWERS: Layer = { memory: 'toeh-moderate-undo.json', before: 'before-toeh-moderate' }

/** Of files that nobody has kept. */
const UNKNOWN: Record<Name, string> = { 'main.cf': '', 'master.cf': '' }

const OPERATION = 'init --postfix'
/** Seconds after which a file is not new any more. */
const COOL_S = 60

/** A look-up table of ours, beside TOEH's configuration. Null: there is none. */
export interface Table {
  path: string
  text: string | null
}

export interface Alteration {
  configDir: string | undefined
  /** The folder of both files. */
  folder: string
  before: Texts
  after: Texts
  edits: readonly Edit[]
  /** Tables as they are to be; those that are so already are none of it. */
  tables: readonly Table[]
  /** As diff -u shows it; empty where nothing changes. */
  difference: string
}

/** What is kept of an alteration until it is undone. Digests are SHA-256. */
interface UndoRecord {
  before: Record<Name, string>
  after: Record<Name, string>
  edits: Edit[]
  /** Tables with what they held before, and the digest of what was put there. Of an older TOEH there are none. */
  tables?: (Table & { after: string })[]
}

function memoryPath(folder: string, { memory }: Layer): string {
  return join(folder, memory)
}

function backupPath(folder: string, name: Name, { before }: Layer): string {
  return join(folder, `${name}.${before}`)
}

function digest(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex')
}

function digests(texts: Texts): Record<Name, string> {
  return { 'main.cf': digest(texts['main.cf']), 'master.cf': digest(texts['master.cf']) }
}

/**
 * The folder of an instance's files, which must be files of their own.
 * @throws Failure where there is no Postfix, or a file is a link
 */
async function folderOf(configDir: string | undefined): Promise<string> {
  let folder: string
  try {
    folder = realpathSync((await askPostfix('postconf', configDir, '-h', 'config_directory')).trim())
  } catch (error) {
    throw new Failure(OPERATION, describeError(error), { status: EXIT.failed })
  }
  for (const name of FILES) {
    const path = join(folder, name)
    if (lstatSync(path, { throwIfNoEntry: false })?.isFile() === true) continue
    throw new Failure(OPERATION, words`it is no file of its own: a change would take the place of the link`, {
      at: path,
      hint: words`put the file itself there, or set the gate up by hand (docs/postfix.md)`,
    })
  }
  return folder
}

function readTexts(folder: string): Texts {
  return {
    'main.cf': readFileSync(join(folder, 'main.cf')),
    'master.cf': readFileSync(join(folder, 'master.cf')),
  }
}

/** The services of master.cf as they stand, and the parameters that main.cf itself sets. */
export async function readRaw(
  configDir: string | undefined,
): Promise<{ services: Service[]; set: Map<string, string> }> {
  const services = parseServices(await askPostfix('postconf', configDir, '-M'))
  const lines = (await askPostfix('postconf', configDir, '-n')).split('\n').filter((line) => line !== '')
  const set = lines.map((line): [string, string] => {
    const at = line.indexOf(' =')
    return [line.slice(0, at), line.slice(at + 2).trim()]
  })
  return { services, set: new Map(set) }
}

/**
 * Makes a copy of main.cf older: Postfix's programs wait for a second or two where it is new, because somebody may
 * still be writing it (dict_load_file_xt). Nobody is.
 */
function cool(copies: string): void {
  const past = statSync(copies).mtimeMs / 1000 - COOL_S
  utimesSync(join(copies, 'main.cf'), past, past)
}

/** What postconf(1) takes in one call goes in one. */
async function make(edits: readonly Edit[], folder: string): Promise<void> {
  let flag = ''
  let words: string[] = []
  const flush = async (): Promise<void> => {
    if (words.length > 0) await askPostfix('postconf', folder, flag, ...words)
    words = []
    cool(folder)
  }
  for (const edit of edits) {
    const { kind, service, name, value } = edit
    if (kind === 'option' && value !== null && /\s/.test(value)) {
      await flush()
      await writeCommand(folder, service, name, value)
      continue
    }
    const [next = '', ...rest] = argumentsOf(edit)
    // Of several parameters at once postconf(1) makes an order of its own.
    if (next !== flag || kind === 'parameter') await flush()
    flag = next
    words.push(...rest)
  }
  await flush()
}

/** Sets an option whose value has blanks, which postconf -P takes none of: the service's command is written anew. */
async function writeCommand(folder: string, id: string, name: string, value: string): Promise<void> {
  const [service] = parseServices(await askPostfix('postconf', folder, '-M', id))
  if (service === undefined) return
  const optionWords = withPair(service.optionWords, name, value)
  await askPostfix('postconf', folder, '-F', `${id}/command=${commandOf({ ...service, optionWords })}`)
}

/** The same, with the services' options in the services' own lines where that can be. */
async function makeGently(edits: readonly Edit[], folder: string): Promise<void> {
  const path = join(folder, 'master.cf')
  let text = readFileSync(path, 'latin1')
  const others: Edit[] = []
  for (const edit of edits) {
    const { kind, service, name, value } = edit
    const edited = kind === 'option' && value !== null ? withOption(text, service, name, value) : undefined
    if (edited === undefined) others.push(edit)
    else text = edited
  }
  writeFileSync(path, text, 'latin1')
  await make(others, folder)
}

/** Both files in a folder that is gone when `work` is done. */
async function onCopies<T>(texts: Texts, work: (folder: string) => Promise<T>): Promise<T> {
  const folder = mkdtempSync(join(tmpdir(), 'toeh-init-'))
  try {
    for (const name of FILES) writeFileSync(join(folder, name), texts[name])
    cool(folder)
    return await work(folder)
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

/** What diff(1) says of a file that is to be another. @param after the path of what it is to be */
function differ(path: string, before: string | Buffer, after: string): string {
  const labels = ['--label', path, '--label', `${path} (changed)`]
  const { status, stdout, error } = spawnSync('diff', ['-u', ...labels, '-', after], {
    input: before,
    encoding: 'utf8',
  })
  if (status === 0 || status === 1) return stdout
  throw new Failure(
    OPERATION,
    error === undefined ? words`diff(1) failed` : `diff: ${describeError(error)}`,
    {
      hint: 'apt install diffutils',
    },
  )
}

/** The same of all that an alteration is to change. */
async function differences(
  folder: string,
  before: Texts,
  after: Texts,
  tables: readonly Table[],
): Promise<string> {
  return onCopies(after, async (copies) => {
    const files = FILES.map((name) => differ(join(folder, name), before[name], join(copies, name)))
    const others = tables.map(({ path, text }) => {
      const copy = join(copies, 'table')
      writeFileSync(copy, text ?? '')
      return differ(path, readTable(path) ?? '', copy)
    })
    return [...files, ...others].join('')
  })
}

/** What a table's file holds, or null where there is none. */
function readTable(path: string): string | null {
  try {
    return readFileSync(path, 'utf8')
  } catch (error) {
    if ((error as { code?: unknown }).code === 'ENOENT') return null
    throw new Failure(OPERATION, describeError(error), { at: path })
  }
}

/** Root's, and for everybody to read: Postfix opens it. */
function writeTable({ path, text }: Table): void {
  if (text === null) rmSync(path, { force: true })
  else publish(OPERATION, undefined, path, text, 0o644)
}

/** postconf(1) goes on in a last line that has no end, which may be a comment. */
function withEnd(text: Buffer): Buffer {
  return text.length === 0 || text.at(-1) === 0x0a ? text : Buffer.concat([text, Buffer.from('\n')])
}

interface Trial {
  after: Texts
  /** The services, as Postfix reads them. */
  read: string
  /** How many of the changes are there. */
  standing: number
}

/**
 * Makes the changes on copies. postconf(1) writes a service that it changes anew and parts it from the comments between
 * its lines; so the same is tried within the lines, and taken where Postfix reads one and the other alike.
 * @throws Failure where Postfix cannot be asked, or its files are no plain files
 */
export async function prepare(
  configDir: string | undefined,
  edits: readonly Edit[],
  wanted: readonly Table[] = [],
): Promise<Alteration> {
  const folder = await folderOf(configDir)
  const before = readTexts(folder)
  const tables = wanted.filter(({ path, text }) => readTable(path) !== text)
  if (edits.length === 0) {
    const difference = await differences(folder, before, before, tables)
    return { configDir, folder, before, after: before, edits, tables, difference }
  }
  const ended = { 'main.cf': withEnd(before['main.cf']), 'master.cf': withEnd(before['master.cf']) }
  const trial = (way: (edits: readonly Edit[], copies: string) => Promise<void>): Promise<Trial> =>
    onCopies(ended, async (copies) => {
      await way(edits, copies)
      const raw = await readRaw(copies)
      const read = raw.services.map(lineOf).sort().join('\n')
      return { after: readTexts(copies), read, standing: unwire(edits, raw).edits.length }
    })
  const plain = await trial(make)
  if (plain.standing !== edits.length)
    throw new Failure(OPERATION, words`postconf(1) has not made every change`, {
      at: folder,
      hint: words`set the gate up by hand (docs/postfix.md)`,
    })
  const gentle = await trial(makeGently)
  const { after } = gentle.read === plain.read && gentle.standing === plain.standing ? gentle : plain
  const difference = await differences(folder, before, after, tables)
  return { configDir, folder, before, after, edits, tables, difference }
}

function recall(folder: string, layer: Layer): UndoRecord | undefined {
  let text: string
  try {
    text = readFileSync(memoryPath(folder, layer), 'utf8')
  } catch {
    return undefined
  }
  try {
    return JSON.parse(text) as UndoRecord
  } catch (error) {
    throw new Failure(OPERATION, describeError(error), {
      at: memoryPath(folder, layer),
      hint: words`put it away; then nothing can be undone`,
    })
  }
}

/** Whether each file is as it was before or as it was left: a crash between two renames leaves one of each. */
function isUntouched(memory: UndoRecord, texts: Texts): boolean {
  const are = digests(texts)
  return FILES.every((name) => are[name] === memory.after[name] || are[name] === memory.before[name])
}

function replace(folder: string, texts: Texts): void {
  for (const name of FILES) {
    const path = join(folder, name)
    if (readFileSync(path).equals(texts[name])) continue
    publish(OPERATION, undefined, path, texts[name], statSync(path).mode & 0o7777)
  }
}

/** Puts the new files in place and lets Postfix look at them; the old ones come back where it does not like them. */
async function install({ configDir, folder, before, after, tables }: Alteration): Promise<void> {
  const are = readTexts(folder)
  if (!FILES.every((name) => are[name].equals(before[name])))
    throw new Failure(OPERATION, words`somebody else has changed it meanwhile`, {
      at: folder,
      hint: words`run it again`,
    })
  const old = tables.map(({ path }): Table => ({ path, text: readTable(path) }))
  // A table is there before anything names it, and is taken away when nothing does any more.
  for (const table of tables) if (table.text !== null) writeTable(table)
  replace(folder, after)
  try {
    await askPostfix('postfix', configDir, 'check')
    await askPostfix('postconf', configDir, '-M')
    for (const table of tables) if (table.text === null) writeTable(table)
  } catch (error) {
    replace(folder, before)
    for (const table of old) writeTable(table)
    throw new Failure(OPERATION, words`${describeError(error)}: both files are as they were`, {
      at: folder,
      hint: words`where postfix check fails now as well, mend that first`,
    })
  }
}

/**
 * Puts an alteration in place. The first one since the last undo keeps both files as they were beside them.
 * @returns the paths of what is kept
 * @throws Failure with both files as they were
 */
export async function putInPlace(alteration: Alteration, layer: Layer = GATE): Promise<string[]> {
  const { folder, before, after, edits, tables } = alteration
  const earlier = recall(folder, layer)
  const kept = earlier !== undefined && isUntouched(earlier, before)
  const old = earlier?.edits ?? []
  const memory: UndoRecord = {
    // Where somebody else has changed them since, only our own lines can be taken back: what is kept then has some of them.
    before: kept ? earlier.before : old.length > 0 ? UNKNOWN : digests(before),
    after: digests(after),
    edits: [...old, ...edits],
    tables: rememberTables(earlier?.tables ?? [], tables),
  }
  const backups = FILES.map((name) => backupPath(folder, name, layer))
  if (!kept)
    for (const name of FILES)
      publish(
        OPERATION,
        undefined,
        backupPath(folder, name, layer),
        before[name],
        statSync(join(folder, name)).mode & 0o777,
      )
  publish(OPERATION, undefined, memoryPath(folder, layer), `${JSON.stringify(memory, null, 2)}\n`, 0o600)
  try {
    await install(alteration)
  } catch (error) {
    if (earlier === undefined) forget(folder, layer, true)
    else
      publish(OPERATION, undefined, memoryPath(folder, layer), `${JSON.stringify(earlier, null, 2)}\n`, 0o600)
    throw error
  }
  return backups
}

/** Each table with what it held before the first alteration. */
function rememberTables(
  earlier: NonNullable<UndoRecord['tables']>,
  tables: readonly Table[],
): NonNullable<UndoRecord['tables']> {
  const others = earlier.filter(({ path }) => !tables.some((one) => one.path === path))
  return [
    ...others,
    ...tables.map(({ path, text }) => {
      const first = earlier.find((one) => one.path === path)
      return {
        path,
        text: first === undefined ? readTable(path) : first.text,
        after: digest(Buffer.from(text ?? '')),
      }
    }),
  ]
}

function forget(folder: string, layer: Layer, withBackups: boolean): void {
  rmSync(memoryPath(folder, layer), { force: true })
  if (withBackups) for (const name of FILES) rmSync(backupPath(folder, name, layer), { force: true })
}

export interface Undone {
  folder: string
  difference: string
  /** Whether both files are byte for byte what they were; else only our own lines were taken out. */
  whole: boolean
  /** Tables of ours that somebody has changed: Postfix asks them no more, and they are left. */
  left: string[]
}

/**
 * Takes back what {@link putInPlace} did: byte for byte where nobody has changed the files since, else our own lines.
 * @throws Failure with nothing changed, where what was ours is somebody else's now
 */
export async function undo(configDir: string | undefined, layer: Layer = GATE): Promise<Undone> {
  const folder = await folderOf(configDir)
  const memory = recall(folder, layer)
  if (memory === undefined)
    throw new Failure('init --undo', words`nothing of ours is written down there`, {
      at: memoryPath(folder, layer),
      hint: words`what was set up by hand is taken out by hand (README.md)`,
    })
  const before = readTexts(folder)
  const kept = isUntouched(memory, before) ? backupsOf(folder, memory, layer) : undefined
  const after = kept ?? (await withoutOurs(configDir, memory, before, layer))
  const known = (memory.tables ?? []).filter(({ path }) => readTable(path) !== null)
  const isOurs = ({ path, after: put }: { path: string; after: string }): boolean =>
    digest(Buffer.from(readTable(path) ?? '')) === put
  const tables = known.filter(isOurs)
  const left = known.filter((table) => !isOurs(table)).map(({ path }) => path)
  const difference = await differences(folder, before, after, tables)
  await install({ configDir, folder, before, after, edits: [], tables, difference })
  // Where the files had gone on, what they were is the reader's to put away.
  forget(folder, layer, kept !== undefined)
  return { folder, difference, whole: kept !== undefined, left }
}

/** The files as they were kept, or undefined where they are not any more. */
function backupsOf(folder: string, memory: UndoRecord, layer: Layer): Texts | undefined {
  try {
    const [main, master] = FILES.map((name) => readFileSync(backupPath(folder, name, layer)))
    if (main === undefined || master === undefined) return undefined
    const texts = { 'main.cf': main, 'master.cf': master }
    const are = digests(texts)
    return FILES.every((name) => are[name] === memory.before[name]) ? texts : undefined
  } catch {
    return undefined
  }
}

async function withoutOurs(
  configDir: string | undefined,
  memory: UndoRecord,
  before: Texts,
  layer: Layer,
): Promise<Texts> {
  const { edits, changed } = unwire(memory.edits, await readRaw(configDir))
  const [first] = changed
  const hint = words`take it out by hand, then run this again; as they were: ${FILES.map((name) => `${name}.${layer.before}`).join(', ')}`
  if (first !== undefined) {
    const others = changed.length - 1
    const why =
      others > 0
        ? words`${first}, and ${others} more: somebody has changed it since`
        : words`${first}: somebody has changed it since`
    throw new Failure('init --undo', why, { hint })
  }
  return onCopies(before, async (copies) => {
    await make(edits, copies)
    const left = layer === GATE ? leadsToGate(await readRaw(copies)) : undefined
    if (left === undefined) return readTexts(copies)
    throw new Failure('init --undo', words`${left} leads to the gate, and is not ours`, { hint })
  })
}
