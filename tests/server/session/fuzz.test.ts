import fc from 'fast-check'
import { formatMessage, type ClientMessage } from 'rowcast/transport'
import { expect, test } from 'vitest'
import { arbitraryClientMessage, arbitraryMutation } from '../../transport/protocol/arbitrary-messages.ts'
import { firstSeed } from '../../support/random.ts'
import { openServer } from '../../support/sync-world.ts'
import { contentOf, helloMessage, put, RawClient } from './raw-client.ts'

const CONNECTIONS = 1_250
const MESSAGES = 8

/** Messages of which most mean something here. */
const meant: fc.Arbitrary<ClientMessage> = fc.oneof(
  arbitraryClientMessage,
  fc.constantFrom<ClientMessage>(
    {
      n: 0,
      type: 'subscribe',
      subscription: { id: 'a', sets: [{ table: 'note', where: { size: { gt: 3 }, slug: 'a' } }] },
    },
    { n: 0, type: 'unsubscribe', id: 'all' },
    { n: 0, type: 'presence', state: { at: [1, 2] } },
    // What these say is refused unless a mutation makes it right, and then a row of another table is written.
    { n: 0, type: 'transact', transactions: [{ id: 'x', changes: [put(1, { slug: 'taken', 'text.value': 'x' })] }] },
    {
      n: 0,
      type: 'transact',
      transactions: [
        {
          id: 'y',
          ifUnchanged: true,
          changes: [{ table: 'note', key: 1, op: 'update', before: { size: 1 }, after: { size: 2 } }],
        },
      ],
    },
    {
      n: 0,
      type: 'transact',
      transactions: [
        { id: 'z', base: 'x', reads: [{ table: 'note' }], changes: [{ table: 'note', key: 1, op: 'delete' }] },
      ],
    },
  ),
)
const mutations = fc.array(arbitraryMutation, { maxLength: 2 })

test(`${CONNECTIONS * MESSAGES} messages that are nearly right harm nobody`, { timeout: 300_000 }, async () => {
  const reported: unknown[] = []
  // Whoever has no token may say what it likes, and change nothing.
  const core = await openServer({
    onError: (error) => reported.push(error),
    authenticate: ({ token }) => ({ id: token === 'good' ? 'good' : 'bad' }),
    permissions: Object.fromEntries(
      ['note', 'layer'].map((table) => {
        const isGood = ({ user }: { user: { id: string } | undefined }): boolean => user?.id === 'good'
        return [table, { canView: true, canCreate: isGood, canUpdate: isGood, canDelete: isGood }]
      }),
    ),
  })
  const good = await RawClient.enter(core, { token: 'good' })
  const said = fc.sample(fc.array(fc.tuple(meant, mutations), { minLength: MESSAGES, maxLength: MESSAGES }), {
    numRuns: CONNECTIONS,
    seed: firstSeed,
  })
  const should: Record<string, unknown> = {}
  const codes = new Set<string>()
  for (const [round, messages] of said.entries()) {
    const bad = new RawClient(core)
    if (round % 10 > 0) bad.hello({ token: 'bad' })
    for (const [message, mutate] of messages) {
      const text = formatMessage({ ...message, n: bad.posted } as ClientMessage)
      const mutated = mutate.reduce((so, one) => one(so), text)
      if (bad.ended) break
      bad.count()
      bad.raw(mutated)
      await Promise.resolve()
    }
    if (round % 5 === 0) {
      await good.commit([put(round, { size: round % 100 })])
      should[`note ${round}`] = { id: round, ...(round % 100 !== 10 && { size: round % 100 }) }
    }
    for (const answer of bad.messages) if ('code' in answer) codes.add(answer.code)
    bad.leave()
  }
  expect(reported, `seed ${firstSeed}`).toEqual([])
  expect(codes).toContain('malformed')
  expect(codes).not.toContain('internal')
  expect(good.messages.filter(({ type }) => type === 'refused' || type === 'closing')).toEqual([])
  expect(await contentOf(core, { ...helloMessage, token: 'good' }), `seed ${firstSeed}`).toEqual(should)
  await core.close()
})
