import { RowcastError } from 'rowcast'
import type { Permissions, ServerCore, ServerOptions, User } from 'rowcast/server'
import type { HelloMessage, WireChange } from 'rowcast/transport'
import { expect, test } from 'vitest'
import { openServer } from '../../support/sync-world.ts'
import { put, RawClient } from './raw-client.ts'

const HIDDEN = 'hidden-marker'
const everything = { canView: true, canCreate: true, canUpdate: true, canDelete: true }
/** The admin sees and does everything; others see what is no secret, and the layers that are theirs. */
const byWhere: Permissions = {
  layer: { canView: { owner: '$user.id' }, canCreate: true, canUpdate: true, canDelete: true },
  note: { ...everything, canView: { secret: false } },
}
const byFunction: Permissions = {
  layer: {
    ...everything,
    canView: ({ user, row }) => user?.id === 'admin' || (row as { owner?: string }).owner === user?.id,
  },
  note: { ...everything, canView: ({ user, row }) => user?.id === 'admin' || !(row as { secret: boolean }).secret },
}

async function open(permissions: Permissions, options: Partial<ServerOptions> = {}): Promise<ServerCore> {
  return openServer({
    authenticate: ({ token }): User | undefined => (token ? { id: token } : undefined),
    permissions,
    ...options,
  })
}

function enter(core: ServerCore, token: string, hello: Partial<HelloMessage> = {}): Promise<RawClient> {
  return RawClient.enter(core, { token, ...hello })
}

const update = (key: number | string, after: WireChange['after'], table = 'note'): WireChange => ({
  table,
  key,
  op: 'update',
  after: after!,
})
const remove = (key: number): WireChange => ({ table: 'note', key, op: 'delete' })

/** Two that know of each other's commits: what comes after this is told to both. */
async function together(...clients: readonly RawClient[]): Promise<void> {
  for (const client of clients) await client.settled()
}

test.each([
  ['a function', byFunction],
  ['a where', byWhere],
])(
  'what %s hides is in no message: not in rows, commits, what was missed or what is subscribed to',
  async (_name, permissions) => {
    const core = await open(permissions)
    const writer = await enter(core, 'admin')
    await writer.commit([put(1, { slug: `${HIDDEN}-1`, secret: true }), put(2, { slug: 'open' })])
    await writer.commit([{ table: 'layer', key: HIDDEN, op: 'put', after: { id: HIDDEN, owner: 'bob' } }])
    await writer.commit([{ table: 'layer', key: 'mine', op: 'put', after: { id: 'mine', owner: 'ann' } }])

    const ann = await enter(core, 'ann')
    const rows = ann.messages.flatMap((message) => (message.type === 'rows' ? message.rows : []))
    expect(rows.map(([table, key]) => [table, key])).toEqual([
      ['layer', 'mine'],
      ['note', 2],
    ])

    // What no rule lets the writer see it can't change: whoever made a secret by a where has lost it, the function's admin has not.
    await writer.commit([put(3, { slug: `${HIDDEN}-3`, secret: true })], { label: HIDDEN })
    await writer.commit([update(1, { 'text.value': HIDDEN })], { label: HIDDEN })
    await writer.commit([put(4, { slug: 'told' })])
    await together(writer, ann)
    expect(ann.commits).toEqual([
      { changes: [{ table: 'note', key: 4, op: 'put', after: { id: 4, slug: 'told' } }], by: 'admin' },
    ])

    const { position } = ann
    ann.leave()
    await writer.commit([put(5, { slug: `${HIDDEN}-5`, secret: true }), put(6)], { label: HIDDEN })
    await writer.commit([update(3, { size: 3 }), update(6, { 'text.value': 'told' })])
    const again = await enter(core, 'ann', { position })
    expect(again.messages[0]).toMatchObject({ type: 'welcome', reset: false })
    await together(again)
    expect(again.commits).toEqual([
      { changes: [{ table: 'note', key: 6, op: 'put', after: { id: 6, 'text.value': 'told' } }] },
    ])

    again.post({
      type: 'subscribe',
      subscription: { id: 'hidden', sets: [{ table: 'note', where: { slug: { like: '%' } } }, { table: 'layer' }] },
    })
    await again.next('rows')
    again.post({ type: 'unsubscribe', id: 'hidden' })
    again.post({ type: 'unsubscribe', id: 'all' })
    await again.find('unsubscribed', ({ id }) => id === 'all')
    const whole = await enter(core, 'ann', {
      subscriptions: [
        { id: 'a', sets: [{ table: 'note' }] },
        { id: 'b', sets: [{ table: 'layer' }] },
      ],
    })

    for (const client of [ann, again, whole]) for (const text of client.texts) expect(text).not.toContain(HIDDEN)
    for (const client of [ann, again, whole]) for (const text of client.texts) expect(text).not.toContain('"sequence"')
    await core.close()
  },
)

