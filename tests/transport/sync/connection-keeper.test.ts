import { Subject } from 'rxjs'
import { afterEach, expect, test, vi } from 'vitest'
import { ConnectionKeeper } from '../../../src/transport/sync/connection-keeper.ts'
import type { Timers } from '../../../src/transport/sync/timers.ts'
import { createTransport, type LinkEvents } from '../../../src/transport/transports/create-transport.ts'

/** Time that a test lets pass, and every pause at its longest. */
class Clock implements Timers {
  now = 0
  #waiting: { readonly at: number; readonly run: () => void }[] = []

  after(ms: number, run: () => void): () => void {
    const one = { at: this.now + ms, run }
    this.#waiting.push(one)
    return () => {
      this.#waiting = this.#waiting.filter((other) => other !== one)
    }
  }

  random(): number {
    return 1
  }

  pass(ms: number): void {
    const end = this.now + ms
    for (;;) {
      const [next] = this.#waiting.toSorted((a, b) => a.at - b.at)
      if (!next || next.at > end) break
      this.#waiting = this.#waiting.filter((other) => other !== next)
      this.now = next.at
      next.run()
    }
    this.now = end
  }
}

/** A keeper whose server a test plays, at one of so many addresses. */
function scene(count = 1) {
  const clock = new Clock()
  const renewed$ = new Subject<void>()
  const opened: number[] = []
  const lost: (string | undefined)[] = []
  let pings = 0
  /** What became of the addresses: how often the next was asked for, and redirects. */
  const turns: string[] = []
  const addresses = {
    count,
    next: () => turns.push('next'),
    redirect: (address: string) => {
      turns.push(address)
      return address.startsWith('ws') ? undefined : 'no address'
    },
  }
  let buffered = 0
  let link: LinkEvents | undefined
  const transport = createTransport((events) => {
    opened.push(clock.now)
    link = events
    return {
      send: () => undefined,
      get buffered() {
        return buffered
      },
      close: () => undefined,
    }
  })
  const user = {
    opened: () => undefined,
    received: () => undefined,
    lost: (reason: string | undefined) => lost.push(reason),
    ping: () => pings++,
  }
  const keeper = new ConnectionKeeper(Object.assign(transport, { renewed$, addresses }), 'db', user, clock)
  keeper.start()
  return {
    clock,
    keeper,
    lost,
    renewed$,
    opened,
    turns,
    get pings() {
      return pings
    },
    welcome: () => {
      link!.opened()
      keeper.welcomed()
    },
    accept: () => link!.opened(),
    redirect: (address = 'ws://x.test') => {
      keeper.redirect(address)
      keeper.reconnect()
    },
    drop: (reason = 'it broke') => link!.closed(reason),
    hear: () => link!.received('a piece'),
    wait: (bytes: number) => {
      buffered = bytes
    },
    /** How long it waits before it tries again. */
    pause: (): number => {
      const count = opened.length
      const since = clock.now
      for (let ms = 0; opened.length === count && ms < 120_000; ms += 10) clock.pass(10)
      return Math.round((opened.at(-1)! - since) / 10) * 10
    },
  }
}

afterEach(() => vi.unstubAllGlobals())

/** What pauses there are while nobody answers. */
function pausesOf({ drop, pause }: ReturnType<typeof scene>, count: number): number[] {
  return Array.from({ length: count }, () => {
    drop()
    return pause()
  })
}

test('a server that is away is looked for four times in a second, and then less and less often', () => {
  const pauses = pausesOf(scene(), 13)
  expect(pauses).toEqual([250, 250, 250, 250, 500, 1000, 2000, 4000, 8000, 16_000, 30_000, 30_000, 30_000])
})

test('a welcome ends the long pauses, however many there were', () => {
  const one = scene()
  pausesOf(one, 9)
  one.welcome()
  expect(pausesOf(one, 3)).toEqual([100, 250, 250])
})

test('a connection that has worked is opened again at once, at some moment of the first tenth of a second', () => {
  const one = scene()
  one.welcome()
  one.clock.pass(10_000)
  one.drop()
  one.clock.pass(0)
  expect(one.opened.length).toBe(1)
  one.clock.pass(100)
  expect(one.opened.length).toBe(2)
})

