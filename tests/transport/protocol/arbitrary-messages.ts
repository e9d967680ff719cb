import fc from 'fast-check'
import type {
  ClientMessage,
  ServerMessage,
  WireChange,
  WireCommit,
  WireSubscription,
  WireTransaction,
} from 'rowcast/transport'
import type { Cells, Key } from '../../../src/changes/index.ts'
import { arbitraryValue } from '../../support/arbitrary-changes.ts'

const n = fc.nat()
const name = fc.string({ unit: 'binary', minLength: 1, maxLength: 5 })
const id = fc.string({ minLength: 1, maxLength: 5 })
const text = fc.string({ unit: 'binary', maxLength: 5 })
const keyPart = fc.oneof(
  text,
  fc.double({ noNaN: true, noDefaultInfinity: true }).filter((value) => !Object.is(value, -0)),
  fc.boolean(),
  fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }),
)
const key: fc.Arbitrary<Key> = fc.oneof(keyPart, fc.array(keyPart, { minLength: 1, maxLength: 3 }))
const path = fc.constantFrom('id', 'text.value', '__proto__', 'toString', '', '$', '$bigint', '$$x')
const cells: fc.Arbitrary<Cells> = fc
  .array(fc.tuple(path, arbitraryValue), { maxLength: 3 })
  .map((entries) => Object.fromEntries(entries))
const where = fc.array(fc.tuple(path, arbitraryValue), { maxLength: 2 }).map((entries) => Object.fromEntries(entries))

function list<Item>(item: fc.Arbitrary<Item>): fc.Arbitrary<Item[]> {
  return fc.array(item, { maxLength: 3 })
}

const change: fc.Arbitrary<WireChange> = fc.record(
  { table: name, key, op: fc.constantFrom('put', 'update', 'delete'), after: cells, before: cells },
  { requiredKeys: ['table', 'key', 'op'] },
)
const subscription: fc.Arbitrary<WireSubscription> = fc.record({
  id,
  sets: list(fc.record({ table: name, where }, { requiredKeys: ['table'] })),
})
const transaction: fc.Arbitrary<WireTransaction> = fc.record(
  {
    id,
    label: text,
    changes: list(change),
    ifUnchanged: fc.boolean(),
    base: text,
    reads: list(fc.record({ table: name, keys: list(key) }, { requiredKeys: ['table'] })),
  },
  { requiredKeys: ['id', 'changes'] },
)
const commit: fc.Arbitrary<WireCommit> = fc.record(
  { id, label: text, by: text, name: text, changes: list(change) },
  { requiredKeys: [] },
)

/** Any message of a client. */
export const arbitraryClientMessage: fc.Arbitrary<ClientMessage> = fc.oneof(
  fc.record(
    {
      type: fc.constant('hello' as const),
      n,
      protocol: fc.nat(),
      schemaVersion: fc.nat(),
      database: name,
      token: text,
      position: text,
      subscriptions: list(subscription),
    },
    { requiredKeys: ['type', 'n', 'protocol', 'schemaVersion', 'database', 'subscriptions'] },
  ),
  fc.record({ type: fc.constant('transact' as const), n, transactions: list(transaction) }),
  fc.record({ type: fc.constant('subscribe' as const), n, subscription }),
  fc.record({ type: fc.constant('unsubscribe' as const), n, id }),
  fc.record({ type: fc.constant('presence' as const), n, state: arbitraryValue }),
  fc.record({ type: fc.constant('ping' as const), n }),
)

/** Any message of a server. */
export const arbitraryServerMessage: fc.Arbitrary<ServerMessage> = fc.oneof(
  fc.record({
    type: fc.constant('welcome' as const),
    n,
    protocol: fc.nat(),
    session: id,
    reset: fc.boolean(),
    limits: fc.record({ messageBytes: fc.nat(), transactions: fc.nat() }),
  }),
  fc.record(
    {
      type: fc.constant('rows' as const),
      n,
      subscription: id,
      rows: list(fc.tuple(name, key, cells)),
      position: text,
      sequence: fc.nat(),
    },
    { requiredKeys: ['type', 'n', 'rows'] },
  ),
  fc.record(
    { type: fc.constant('commits' as const), n, commits: list(commit), position: text, sequence: fc.nat() },
    { requiredKeys: ['type', 'n', 'commits', 'position'] },
  ),
  fc.record({ type: fc.constant('refused' as const), n, id, code: fc.constant('conflict' as const), reason: text }),
  fc.record({ type: fc.constant('known' as const), n, id }),
  fc.record({ type: fc.constant('unsubscribed' as const), n, id, gone: list(fc.tuple(name, key)), position: text }),
  fc.record({
    type: fc.constant('presence' as const),
    n,
    others: list(fc.record({ session: id, user: text, state: arbitraryValue }, { requiredKeys: ['session', 'state'] })),
  }),
  fc.record({ type: fc.constant('pong' as const), n }),
  fc.record(
    {
      type: fc.constant('closing' as const),
      n,
      code: fc.constant('flood' as const),
      reason: text,
      retryAfterMs: fc.nat(),
      reload: fc.boolean(),
    },
    { requiredKeys: ['type', 'n', 'code', 'reason'] },
  ),
)

/** A text that was a message, with something done to it. */
export const arbitraryMutation: fc.Arbitrary<(text: string) => string> = fc.oneof(
  fc.tuple(fc.nat(), fc.nat(20), fc.string({ maxLength: 3 })).map(([at, length, into]) => (text: string) => {
    const from = at % (text.length + 1)
    return text.slice(0, from) + into + text.slice(from + length)
  }),
  fc
    .tuple(fc.nat(), fc.oneof(fc.json({ maxDepth: 2 }), fc.constantFrom('1e999', '-0', '{"$bigint":"7"}', '[[[]]]')))
    .map(([which, value]) => (text: string) => {
      const places = [...text.matchAll(/"(?:[^"\\]|\\.)*"(?!:)|(?<=:)\d+|true|false|\{\}|\[\]/g)]
      const place = places[which % Math.max(places.length, 1)]
      return place ? text.slice(0, place.index) + value + text.slice(place.index + place[0].length) : text
    }),
  fc.nat().map((which) => (text: string) => {
    const names = [...text.matchAll(/"\w+":/g)]
    const name = names[which % Math.max(names.length, 1)]
    return name ? `${text.slice(0, name.index)}"__proto__":${text.slice(name.index + name[0].length)}` : text
  }),
)