test('a row that becomes invisible leaves as a delete, and one that becomes visible enters whole', async () => {
  const core = await open(byFunction)
  const admin = await enter(core, 'admin')
  const ann = await enter(core, 'ann')
  await admin.commit([put(1, { slug: 'a', size: 3 })])
  await admin.commit([update(1, { secret: true, 'text.value': HIDDEN })])
  await admin.commit([update(1, { slug: `${HIDDEN}-2` })])
  await admin.commit([update(1, { secret: false, slug: 'b', 'text.value': 'c' })])
  await together(admin, ann)
  expect(ann.commits.map(({ changes }) => changes)).toEqual([
    [put(1, { slug: 'a', size: 3 })],
    [remove(1)],
    [put(1, { slug: 'b', size: 3, 'text.value': 'c' })],
  ])
  expect(ann.texts.join('')).not.toContain(HIDDEN)
  const { position } = ann
  await admin.commit([update(1, { secret: true })])
  const again = await enter(core, 'ann', { position })
  expect(await again.next('commits')).toMatchObject({ commits: [{ changes: [remove(1)] }] })
  await core.close()
})

test('one that makes a row invisible to itself sees it leave', async () => {
  const core = await open(byFunction)
  const ann = await enter(core, 'ann')
  await ann.commit([put(1)])
  expect(await ann.commit([update(1, { secret: true })])).toMatchObject({ commits: [{ changes: [remove(1)] }] })
  expect(await ann.commit([put(2, { secret: true })])).toMatchObject({ commits: [{ changes: [] }] })
  await core.close()
})

test('of a transaction of which one part is forbidden nothing is applied, in whatever order', async () => {
  const core = await open({ note: { ...everything, canDelete: false, fields: { text: { canUpdate: false } } } })
  const ann = await enter(core, 'ann')
  await ann.commit([put(1), put(2)])
  for (const forbidden of [
    remove(1),
    update(1, { 'text.value': 'x' }),
    { table: 'layer', key: 'x', op: 'put', after: { id: 'x' } } as const,
  ])
    for (const changes of [
      [forbidden, update(2, { size: 3 })],
      [update(2, { size: 3 }), forbidden],
    ])
      expect(await ann.commit(changes)).toMatchObject({
        type: 'refused',
        code: 'forbidden',
        reason: 'the permissions do not allow this transaction',
      })
  const bob = await enter(core, 'bob')
  expect(bob.messages[1]).toMatchObject({
    rows: [
      ['note', 1, { id: 1 }],
      ['note', 2, { id: 2 }],
    ],
  })
  await core.close()
})

/** Every text that a client gets where a row is hidden, and where there is none, without what differs by nature. */
async function textsOf(
  hidden: readonly WireChange[],
  said: readonly WireChange[][],
  permissions = byFunction,
): Promise<string[]> {
  const core = await open(permissions, permissions === byFunction ? {} : {})
  const admin = await enter(core, 'admin')
  await admin.commit([put(1, { slug: 'seen' }), ...hidden])
  const ann = await enter(core, 'ann')
  for (const [index, changes] of said.entries()) {
    await ann.commit(changes, { id: `t${index}` })
    await ann.commit(
      changes.map((change) => ({ ...change, before: { size: 7 } })),
      { id: `u${index}`, ifUnchanged: true },
    )
  }
  await ann.settled()
  await core.close()
  return ann.texts.map((text) => text.replace(/"position":"[^"]+"|"session":"[^"]+"/g, ''))
}

