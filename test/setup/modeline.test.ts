/** The line of the mode: it alone is changed, in whatever form it stands, and the file comes into its place whole. */
import {
  chmodSync,
  chownSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { parseConfig } from '../../lib/config.js'
import { EXIT } from '../../lib/exit.js'
import { modeCommand, modeSetting, prepareMode, withMode } from '../../lib/setup/modeline.js'
import { failureOf, replaceFs, systemError } from '../support/failing.js'
import { makeFolder } from '../support/lab.js'

const TEXT = '# ours\ninternal_domains = ["corp.test"]\nmode = "observe" # until Monday\n'

t.test('the file in its other forms', async (t) => {
  const own = 'internal_domains = ["corp.test"]\n'
  const table: [text: string, changed: string | undefined][] = [
    [own, `mode = "observe"\n${own}`],
    [`# head\n\n${own}`, `mode = "observe"\n# head\n\n${own}`],
    [`# head\r\n${own}`, `mode = "observe"\r\n# head\r\n${own}`],
    [`${own}mode="enforce"`, `${own}mode="observe"`],
    [`${own}"mode"\t=\t"enforce"\r\n`, `${own}"mode"\t=\t"observe"\r\n`],
    [`${own}'mode' = "en\\u0066orce" # b\u00fccher\n`, `${own}'mode' = "observe" # b\u00fccher\n`],
    [`${own}# mode = "enforce"\nmode = 'enforce'\n`, `${own}# mode = "enforce"\nmode = 'observe'\n`],
    [
      `${own}state = """/a\\\nmode = "enforce" # \\\n"""\n`,
      `mode = "observe"\n${own}state = """/a\\\nmode = "enforce" # \\\n"""\n`,
    ],
    [`${own}mode = """enforce"""\n`, undefined],
    [`${own}mode = """\nenforce"""\n[express]\nenabled = false\n`, undefined],
    [`${own}[express]\nenabled = false\n`, `mode = "observe"\n${own}[express]\nenabled = false\n`],
  ]
  for (const [text, changed] of table) {
    let valid = true
    try {
      parseConfig('/x', text)
    } catch {
      valid = false
    }
    if (changed === undefined) {
      t.throws(
        () => withMode('/x', Buffer.from(text), 'observe'),
        valid ? { message: /its mode is not written as one line/ } : Error,
        text,
      )
      continue
    }
    t.equal(withMode('/x', Buffer.from(text), 'observe').toString(), changed, text)
  }
  // A byte that is no UTF-8, in a comment, stays the byte that it is.
  const latin = Buffer.concat([
    Buffer.from(`${own}# `),
    Buffer.from([0xfc]),
    Buffer.from('\nmode = "enforce"\n'),
  ])
  t.equal(
    withMode('/x', latin, 'observe').toString('latin1'),
    latin.toString('latin1').replace('"enforce"', '"observe"'),
  )
})

t.test('how it is said to people', (t) => {
  t.equal(modeSetting('observe'), 'mode = "observe"')
  t.equal(modeCommand('enforce', '/etc/toeh/toeh.toml'), 'toeh mode enforce')
  t.equal(modeCommand('observe', '/srv/a b.toml'), "toeh mode observe --config '/srv/a b.toml'")
  t.end()
})

t.test('a mode that no one line can be changed for', async (t) => {
  const text = 'internal_domains = ["corp.test"]\nmode = """enforce"""\n'
  const failure = await failureOf(() => withMode('/x', Buffer.from(text), 'observe'))
  t.equal(failure.status, EXIT.config)
  t.equal(
    failure.line,
    'mode /x: its mode is not written as one line that could be changed; set mode = "observe" by hand',
  )
})

t.test('made ready, put there or left', (t) => {
  const dir = makeFolder(t)
  const [path, link] = [join(dir, 'ours.toml'), join(dir, 'toeh.toml')]
  writeFileSync(path, TEXT)
  chmodSync(path, 0o640)
  if (process.getuid?.() === 0) chownSync(path, 0, 65534)
  symlinkSync('ours.toml', link)
  const before = statSync(path)
  const left = prepareMode(link, 'enforce')
  t.equal(readFileSync(path, 'utf8'), TEXT, 'nothing is changed yet')
  left.drop()
  t.strictSame([readdirSync(dir).sort(), readFileSync(path, 'utf8')], [['ours.toml', 'toeh.toml'], TEXT])
  prepareMode(link, 'enforce').put()
  t.equal(readFileSync(path, 'utf8'), TEXT.replace('"observe"', '"enforce"'))
  const after = statSync(path)
  t.strictSame([after.uid, after.gid, after.mode], [before.uid, before.gid, before.mode])
  t.ok(lstatSync(link).isSymbolicLink())
  t.strictSame(readdirSync(dir).sort(), ['ours.toml', 'toeh.toml'], 'nothing is left beside it')
  t.end()
})

t.test('what fails changes nothing, and leaves nothing', async (t) => {
  const dir = makeFolder(t)
  const path = join(dir, 'toeh.toml')
  const hint = 'run it as root; or set mode = "enforce" where the file is made'
  const gone = await failureOf(() => prepareMode(path, 'enforce'))
  t.equal(gone.status, EXIT.noPermission)
  t.equal(gone.line, `mode ${path}: it cannot be changed here: no such file or directory (ENOENT); ${hint}`)
  writeFileSync(path, 'internal_domains = ["a b"]\n')
  t.equal((await failureOf(() => prepareMode(path, 'enforce'))).status, EXIT.config, "the parser's own words")
  writeFileSync(path, TEXT)
  const full = replaceFs(t, 'fsyncSync', () => () => {
    throw systemError('ENOSPC', 'no space left on device')
  })
  t.match((await failureOf(() => prepareMode(path, 'enforce'))).line, 'no space left on device (ENOSPC)')
  full()
  const ready = prepareMode(path, 'enforce')
  const busy = replaceFs(t, 'renameSync', () => () => {
    throw systemError('EBUSY', 'resource busy or locked')
  })
  t.match((await failureOf(() => ready.put())).line, `(EBUSY); ${hint}`)
  busy()
  t.strictSame([readdirSync(dir), readFileSync(path, 'utf8')], [['toeh.toml'], TEXT])
  mkdirSync(join(dir, 'folder'))
  t.match((await failureOf(() => prepareMode(join(dir, 'folder'), 'enforce'))).line, '(EISDIR)')
})
