import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { parseClientMessage, parseServerMessage, PROTOCOL_VERSION } from 'rowcast/transport'
import { describe, expect, test } from 'vitest'
import { clientMessageSchemas, serverMessageSchemas } from '../../../src/transport/protocol/message-schemas.ts'

/** The messages of each version, as a hash of their schemas. */
const HASHES: { readonly [version: number]: string } = {
  1: 'd41625d128a87c04',
  // The same messages, and `$hidden` among the values.
  2: 'd41625d128a87c04',
  3: '41801c9a38f9c6a4',
  4: 'f2b471a3511e630e',
  5: '0867236e747d7d7d',
}

const document = readFileSync(new URL('../../../docs/protocol.md', import.meta.url), 'utf8')
const examples = [...document.matchAll(/```json (client|server)\n([\s\S]*?)```/g)].map(
  ([, side, text]) => [side!, text!, (JSON.parse(text!) as { type: string }).type] as const,
)

test('the messages of a version never change: raise PROTOCOL_VERSION and add its hash here', () => {
  const hash = createHash('sha256')
    .update(JSON.stringify([clientMessageSchemas, serverMessageSchemas]))
    .digest('hex')
    .slice(0, 16)
  expect(hash, 'the messages have changed: raise PROTOCOL_VERSION and add this hash to HASHES').toBe(
    HASHES[PROTOCOL_VERSION],
  )
})

describe('docs/protocol.md', () => {
  test.each(examples)('has a good example of what a %s says: %s', (side, text) => {
    const parse = side === 'client' ? parseClientMessage : parseServerMessage
    expect(() => parse(text)).not.toThrow()
  })

  test('has an example of every message, in its section', () => {
    const types = (side: string): string[] => examples.flatMap(([of, , type]) => (of === side ? [type] : []))
    expect(new Set(types('client'))).toEqual(new Set(Object.keys(clientMessageSchemas)))
    expect(new Set(types('server'))).toEqual(new Set(Object.keys(serverMessageSchemas)))
    for (const [, section, body] of document.matchAll(/\n### (\w+)\n([\s\S]*?)(?=\n##)/g))
      for (const [, text] of body!.matchAll(/```json \w+\n([\s\S]*?)```/g))
        expect((JSON.parse(text!) as { type: string }).type).toBe(section)
  })

  test('is of this version', () => {
    expect(document).toMatch(new RegExp(`^# The sync protocol, version ${PROTOCOL_VERSION}\n`))
  })

  test.each(['RefusalCode', 'ClosingCode'])('lists every %s', (name) => {
    const source = readFileSync(new URL('../../../src/transport/protocol/messages.ts', import.meta.url), 'utf8')
    const [, union] = new RegExp(`export type ${name} =\n((?: {2}\\| '[\\w-]+'\n)+)`).exec(source)!
    for (const [, code] of union!.matchAll(/'([\w-]+)'/g)) expect(document).toContain(`| \`${code}\` |`)
  })
})
