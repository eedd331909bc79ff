/** Tests of inside.ts: a part of Node or nothing, and never a word about it. */
import t from 'tap'
import { inside } from '../../lib/system/internals.js'

const node = process as unknown as { binding: unknown; noDeprecation?: boolean }

/** What the launcher tells a bundle: that cache.mjs has tried it with this very Node. */
const bundle = globalThis as { TRIED?: boolean }
bundle.TRIED = true

t.test('a part that is there, and one that is not', (t) => {
  t.type(inside<{ TCP: unknown }>('tcp_wrap')?.TCP, 'function')
  t.equal(inside('no_such_part'), undefined)
  t.end()
})

t.test('a Node that has no way in, or refuses', (t) => {
  const { binding } = node
  t.teardown(() => {
    node.binding = binding
  })
  node.binding = undefined
  t.equal(inside('tcp_wrap'), undefined)
  node.binding = () => {
    throw new Error('No such binding')
  }
  t.equal(inside('tcp_wrap'), undefined)
  t.end()
})

t.test('nothing is said of it, and what others ask for later is', async (t) => {
  const said: string[] = []
  const listen = ({ code, message }: Error & { code?: string }): void => {
    said.push(code ?? message)
  }
  process.on('warning', listen)
  t.teardown(() => process.off('warning', listen))
  inside('crypto')
  t.not(node.noDeprecation, true)
  process.emitWarning('old', 'DeprecationWarning', 'TEST1')
  await new Promise((resolve) => setImmediate(resolve))
  t.strictSame(said, ['TEST1'])
})

t.test('nothing where the installation was not tried', (t) => {
  t.teardown(() => {
    bundle.TRIED = true
  })
  bundle.TRIED = false
  t.equal(inside('tcp_wrap'), undefined)
  delete bundle.TRIED
  t.equal(inside('tcp_wrap'), undefined)
  t.end()
})