test('to change or delete a hidden row says the same as where there is none', async () => {
  const said = [
    [update(7, { size: 3 })],
    [remove(7)],
    [update(7, { slug: 9 })],
    [update(7, { nothing: 9 })],
    [remove(7), update(1, { size: 4 })],
  ]
  const there = await textsOf([put(7, { slug: HIDDEN, secret: true })], said)
  expect(there).toEqual(await textsOf([], said))
  expect(there.join('')).not.toContain(HIDDEN)
})

test('what collides with a hidden row is refused in the words of what collides with a seen one', async () => {
  const hidden = [
    put(7, { slug: HIDDEN, secret: true }),
    { table: 'layer', key: HIDDEN, op: 'put', after: { id: HIDDEN, owner: 'bob' } } as const,
  ]
  const core = await open(byFunction)
  const admin = await enter(core, 'admin')
  await admin.commit([put(1, { slug: 'seen' }), put(2), ...hidden])
  const ann = await enter(core, 'ann')
  const answers = []
  for (const change of [
    put(1),
    put(7),
    put(9, { slug: 'seen' }),
    put(9, { slug: HIDDEN }),
    update(2, { slug: HIDDEN }),
    put(9, { layerId: 'nothing' }),
    put(9, { layerId: HIDDEN }),
    update(2, { layerId: HIDDEN }),
  ])
    answers.push(await ann.commit([change]))
  const [{ n: _n, id: _id, ...first }] = answers as unknown as [{ n: number; id: string }]
  for (const answer of answers) expect(answer).toMatchObject(first)
  expect(first).toEqual({ type: 'refused', code: 'constraint', reason: expect.not.stringContaining(HIDDEN) as string })
  for (const text of ann.texts) expect(text).not.toContain(HIDDEN)
  await core.close()
})

test('a rule that throws denies and is reported, and a rule or table that is missing denies', async () => {
  const reported: unknown[] = []
  const failing = new Error('the rule failed')
  const core = await open(
    {
      note: {
        canView: ({ row }) => {
          if ((row as { id: number }).id === 2) throw failing
          return true
        },
        canCreate: true,
        canUpdate: () => {
          throw failing
        },
      },
    },
    { onError: (error) => reported.push(error) },
  )
  const ann = await enter(core, 'ann')
  await ann.commit([put(1), put(2)])
  expect(ann.commits).toMatchObject([{ changes: [{ key: 1 }] }])
  expect(reported).toContain(failing)
  reported.length = 0
  expect(await ann.commit([update(1, { size: 1 })])).toMatchObject({ code: 'forbidden' })
  expect(reported).toContain(failing)
  expect(await ann.commit([remove(1)])).toMatchObject({ code: 'forbidden' })
  expect(await ann.commit([{ table: 'layer', key: 'x', op: 'put', after: { id: 'x' } }])).toMatchObject({
    code: 'forbidden',
  })
  await core.close()
})

test('a where that speaks of what the user has not got denies', async () => {
  const core = await open({ note: { ...everything, canView: { slug: '$user.team' } } })
  const ann = await enter(core, 'ann')
  expect(await ann.commit([put(1)])).toMatchObject({ commits: [{ changes: [] }] })
  await core.close()
})