test('each of several addresses is tried once without a pause, also before any has worked', () => {
  const one = scene(3)
  expect(pausesOf(one, 8)).toEqual([100, 100, 250, 250, 250, 250, 500, 1000])
  one.welcome()
  one.clock.pass(10_000)
  expect(pausesOf(one, 5)).toEqual([100, 100, 100, 250, 250])
})

test('a server that takes connections only to drop them is backed off from, however many addresses there are', () => {
  const one = scene(2)
  const pauses = Array.from({ length: 8 }, () => {
    one.accept()
    one.drop()
    return one.pause()
  })
  expect(pauses).toEqual([100, 250, 250, 250, 250, 500, 1000, 2000])
})

test('a server that can not be reached is passed over where there is another: soon while each is tried, then after ten seconds', () => {
  const one = scene(2)
  for (const [n, ms] of [2_000, 2_000, 10_000, 10_000].entries()) {
    one.clock.pass(ms - 20)
    expect(one.lost.length).toBe(n)
    one.clock.pass(20)
    expect(one.lost.length).toBe(n + 1)
    one.pause()
  }
  expect(one.turns).toEqual(['next', 'next', 'next', 'next'])
  one.welcome()
  one.clock.pass(15_000)
  expect(one.lost.length).toBe(4)
  const alone = scene()
  alone.clock.pass(120_000)
  expect(alone.lost).toEqual([])
})

test('where a server sends us and nobody answers, we come back to the one we know', () => {
  const one = scene()
  one.welcome()
  one.clock.pass(5_000)
  one.redirect()
  one.pause()
  one.clock.pass(2_000)
  expect(one.turns).toEqual(['ws://x.test', 'next'])
})

test('a redirect is followed at once', () => {
  const one = scene()
  one.welcome()
  one.clock.pass(5_000)
  one.redirect()
  expect([one.pause(), one.turns]).toEqual([100, ['ws://x.test']])
  one.drop()
  expect(one.pause()).toBe(250)
})

test('a redirect that is not followed makes nothing faster', () => {
  const one = scene()
  one.redirect('nowhere')
  expect(one.pause()).toBe(250)
})

test.each([
  ['before they welcome', false],
  ['as soon as they have welcomed', true],
])('two servers that send one to each other %s are backed off from after three times', (_when, welcomes) => {
  const one = scene(10)
  const pauses = Array.from({ length: 12 }, () => {
    if (welcomes) one.welcome()
    one.redirect()
    return one.pause()
  })
  expect(pauses.slice(0, 5)).toEqual([100, 100, 100, 250, 250])
  expect(Math.min(...pauses.slice(3))).toBe(250)
  one.welcome()
  one.clock.pass(2_000)
  one.redirect()
  expect(one.pause()).toBe(100)
})

test('kills of a server, one after the other, make no pause longer', () => {
  const one = scene()
  for (let kill = 0; kill < 20; kill++) {
    one.welcome()
    one.clock.pass(2_000)
    one.drop()
    expect(one.pause()).toBe(100)
  }
})

test('a server that welcomes and drops at once is backed off from, until a connection has lasted', () => {
  const one = scene()
  const pauses = Array.from({ length: 8 }, () => {
    one.welcome()
    one.clock.pass(100)
    one.drop()
    return one.pause()
  })
  expect(pauses).toEqual([100, 250, 250, 250, 250, 500, 1000, 2000])
  one.welcome()
  one.clock.pass(2_000)
  one.drop()
  expect(one.pause()).toBe(100)
})

test('a pause that the server has asked for is kept, and makes those that follow no longer', () => {
  const one = scene()
  for (let n = 0; n < 10; n++) {
    one.keeper.reconnect(700)
    expect(one.pause()).toBe(700)
  }
  expect(pausesOf(one, 2)).toEqual([250, 250])
})

test('another way to the server is tried at once, and without what failed on the way before', () => {
  const one = scene()
  pausesOf(one, 11)
  one.drop()
  one.renewed$.next()
  expect(one.opened.at(-1)).toBe(one.clock.now)
  expect(pausesOf(one, 2)).toEqual([250, 250])
})

test('nothing shortens a pause that the server has asked for, but to begin anew', () => {
  const one = scene()
  one.keeper.reconnect(10_000)
  one.renewed$.next()
  one.keeper.wake()
  one.clock.pass(5_000)
  expect(one.opened).toEqual([0])
  one.keeper.restart()
  one.clock.pass(0)
  expect(one.opened).toEqual([0, 5_000])
})

