/** The samples with a host's values: they are read back as what was put in, and nothing else of them changes. */
import { readFileSync } from 'node:fs'
import { userInfo } from 'node:os'
import { join } from 'node:path'
import t from 'tap'
import { type Config, DEFAULT_CONFIG_PATH, parseConfig } from '../../lib/config.js'
import { parseServices, type Service } from '../../lib/postfix/mastercf.js'
import { sampleConfig, sampleMaster } from '../../lib/postfix/sample.js'
import { ROOT } from '../support/lab.js'

const read = (name: string): string => readFileSync(join(ROOT, name), 'utf8')
const PLAIN = sampleConfig('/var/lib/toeh', ['corp.test'])

t.test('the configuration is what was asked for, and begins by observing', (t) => {
  t.match(parseConfig('/x', PLAIN), {
    mode: 'observe',
    state: '/var/lib/toeh',
    internal: new Set(['corp.test']),
  })
  const config = parseConfig(
    '/x',
    sampleConfig('/srv/a $& "b"', ['corp.test', 'b\u00fccher.test'], '+-', {
      approvers: ['chef@corp.test'],
      language: 'fr',
    }),
  )
  t.match(config, { state: '/srv/a $& "b"', delimiters: '+-', approvers: ['chef@corp.test'], language: 'fr' })
  t.strictSame([...config.internal], ['corp.test', 'xn--bcher-kva.test'])
  t.equal(parseConfig('/x', sampleConfig('/s', ['corp.test'], '')).delimiters, '', 'none is a value')
  t.end()
})

t.test('every other line is the sample’s own', (t) => {
  const [before, after] = [read('examples/toeh.toml'), PLAIN].map((text) => text.split('\n')) as [
    string[],
    string[],
  ]
  t.equal(after.length, before.length)
  const changed = after.filter((line, index) => line !== before[index])
  t.strictSame(
    changed.filter((line) => !/^(mode|state|internal_domains) = /.test(line)),
    [],
  )
  t.end()
})

function services(user: string, changes: Partial<Config> = {}): Service[] {
  const config = { ...parseConfig(DEFAULT_CONFIG_PATH, PLAIN), path: DEFAULT_CONFIG_PATH, ...changes }
  return parseServices(sampleMaster(user, config))
}

t.test('the gate in master.cf', (t) => {
  const { username } = userInfo()
  const [gate, ...others] = services(username, { state: '/srv/toeh' })
  t.equal(gate?.attributes.get('user')?.split(':')[0], username)
  t.equal(gate?.attributes.get('directory'), '/srv/toeh')
  t.strictSame(gate?.argv.slice(0, 2), [join(ROOT, 'dist/bin/toeh-filter'), `--node=${process.execPath}`])
  t.notOk(
    gate?.argv.some((word) => word.startsWith('--config=')),
    'where it is, it is looked for',
  )
  t.equal(others.length, 2, 'with the way back and its cleanup')
  const [named] = services(username, { path: '/srv/toeh.toml' })
  t.equal(named?.argv[2], '--config=/srv/toeh.toml')
  t.equal(
    services('toeh-of-no-one')[0]?.attributes.get('user'),
    'toeh-of-no-one:toeh-of-no-one',
    'it will have one',
  )
  t.equal(services('root')[0]?.attributes.get('user'), 'root:root')
  const [asIs] = parseServices(read('master.cf.sample'))
  t.strictSame(named?.argv.slice(3), asIs?.argv.slice(1), 'all else that it is told')
  t.end()
})

t.test('the way back, where `reinject` is', (t) => {
  const back = (changes: Partial<Config>): Service | undefined => services('root', changes)[1]
  const smtp = (host: string, port: number): Partial<Config> => ({ reinject: { kind: 'smtp', host, port } })
  t.match(back(smtp('127.0.0.1', 10026)), { id: '127.0.0.1:10026/inet' })
  t.match(back(smtp('127.0.0.2', 2525)), { id: '127.0.0.2:2525/inet' })
  const six = back(smtp('::1', 10026))
  t.equal(six?.id, '[::1]:10026/inet')
  t.equal(six?.options.get('mynetworks'), '[::1]/128')
  t.equal(six?.options.get('smtpd_authorized_xforward_hosts'), '[::1]/128')
  t.equal(back(smtp('127.0.0.1', 10026))?.options.get('mynetworks'), '127.0.0.0/8')
  t.equal(back({ reinject: { kind: 'sendmail', path: '/x' } })?.id, '127.0.0.1:10026/inet', 'unused')
  t.end()
})
