/*
 * The JSON Schemas of the messages, over their JSON text: what JSON has no form for (64-bit integers, bytes, undefined)
 * stands there as `serializeValue` writes it. A change of anything here is a change of the protocol: raise
 * PROTOCOL_VERSION (a test holds a hash of this).
 */

const text = (maxLength: number) => ({ type: 'string', maxLength }) as const
const name = { type: 'string', minLength: 1, maxLength: 256 } as const
const id = { type: 'string', minLength: 1, maxLength: 128 } as const
const count = { type: 'integer', minimum: 0 } as const
const list = (items: object, maxItems?: number) => ({ type: 'array', items, ...(maxItems && { maxItems }) }) as const

const keyPart = {
  anyOf: [
    { type: ['string', 'number', 'boolean'] },
    {
      type: 'object',
      required: ['$bigint'],
      properties: { $bigint: { type: 'string', pattern: '^-?\\d{1,19}$' } },
      additionalProperties: false,
    },
  ],
} as const
const key = { anyOf: [...keyPart.anyOf, { type: 'array', items: keyPart, minItems: 1, maxItems: 16 }] } as const
/** An object as such: one whose property begins with a single `$` stands for another value. */
const cells = { type: 'object', propertyNames: { pattern: '^([^$]|\\$\\$|$)' } } as const

/** An object of exactly these properties; names that end in `?` may be missing. */
function object(properties: { readonly [name: string]: object }): object {
  const entries = Object.entries(properties)
  return {
    type: 'object',
    required: entries.filter(([name]) => !name.endsWith('?')).map(([name]) => name),
    properties: Object.fromEntries(entries.map(([name, schema]) => [name.replace(/\?$/, ''), schema])),
    additionalProperties: false,
  }
}

function message(type: string, properties: { readonly [name: string]: object }): object {
  return object({ type: { const: type }, n: count, ...properties })
}

const change = object({
  table: name,
  key,
  op: { enum: ['put', 'update', 'delete'] },
  'after?': cells,
  'before?': cells,
})
const row = { type: 'array', items: [name, key, cells], minItems: 3, maxItems: 3 } as const
const set = object({ table: name, 'where?': cells })
const subscription = object({ id, sets: list(set, 256) })
const transaction = object({
  id,
  'label?': text(1000),
  changes: list(change),
  'ifUnchanged?': { type: 'boolean' },
  'base?': text(128),
  'reads?': list(object({ table: name, 'keys?': list(key) })),
  'requires?': list(id),
  'schemaVersion?': count,
})
const commit = object({
  'id?': id,
  'label?': text(1000),
  'by?': text(1000),
  'name?': text(1000),
  'changes?': list(change),
})

const keys = list({ type: 'array', items: [name, key], minItems: 2, maxItems: 2 })
/** What either side says of what goes in pieces. */
const transfers = {
  begin: message('begin', { transfer: id, from: count, bytes: count, 'aside?': { type: 'boolean' } }),
  end: message('end', { transfer: id }),
  received: message('received', { transfer: id, pieces: count }),
}

/** What a client may send, by type. */
export const clientMessageSchemas: Readonly<Record<string, object>> = {
  hello: message('hello', {
    protocol: count,
    schemaVersion: count,
    database: name,
    'token?': text(16_384),
    'position?': text(128),
    subscriptions: list(subscription, 256),
    'receiving?': object({ transfer: id, pieces: count }),
    'sending?': id,
  }),
  transact: message('transact', { transactions: list(transaction, 10_000) }),
  subscribe: message('subscribe', { subscription }),
  unsubscribe: message('unsubscribe', { id }),
  presence: message('presence', { state: {} }),
  ping: message('ping', {}),
  ...transfers,
}

/** What a server may send, by type. */
export const serverMessageSchemas: Readonly<Record<string, object>> = {
  welcome: message('welcome', {
    protocol: count,
    session: id,
    reset: { type: 'boolean' },
    'resumes?': { type: 'boolean' },
    'received?': count,
    'user?': text(1000),
    limits: object({ messageBytes: count, transactions: count }),
  }),
  rows: message('rows', {
    'subscription?': id,
    rows: list(row),
    'gone?': keys,
    'position?': text(128),
    'sequence?': count,
  }),
  commits: message('commits', { commits: list(commit), 'position?': text(128), 'sequence?': count }),
  refused: message('refused', { id, code: name, reason: text(100_000) }),
  known: message('known', { id }),
  unsubscribed: message('unsubscribed', {
    id,
    gone: keys,
    position: text(128),
  }),
  presence: message('presence', {
    others: list(object({ session: id, 'user?': text(1000), 'name?': text(1000), state: {} })),
  }),
  live: message('live', {}),
  pong: message('pong', {}),
  closing: message('closing', {
    code: name,
    reason: text(10_000),
    'retryAfterMs?': count,
    'reload?': { type: 'boolean' },
    'redirect?': text(2048),
  }),
  ...transfers,
}
