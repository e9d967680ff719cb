import { RowcastError, StoreClosedError } from 'rowcast'
import { createTabs, type TabInfo, type Tabs } from 'rowcast/tabs'
import { filter, firstValueFrom, take, toArray } from 'rxjs'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { TAKEOVER_MS } from '../support/takeover.ts'

interface Calls {
  double(n: number): number
  whoAreYou(): string
  refuse(reason: string): never
  keep(value: unknown): void
}

let name: string
let opened: Tabs<Calls>[]

beforeEach(() => {
  name = crypto.randomUUID()
  opened = []
})

afterEach(() => {
  for (const tabs of opened) tabs.close()
})

function open(options: { term?: number; silenceMs?: number } = {}): Tabs<Calls> {
  const tabs = createTabs<Calls>({ name, ...options })
  opened.push(tabs)
  return tabs
}

function seen(tabs: Tabs<Calls>, test: (present: readonly TabInfo[]) => boolean): Promise<readonly TabInfo[]> {
  return firstValueFrom(tabs.tabs$.pipe(filter(test)))
}

function led(tabs: Tabs<Calls>, leader: Tabs<Calls> | undefined): Promise<string | undefined> {
  return firstValueFrom(tabs.leader$.pipe(filter((id) => id === leader?.id)))
}

describe('the leader', () => {
  test('is the tab that stood first, in the eyes of all', async () => {
    const [a, b, c] = [open(), open(), open()]
    await seen(c, (present) => present.length === 3)
    a.stand()
    await led(a, a)
    b.stand()
    await Promise.all([led(b, a), led(c, a)])
    expect([a, b, c].map((tabs) => tabs.isLeader)).toEqual([true, false, false])
  })

  test('is never a tab that does not stand', async () => {
    const [a, b] = [open(), open()]
    a.stand()
    await led(b, a)
    a.close()
    await led(b, undefined)
    expect(await seen(b, (present) => present.length === 1)).toEqual([
      { id: b.id, visible: true, candidate: false, leader: false },
    ])
    const late = open()
    late.stand()
    await led(b, late)
  })

  test('passes its office to the next candidate by abdicating, and is no candidate after', async () => {
    const [a, b] = [open(), open()]
    a.stand()
    await led(b, a)
    b.stand()
    await seen(a, (present) => present.every(({ candidate }) => candidate))
    a.abdicate()
    expect(a.isLeader).toBe(false)
    await led(a, b)
    expect(b.isLeader).toBe(true)
    const present = await seen(b, (tabs) => tabs.some(({ candidate }) => !candidate))
    expect(present.map(({ id, candidate }) => [id, candidate])).toEqual([
      [a.id, false],
      [b.id, true],
    ])
  })

  test('is followed within a second when it closes', async () => {
    const [a, b] = [open(), open()]
    a.stand()
    await led(b, a)
    b.stand()
    const start = performance.now()
    a.close()
    await led(b, b)
    expect(performance.now() - start).toBeLessThan(TAKEOVER_MS)
  })

  test('steps down when its lock is stolen from it, and stands again', async () => {
    const a = open()
    a.stand()
    await led(a, a)
    const changes = firstValueFrom(a.leader$.pipe(take(3), toArray()))
    const locks = await navigator.locks.query()
    const lock = locks.held?.find((held) => held.name?.includes(name) && held.name.endsWith(':leader'))?.name ?? ''
    await navigator.locks.request(lock, { steal: true }, () => undefined)
    expect(await changes).toEqual([a.id, undefined, a.id])
  })
})