test.each<[string, string, (() => undefined | Promise<undefined>)[]]>([
  [
    'a token that is none or wrong',
    'unauthenticated',
    [
      () => undefined,
      async () => undefined,
      () => Promise.reject(new RowcastError('unauthenticated', HIDDEN)),
      () => Promise.reject(Object.assign(new Error(HIDDEN), { code: 'ERR_JWT_EXPIRED' })),
    ],
  ],
  [
    'a token that can not be judged now',
    'unavailable',
    [
      () => {
        throw new Error(HIDDEN)
      },
      () => Promise.reject(new TypeError(HIDDEN)),
      () => Promise.reject(Object.assign(new Error(HIDDEN), { code: 'ERR_JWKS_TIMEOUT' })),
      () => Promise.reject(new RowcastError('options', HIDDEN)),
    ],
  ],
])('%s is %s, without saying why', async (_what, code, all) => {
  for (const authenticate of all) {
    const core = await openServer({ authenticate, onError: () => undefined })
    for (const token of [undefined, '', 'wrong']) {
      const client = new RawClient(core)
      client.hello(token === undefined ? {} : { token })
      expect(await client.closing()).toMatchObject({ code })
      expect(client.texts.join('')).not.toContain(HIDDEN)
    }
    await core.close()
  }
})

test('whoever may not open a database is told no more than that', async () => {
  const core = await openServer({ authenticate: () => ({ id: 'ann' }), authorize: () => false })
  const client = new RawClient(core)
  client.hello()
  expect(await client.closing()).toMatchObject({ code: 'forbidden' })
  await core.close()
})

// What is known to be wrong.

test('who may only read does not learn from a refusal whether a hidden row, key or value is there', async () => {
  const readOnly: Permissions = {
    note: { canView: byFunction['note']!.canView!, canCreate: ({ user }) => user?.id === 'admin' },
  }
  const said = [[put(7)], [put(8, { slug: HIDDEN })], [update(1, { slug: HIDDEN })]]
  expect(await textsOf([put(7, { slug: HIDDEN, secret: true })], said, readOnly)).toEqual(
    await textsOf([], said, readOnly),
  )
})

test('what a transaction says to have read does not tell of changes of hidden rows', async () => {
  const core = await open(byFunction)
  const admin = await enter(core, 'admin')
  await admin.commit([put(1), put(7, { secret: true })])
  const ann = await enter(core, 'ann')
  await admin.commit([update(7, { size: 3 })])
  const reads = [{ table: 'note', keys: [7] }]
  const verdict = await ann.commit([update(1, { size: 3 })], { base: ann.position, reads })
  await core.close()
  expect(verdict).toMatchObject({ type: 'commits' })
})

test('who comes back is told nothing where only hidden rows have changed', async () => {
  const core = await open(byFunction)
  const admin = await enter(core, 'admin')
  const ann = await enter(core, 'ann')
  const { position } = ann
  ann.leave()
  await admin.commit([put(7, { secret: true })])
  const again = await enter(core, 'ann', { position })
  await again.settled()
  await core.close()
  expect(again.messages.map(({ type }) => type)).not.toContain('commits')
})

test('positions that are equal or not do not tell whether something hidden has happened', async () => {
  const core = await open(byFunction)
  const admin = await enter(core, 'admin')
  const ann = await enter(core, 'ann')
  const first = ann.position
  await (await enter(core, 'ann')).settled()
  const same = (await enter(core, 'ann')).position === first
  await admin.commit([put(7, { secret: true })])
  const changed = (await enter(core, 'ann')).position === first
  await core.close()
  expect(same).toBe(changed)
})

test('a position from under other rules is not resumed from', async () => {
  const storage: ServerOptions['storage'] = await import('rowcast/server').then(
    ({ memoryLogStorage, memorySnapshotStorage }) => ({
      logs: memoryLogStorage(),
      snapshots: memorySnapshotStorage(),
    }),
  )
  const before = await open({ note: everything }, { storage, secret: 's' })
  const ann = await enter(before, 'ann')
  await ann.commit([put(1, { secret: true })])
  await before.close()
  const { ServerCore } = await import('rowcast/server')
  const { sceneSchema } = await import('../../support/sync-world.ts')
  const after = new ServerCore({
    schema: sceneSchema,
    storage,
    secret: 's',
    authenticate: () => ({ id: 'ann' }),
    permissions: byFunction,
  })
  const again = new RawClient(after)
  again.hello({ position: ann.position })
  const welcome = await again.next('welcome')
  await after.close()
  expect(welcome.reset).toBe(true)
})
