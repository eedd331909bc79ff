/** toeh export: every live rule in a fixed order, to standard output or into a file that is whole. */
import { mkdirSync, readdirSync, readFileSync, statSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { assertDone, assertRefused, makeLab } from '../support/lab.js'

const HEADER = 'effect,value,subdomains,for,until,note,source,added_by,added_at\n'

t.test('live rules by value, scope and effect', async (t) => {
  const lab = makeLab(t)
  assertDone(t, await lab.toeh('export'), HEADER)
  t.equal((await lab.toeh('export', '--json')).stdout, '[]\n')
  await lab.toeh('block', 'b.test', '--note', 'say "no",\nalways')
  await lab.allow('c.test', 'a.test', 'z@a.test')
  await lab.toeh('allow', 'a.test', '--for', '@corp.test', '--subdomains', '--until', '2099-12-31')
  await lab.allow('gone.test')
  await lab.toeh('revoke', 'gone.test')
  const { stdout, stderr, code } = await lab.toeh('export')
  t.strictSame([code, stderr], [0, ''])
  const [, me = ''] = /,command,([^,]+),/.exec(stdout) ?? []
  const by = `command,${me},`
  t.equal(
    stdout.replace(/20[0-9]{2}-[-0-9]+T[0-9:.]+Z$/gm, 'WHEN'),
    [
      HEADER.trimEnd(),
      'allow,a.test,no,,,,test,test,1970-01-01T00:00:00.001Z',
      `allow,a.test,yes,@corp.test,2099-12-31T23:59:59.999Z,,${by}WHEN`,
      `block,b.test,no,,,"say ""no"",\nalways",${by}WHEN`,
      'allow,c.test,no,,,,test,test,1970-01-01T00:00:00.001Z',
      'allow,z@a.test,no,,,,test,test,1970-01-01T00:00:00.001Z',
      '',
    ].join('\n'),
  )
  const json = await lab.toeh('export', '--format', 'json')
  t.equal(json.stdout, (await lab.toeh('export', '--json')).stdout)
  t.equal(json.stdout.split('\n').length, 8, 'one rule a line')
  t.match(JSON.parse(json.stdout)[1], {
    effect: 'allow',
    value: 'a.test',
    subdomains: true,
    for: '@corp.test',
    until: '2099-12-31T23:59:59.999Z',
    note: '',
    source: 'command',
  })
  t.equal(JSON.parse(json.stdout)[0].until, null)
})

t.test('into a file, for its owner alone, in place of an older one', async (t) => {
  const lab = makeLab(t)
  const out = join(lab.dir, 'out')
  mkdirSync(out)
  await lab.allow('a.test')
  const file = join(out, 'rules.csv')
  writeFileSync(file, 'old', { mode: 0o644 })
  const before = lab.databaseDigest()
  assertDone(t, await lab.toeh('export', file), `1 rule in ${file}\n`)
  t.equal(readFileSync(file, 'utf8'), (await lab.toeh('export', '-')).stdout)
  t.equal(statSync(file).mode & 0o777, 0o600)
  const json = join(out, 'rules.JSON')
  const { stdout } = await lab.toeh('export', json, '--json')
  t.strictSame(JSON.parse(stdout), { file: json, format: 'json', rules: 1 })
  t.equal(JSON.parse(readFileSync(json, 'utf8')).length, 1)
  await lab.toeh('export', join(out, 'other.json'), '--format', 'csv')
  t.equal(readFileSync(join(out, 'other.json'), 'utf8'), readFileSync(file, 'utf8'), '--format counts')
  t.strictSame(readdirSync(out).sort(), ['other.json', 'rules.JSON', 'rules.csv'], 'nothing else is left')
  t.equal(lab.databaseDigest(), before)
})

t.test('what cannot be written', async (t) => {
  const lab = makeLab(t)
  symlinkSync('/dev/null', join(lab.dir, 'null'))
  assertRefused(
    t,
    await lab.toeh('export', join(lab.dir, 'null')),
    1,
    /it is no regular file; for standard output: toeh export/,
  )
  assertRefused(t, await lab.toeh('export', lab.dir), 1, /it is no regular file/)
  assertRefused(t, await lab.toeh('export', join(lab.dir, 'no/rules.csv')), 1, /no such file or directory/)
  assertRefused(t, await lab.toeh('export', '--format', 'vcf'), 2, /Invalid values/)
  assertRefused(t, await lab.toeh('export', ''), 2, /which file\?/)
  assertRefused(
    t,
    await lab.toeh('export', 'a.csv', 'b.csv'),
    2,
    /b\.csv is too much: it is toeh export \[file\]/,
  )
})