describe('a request', () => {
  test('is answered by whoever provides it, from any tab, the asking one among them', async () => {
    const [a, b] = [open(), open()]
    a.provide('double', (n) => n * 2)
    expect(await b.request('double', 4)).toBe(8)
    expect(await a.request('double', 5)).toBe(10)
  })

  test('waits until someone provides its type', async () => {
    const [a, b] = [open(), open()]
    const answer = a.request('double', 4)
    await seen(a, (present) => present.length === 2)
    b.provide('double', async (n) => n * 2)
    expect(await answer).toBe(8)
  })

  test('goes to the leader where several provide it', async () => {
    const [a, b, c] = [open(), open(), open()]
    for (const tabs of [a, b, c]) tabs.provide('whoAreYou', () => tabs.id)
    b.stand()
    await Promise.all([led(a, b), led(c, b)])
    expect(await Promise.all([a, b, c].map((tabs) => tabs.request('whoAreYou')))).toEqual([b.id, b.id, b.id])
  })

  test('provided while leading waits for a leader and follows the office', async () => {
    const [a, b] = [open(), open()]
    for (const tabs of [a, b]) tabs.provide('whoAreYou', () => tabs.id, { whileLeading: true })
    const first = a.request('whoAreYou')
    b.stand()
    expect(await first).toBe(b.id)
    a.stand()
    await seen(b, (present) => present.every(({ candidate }) => candidate))
    b.abdicate()
    expect(await b.request('whoAreYou')).toBe(a.id)
  })

  test('rejects with the code and message of what the handler threw', async () => {
    const [a, b] = [open(), open()]
    a.provide('refuse', (reason) => {
      throw reason === 'coded' ? new RowcastError('not-today', 'Come back tomorrow') : new Error(reason)
    })
    await expect(b.request('refuse', 'coded')).rejects.toMatchObject({
      name: 'RowcastError',
      code: 'not-today',
      message: 'Come back tomorrow',
    })
    await expect(b.request('refuse', 'plain')).rejects.toMatchObject({ code: 'handler', message: 'plain' })
  })

  test('carries its payload as it was when it was asked, and refuses what cannot travel', async () => {
    const [a, b] = [open(), open()]
    const kept: unknown[] = []
    const payload = { list: [1] }
    const answer = b.request('keep', payload)
    payload.list.push(2)
    a.provide('keep', (value) => void kept.push(value))
    await answer
    expect(kept).toEqual([{ list: [1] }])
    await expect(b.request('keep', () => 1)).rejects.toMatchObject({ code: 'tabs', message: /payload of 'keep'/ })
    expect(() => b.notify('keep', () => 1)).toThrow(RowcastError)
    expect(() => b.broadcast('keep', () => 1)).toThrow(RowcastError)
  })

  test('says of an answer that cannot travel what is wrong', async () => {
    const [a, b] = [createTabs({ name }), createTabs({ name })]
    a.provide('odd', () => () => 1)
    await expect(b.request('odd')).rejects.toMatchObject({ code: 'tabs', message: /answer of 'odd'/ })
    a.close()
    b.close()
  })

  test('is handed to the next provider when the first closes before it has answered', async () => {
    const [a, b, c] = [open(), open(), open()]
    const begun = new Promise<void>((resolve) => {
      a.provide('double', () => (resolve(), new Promise<number>(() => undefined)))
    })
    const answer = c.request('double', 21)
    await begun
    b.provide('double', (n) => n * 2)
    a.close()
    expect(await answer).toBe(42)
  })

  test('is not run twice by a provider that it comes back to', async () => {
    const [a, b, c] = [open(), open(), open()]
    const runs: string[] = []
    let finish: (n: number) => void = () => undefined
    const begun = new Promise<void>((resolve) => {
      a.provide('double', (_, { requestId }) => {
        runs.push(requestId)
        resolve()
        return new Promise<number>((done) => (finish = done))
      })
    })
    const answer = c.request('double', 21)
    await begun
    // As if the requester had given up on the provider and come back to it.
    const channel = new BroadcastChannel(`rowcast-tabs-1:${name}`)
    const [id] = runs
    const resent = {
      from: c.id,
      letters: [
        { to: a.id, message: { kind: 'request', id, type: 'double', payload: 21, oneWay: false } },
        { to: a.id, message: { kind: 'request', id: 'marker', type: 'whoAreYou', payload: undefined, oneWay: true } },
      ],
    }
    // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a BroadcastChannel has none
    channel.postMessage(resent)
    await new Promise<void>((resolve) => {
      a.provide('whoAreYou', () => (resolve(), a.id))
    })
    expect(runs).toHaveLength(1)
    finish(42)
    expect(await answer).toBe(42)
    channel.close()
    b.close()
  })

  test('rejects when its signal aborts and when the tab closes', async () => {
    const a = open()
    const giveUp = new AbortController()
    const first = a.request('double', 1, { signal: giveUp.signal })
    const second = a.request('double', 2)
    giveUp.abort(new Error('no longer needed'))
    await expect(first).rejects.toThrow('no longer needed')
    a.close()
    await expect(second).rejects.toThrow(StoreClosedError)
    await expect(a.request('double', 3)).rejects.toThrow(StoreClosedError)
    expect(() => a.stand()).toThrow(StoreClosedError)
  })

  test('is answered exactly once each, though leaders close one after another', async () => {
    const asking = open()
    const leaders = Array.from({ length: 5 }, () => open())
    const runs = new Map<string, number>()
    const finishing: (() => void)[] = []
    leaders.forEach((tabs) => {
      tabs.stand()
      tabs.provide(
        'double',
        (n, { requestId }) => {
          const run = `${tabs.id} ${requestId}`
          runs.set(run, (runs.get(run) ?? 0) + 1)
          // Some answers are held back until their leader is gone, and never come.
          return n % 3 === 0 && tabs !== leaders.at(-1)
            ? new Promise<number>((resolve) => finishing.push(() => resolve(-1)))
            : n * 2
        },
        { whileLeading: true },
      )
    })
    await seen(asking, (present) => present.length === 6)
    const answers: Promise<number>[] = []
    for (const leader of leaders.slice(0, -1)) {
      await led(asking, leader)
      for (let n = 0; n < 50; n++) answers.push(asking.request('double', answers.length))
      await Promise.any(answers.slice(-3))
      leader.close()
    }
    expect(await Promise.all(answers)).toEqual(answers.map((_, n) => n * 2))
    for (const finish of finishing) finish()
    expect([...runs.values()].every((count) => count === 1)).toBe(true)
  })
})

