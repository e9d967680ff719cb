import { createTabs, type Tabs } from 'rowcast/tabs'
import { filter, firstValueFrom } from 'rxjs'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'

let name: string
let opened: Tabs[]

beforeEach(() => {
  name = crypto.randomUUID()
  opened = []
})

afterEach(() => {
  vi.useRealTimers()
  vi.restoreAllMocks()
  for (const tabs of opened) tabs.close()
})

function open(silenceMs: number): Tabs {
  const tabs = createTabs({ name, silenceMs })
  opened.push(tabs)
  return tabs
}

async function led(tabs: Tabs, leader: Tabs): Promise<void> {
  await firstValueFrom(tabs.leader$.pipe(filter((id) => id === leader.id)))
}

type Request = (name: string, options: LockOptions, granted: LockGrantedCallback<unknown>) => Promise<unknown>

/** Of the platform's. */
function locks(): { request: Request; query: () => Promise<LockManagerSnapshot> } {
  return { request: navigator.locks.request.bind(navigator.locks), query: navigator.locks.query.bind(navigator.locks) }
}

function nextTask(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve))
}

describe('a tab that slept', () => {
  test('does not take an office that it was given and lost meanwhile: who leads is disturbed by nothing', async () => {
    const [a, sleeper, c] = [open(40), open(60_000), open(40)]
    a.stand()
    await Promise.all([a, sleeper, c].map((tabs) => led(tabs, a)))
    // What a page that sleeps is told it hears when it wakes, in its order, each in a task of its own.
    const { promise: woken, resolve: wake } = Promise.withResolvers<void>()
    const { request, query } = locks()
    const requested = vi.spyOn(navigator.locks, 'request') as unknown as ReturnType<typeof vi.fn<Request>>
    requested.mockImplementationOnce((lock, options, granted) => {
      const { promise, resolve, reject } = Promise.withResolvers<unknown>()
      request(lock, options, async (held) => {
        await woken
        return granted(held)
      }).then(resolve, async (error: unknown) => {
        await woken
        await nextTask()
        reject(error)
      })
      return promise
    })
    sleeper.stand()
    vi.spyOn(navigator.locks, 'query').mockImplementation(async () => {
      const answer = await query()
      await nextTask()
      await nextTask()
      return answer
    })
    c.stand()
    await firstValueFrom(a.tabs$.pipe(filter((tabs) => tabs.every(({ candidate }) => candidate))))
    a.close()
    await led(c, c)
    const leaders: (string | undefined)[] = []
    c.leader$.subscribe((leader) => leaders.push(leader))
    const before = requested.mock.calls.length
    wake()
    await expect
      .poll(() => requested.mock.calls.slice(before).map(([lock]) => lock.endsWith(':leader')))
      .toContain(true)
    sleeper.provide('here', () => undefined)
    await c.request('here')
    expect(leaders).toEqual([c.id])
    c.close()
    await led(sleeper, sleeper)
  })

  test('passes nobody over before it has heard who is there', async () => {
    const a = open(40)
    a.stand()
    await led(a, a)
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
    const { promise: awake, resolve: wake } = Promise.withResolvers<void>()
    const { query } = locks()
    vi.spyOn(navigator.locks, 'query').mockImplementationOnce(async () => {
      await awake
      return query()
    })
    const requested = vi.spyOn(navigator.locks, 'request')
    const late = open(40)
    // It has not even been told yet that it is among them.
    late.stand()
    vi.advanceTimersByTime(10_000)
    expect(requested.mock.calls.map(([, options]) => (options as LockOptions).steal)).not.toContain(true)
    vi.useRealTimers()
    wake()
    await led(late, a)
    expect(a.isLeader).toBe(true)
  })

  test('looks again whether somebody leads before it passes over whoever does not say so', async () => {
    const { promise: taken, resolve: take } = Promise.withResolvers<void>()
    const { request } = locks()
    const held = request(`rowcast-tabs-1:${name}:leader`, {}, () => (take(), new Promise(() => undefined)))
    const ended = Promise.allSettled([held])
    await taken
    const waits = open(400)
    // It has looked up who is there.
    waits.provide('here', () => undefined)
    await waits.request('here')
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] })
    const now = performance.now.bind(performance)
    let sleptMs = 0
    vi.spyOn(performance, 'now').mockImplementation(() => now() + sleptMs)
    const requested = vi.spyOn(navigator.locks, 'request')
    const steals = (): number => requested.mock.calls.filter(([, options]) => (options as LockOptions).steal).length
    waits.stand()
    sleptMs = 150
    vi.advanceTimersByTime(400)
    expect(steals()).toBe(0)
    vi.advanceTimersByTime(400)
    expect(steals()).toBe(1)
    expect(await ended).toMatchObject([{ status: 'rejected', reason: { name: 'AbortError' } }])
  })
})
