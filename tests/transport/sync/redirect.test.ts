import { createStore, type SyncStatus } from 'rowcast'
import { memoryTransport, type Accept, type ClosingMessage } from 'rowcast/transport'
import { expect, onTestFinished, test } from 'vitest'
import { ManualTimers } from '../../support/manual-timers.ts'
import { rest } from '../../support/stepped-world.ts'
import { sceneSchema } from '../../support/sync-world.ts'

/** A server that answers each hello with this, and never anything else. */
function closing(message: Omit<ClosingMessage, 'type' | 'n' | 'reason'>): Accept {
  return (connection) => ({
    receive: () => connection.send(JSON.stringify({ type: 'closing', n: 0, reason: 'not here', ...message })),
    closed: () => undefined,
  })
}

/** A client whose server closes so, at one of so many addresses: what becomes of these, and of time. */
async function scene(message: Omit<ClosingMessage, 'type' | 'n' | 'reason'>, count: number | undefined) {
  const pauses: number[] = []
  const turns: string[] = []
  const timers = new ManualTimers()
  const addresses = {
    count: count ?? 1,
    next: () => turns.push('next'),
    redirect: (address: string) => {
      if (!address.startsWith('wss')) return `'${address}' is not encrypted`
      turns.push(address)
      return undefined
    },
  }
  const transport = memoryTransport(closing(message), {
    timers: {
      random: () => 0.5,
      after: (ms, run) => {
        pauses.push(ms)
        return timers.after(ms, run)
      },
    },
  })
  const store = await createStore({
    schema: sceneSchema,
    sync: { database: 'scene', transport: Object.assign(transport, count !== undefined && { addresses }) },
  })
  onTestFinished(() => store.close())
  let status: SyncStatus | undefined
  store.sync.status$.subscribe((value) => (status = value))
  await rest()
  return { turns, pause: pauses.at(-1), status }
}

const down = { code: 'shutting-down', retryAfterMs: 500 } as const

test.each([
  ['goes where a server sends it, at once', { ...down, redirect: 'wss://b.test' }, 1, ['wss://b.test'], 50],
  [
    'goes there whatever the reason',
    { code: 'unavailable', retryAfterMs: 9_000, redirect: 'wss://b.test' },
    3,
    ['wss://b.test'],
    50,
  ],
  ['leaves a server that goes down for another address', down, 2, ['next'], 50],
  ['waits for a server that goes down where there is no other', down, 1, ['next'], 500],
  [
    'goes to another, but not at once, where something failed',
    { code: 'internal', retryAfterMs: 500 },
    2,
    ['next'],
    500,
  ],
  ['stays where it was asked to be slower', { code: 'flood', retryAfterMs: 500 }, 2, [], 500],
  ['stays where its token has ended', { code: 'unauthenticated', retryAfterMs: 500 }, 2, [], 500],
] as const)('a client %s', async (_what, message, count, turns, pause) => {
  const one = await scene(message, count)
  expect(one).toMatchObject({ turns, pause, status: { state: 'offline', code: message.code, reason: 'not here' } })
})

test('a redirect that is not followed is told, and all else is as without it', async () => {
  const one = await scene({ ...down, redirect: 'ws://b.test' }, 2)
  expect(one).toMatchObject({
    turns: ['next'],
    pause: 50,
    status: { state: 'offline', reason: "not here (not redirected: 'ws://b.test' is not encrypted)" },
  })
})

test('a transport that goes to one place only is not redirected, and says so', async () => {
  const one = await scene({ ...down, redirect: 'wss://b.test' }, undefined)
  expect(one).toMatchObject({
    pause: 500,
    status: { reason: 'not here (not redirected: this transport goes to one place only)' },
  })
})

test('what was judged and refused is final, also with a redirect', async () => {
  const one = await scene({ code: 'forbidden', redirect: 'wss://b.test' }, 2)
  expect(one).toMatchObject({ turns: [], status: { state: 'closed', code: 'forbidden' } })
})