test.each([
  ['a page that is visible', true, 'visibilitychange', 'visible', true],
  ['a page that is hidden', true, 'visibilitychange', 'hidden', false],
  ['a page that is online', true, 'online', 'hidden', true],
  ['a worker that is online', false, 'online', 'visible', true],
] as const)('%s again', (_what, isPage, event, visibilityState, tries) => {
  const [self, document] = [new EventTarget(), Object.assign(new EventTarget(), { visibilityState })]
  vi.stubGlobal('addEventListener', self.addEventListener.bind(self))
  vi.stubGlobal('removeEventListener', self.removeEventListener.bind(self))
  vi.stubGlobal('document', isPage ? document : undefined)
  const one = scene()
  pausesOf(one, 11)
  one.drop()
  const count = one.opened.length
  ;(event === 'online' ? self : document).dispatchEvent(new Event(event))
  expect(one.opened.length).toBe(tries ? count + 1 : count)
  // Connected, it asks whether the server is still there.
  one.keeper.restart()
  one.clock.pass(0)
  one.welcome()
  ;(event === 'online' ? self : document).dispatchEvent(new Event(event))
  expect(one.pings).toBe(tries ? 1 : 0)
  one.keeper.stop()
})

test('a server that says nothing any more is told as that', () => {
  const one = scene()
  one.welcome()
  one.clock.pass(30_000)
  expect(one.lost).toEqual(['the server has fallen silent'])
  expect(one.turns).toEqual(['next'])
})

test('a server that answers nothing of what it was sent is left for another within three seconds, once', () => {
  const one = scene(2)
  one.welcome()
  one.keeper.sent()
  one.clock.pass(1_000)
  expect(one.pings).toBe(1)
  one.keeper.sent()
  one.clock.pass(2_000)
  expect([one.lost, one.turns]).toEqual([['the server has fallen silent'], ['next']])
  // The other is no faster: it is the line.
  one.clock.pass(100)
  one.welcome()
  one.keeper.sent()
  one.clock.pass(25_000)
  expect(one.lost).toHaveLength(1)
  one.hear()
  one.keeper.sent()
  one.clock.pass(3_000)
  expect(one.lost).toHaveLength(2)
})

test.each([
  ['there is no other', 1, 0],
  ['it still takes what waits', 2, 1_000],
])('a server that answers late is not left soon where %s', (_why, count, waiting) => {
  const one = scene(count)
  one.welcome()
  one.wait(waiting)
  one.keeper.sent()
  one.clock.pass(10_000)
  expect(one.lost).toEqual([])
})

test('what is answered in time is not asked about', () => {
  const one = scene(2)
  one.welcome()
  for (let n = 0; n < 20; n++) {
    one.keeper.sent()
    one.clock.pass(900)
    one.hear()
    one.clock.pass(5_000)
  }
  expect([one.lost, one.pings]).toEqual([[], 0])
})

test('whatever comes from a server says that it lives', () => {
  const one = scene()
  one.welcome()
  for (let n = 0; n < 20; n++) {
    one.clock.pass(29_000)
    one.hear()
  }
  expect(one.lost).toEqual([])
})

test('a server that takes what is sent lives, however long that takes', () => {
  const one = scene()
  one.welcome()
  for (let left = 100; left > 0; left--) {
    one.wait(left * 1_000)
    one.clock.pass(25_000)
  }
  expect(one.lost).toEqual([])
  one.wait(0)
  one.clock.pass(60_000)
  expect(one.lost).toEqual(['the server has fallen silent'])
})

test('a server that takes nothing of what waits for a while is given up, also where more comes to wait', () => {
  const one = scene()
  one.welcome()
  for (let n = 1; n <= 55; n++) {
    one.wait(n * 1_000)
    one.clock.pass(1_000)
  }
  expect(one.lost).toEqual(['the server has fallen silent'])
})

test('after a rest it begins when it is told to, and not after the end', () => {
  const one = scene()
  one.welcome()
  one.keeper.rest()
  one.clock.pass(100_000)
  one.keeper.wake()
  expect([one.opened, one.lost]).toEqual([[0], []])
  one.keeper.proceed()
  one.clock.pass(0)
  expect(one.opened).toEqual([0, 100_000])
  one.keeper.stop()
  one.keeper.restart()
  one.clock.pass(100_000)
  expect(one.opened.length).toBe(2)
})