describe('a leader that says nothing', () => {
  /** A tab that holds the locks and claims to lead, and never answers: as a frozen page. */
  async function frozenLeader(): Promise<() => void> {
    const id = crypto.randomUUID()
    const channel = new BroadcastChannel(`rowcast-tabs-1:${name}`)
    const releases: (() => void)[] = []
    for (const lock of [`tab:${id}`, 'leader'])
      await new Promise<void>((resolve) => {
        navigator.locks
          .request(
            `rowcast-tabs-1:${name}:${lock}`,
            () => new Promise<void>((release) => (releases.push(release), resolve())),
          )
          .catch(() => undefined)
      })
    const state = {
      visible: true,
      candidate: true,
      frozen: false,
      joined: 1,
      epoch: 1,
      since: 1,
      provides: ['whoAreYou'],
    }
    // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a BroadcastChannel has none
    channel.postMessage({ from: id, letters: [{ message: { kind: 'hello', state } }] })
    return () => {
      for (const release of releases) release()
      channel.close()
    }
  }

  test('is replaced within a second of a request, which the new one answers', async () => {
    const [a, b, c] = [open(), open(), open()]
    for (const tabs of [b, c]) tabs.provide('whoAreYou', () => tabs.id, { whileLeading: true })
    await seen(a, (present) => present.length === 3)
    const thaw = await frozenLeader()
    await seen(a, (present) => present.length === 4 && present.some(({ leader }) => leader))
    b.stand()
    c.stand()
    const start = performance.now()
    const answer = await a.request('whoAreYou')
    expect(performance.now() - start).toBeLessThan(TAKEOVER_MS)
    expect([b, c].filter((tabs) => tabs.isLeader).map(({ id }) => id)).toEqual([answer])
    thaw()
  })

  test('is replaced by a candidate that came later and never heard of it', async () => {
    const thaw = await frozenLeader()
    const late = open({ silenceMs: 100 })
    late.stand()
    await led(late, late)
    expect(late.isLeader).toBe(true)
    thaw()
  })
})

describe('notices and broadcasts', () => {
  test('a notice reaches the provider, also one that comes later', async () => {
    const [a, b] = [open(), open()]
    b.notify('keep', 1)
    b.notify('keep', 2)
    const kept: unknown[] = []
    await new Promise<void>((resolve) => {
      a.provide('keep', (value) => void (kept.push(value) === 2 && resolve()))
    })
    expect(kept).toEqual([1, 2])
  })

  test('a broadcast reaches all others in order, in one post for one task', async () => {
    const [a, b, c] = [open(), open(), open()]
    const channel = new BroadcastChannel(`rowcast-tabs-1:${name}`)
    await seen(a, (present) => present.length === 3)
    const heard = [b, c].map((tabs) => firstValueFrom(tabs.messages$('keep').pipe(take(3), toArray())))
    const post = new Promise<number>((resolve) => {
      channel.addEventListener('message', ({ data }: MessageEvent<{ letters: { message: { kind: string } }[] }>) => {
        const count = data.letters.filter(({ message }) => message.kind === 'broadcast').length
        if (count > 0) resolve(count)
      })
    })
    const echoes: unknown[] = []
    a.messages$('keep').subscribe((message) => echoes.push(message))
    for (const n of [1, 2, 3]) a.broadcast('keep', n)
    const expected = [1, 2, 3].map((payload) => ({ from: a.id, payload }))
    expect(await Promise.all(heard)).toEqual([expected, expected])
    expect(await post).toBe(3)
    expect(echoes).toEqual([])
    channel.close()
  })
})

test('tabs of other names are not seen', async () => {
  const [a, b] = [open(), createTabs({ name: `${name}:tab` })]
  a.stand()
  b.stand()
  await Promise.all([led(a, a), firstValueFrom(b.leader$.pipe(filter((id) => id === b.id)))])
  expect(await seen(a, () => true)).toHaveLength(1)
  b.close()
})

test('options that cannot be are refused', () => {
  for (const options of [{ name: '' }, { name, term: -1 }, { name, term: NaN }, { name, silenceMs: 0 }])
    expect(() => createTabs(options)).toThrow(RowcastError)
})
