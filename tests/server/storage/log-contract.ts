import fc from 'fast-check'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { NotFoundError, RowcastError, StoreClosedError } from 'rowcast'
import { digestOf } from '../../../src/server/digest.ts'
import { LogConflictError, LogPartedError } from '../../../src/server/log-errors.ts'
import type { Log, LogEntry, LogStorage } from '../../../src/server/log.ts'
import { runAppender, type AppenderScript } from './run-appender.ts'

/** One place for logs, empty at first. */
export interface LogHarness {
  /** Opens the place, again each time: what a process that starts there sees. */
  storage(): LogStorage
  /** A program that calls `appendLoop` on the log of `shared` in this place. Without it nothing survives the process. */
  readonly appender?: AppenderScript
  /** Frees the place. */
  dispose(): Promise<void>
}

/** What every implementation of `LogStorage` and `Log` keeps. */
export function runLogContract(name: string, make: () => Promise<LogHarness>): void {
  describe(`the log contract on ${name}`, () => {
    let harness: LogHarness
    let open: Log[]

    beforeEach(async () => {
      harness = await make()
      open = []
    })
    afterEach(async () => {
      await Promise.all(open.map((log) => log.close()))
      await harness.dispose()
    })

    async function openLog(database = 'plan', start?: number): Promise<Log> {
      const log = await harness.storage().open(database, { create: true, ...(start === undefined ? {} : { start }) })
      open.push(log)
      return log
    }

    test('a new log is empty, and its first entry will be 1', async () => {
      const log = await openLog()
      expect(await log.bounds()).toEqual({ first: 1, last: 0 })
      expect(await readAll(log, 1)).toEqual([])
    })

    test('entries are read in order, as they were appended', async () => {
      const log = await openLog()
      await log.append(['a', '', '{"é":"😀\\u0000"}'], 0)
      await log.append(['x'.repeat(3_000_000)], 3)
      expect(await log.bounds()).toEqual({ first: 1, last: 4 })
      expect(await readAll(log, 1)).toEqual(['a', '', '{"é":"😀\\u0000"}', 'x'.repeat(3_000_000)].map(asEntry))
    })

    test('a read begins at its number and ends at its limit', async () => {
      const log = await openLog()
      await log.append(numbered(1, 5), 0)
      expect((await readAll(log, 2, 2)).map(({ sequence }) => sequence)).toEqual([2, 3])
      expect((await readAll(log, 4, 9)).map(({ sequence }) => sequence)).toEqual([4, 5])
      expect(await readAll(log, 2, 0)).toEqual([])
      expect(await readAll(log, 6)).toEqual([])
      expect(await readAll(log, 60)).toEqual([])
    })

    test('a read ends where the log ended when it began', async () => {
      const log = await openLog()
      await log.append(numbered(1, 2), 0)
      const seen: number[] = []
      for await (const { sequence } of log.read(1)) {
        seen.push(sequence)
        await log.append(['more'], (await log.bounds()).last)
      }
      expect(seen).toEqual([1, 2])
      expect(await log.bounds()).toEqual({ first: 1, last: 4 })
    })

    test('a long log is read whole, by two readers at once', async () => {
      const log = await openLog()
      for (let last = 0; last < 5_000; last += 1_000) await log.append(numbered(last + 1, 1_000), last)
      const [one, other] = await Promise.all([readAll(log, 1), readAll(log, 2_500)])
      expect(one.map(({ sequence }) => sequence)).toEqual(Array.from({ length: 5_000 }, (_, n) => n + 1))
      expect(other).toEqual(one.slice(2_499))
    })

    test('a reader may stop early and another begin', async () => {
      const log = await openLog()
      await log.append(numbered(1, 10), 0)
      for await (const { sequence } of log.read(1)) if (sequence === 3) break
      await log.append(['more'], 10)
      expect(await readAll(log, 11)).toEqual([{ sequence: 11, payload: 'more' }])
    })

    test('an append that expects another last entry is a conflict and appends nothing', async () => {
      const log = await openLog()
      await log.append(numbered(1, 2), 0)
      for (const expected of [0, 1, 3, -1, 1.5, Number.NaN]) {
        const error = await failure(log.append(['no', 'no'], expected))
        expect(error).toBeInstanceOf(LogConflictError)
        expect(error).toMatchObject({ code: 'log-conflict', expected, last: 2 })
      }
      await expect(log.append([], 1)).rejects.toBeInstanceOf(LogConflictError)
      await log.append([], 2)
      expect(await readAll(log, 1)).toEqual(numbered(1, 2).map(asEntry))
    })

    test('an append that tells another history than the log has is refused, and appends nothing', async () => {
      const log = await openLog()
      await log.append(numbered(1, 2), 0)
      const parted = [
        log.append(['no'], 2, digestOf('other')),
        log.append([], 2, digestOf('1')),
        log.append(['no'], 3, digestOf('2')),
      ]
      for (const append of parted) expect(await failure(append)).toBeInstanceOf(LogPartedError)
      expect(await failure(log.append(['no'], 1, digestOf('1')))).toBeInstanceOf(LogConflictError)
      await Promise.all([log.append(['3'], 2, digestOf('2')), log.append(['4'], 3, digestOf('3'))])
      await log.append([], 4, digestOf('4'))
      expect(await readAll(log, 1)).toEqual(numbered(1, 4).map(asEntry))
      await log.trim(5)
      await log.append(['5'], 4, digestOf('of what is not there any more'))
      expect(await failure(log.append(['no'], 5, digestOf('other')))).toBeInstanceOf(LogPartedError)
    })

    test('text that is not well-formed is refused with everything that was to be appended with it', async () => {
      const log = await openLog()
      const error = await failure(log.append(['good', '\ud800'], 0))
      expect(error).toBeInstanceOf(RowcastError)
      expect(error).toMatchObject({ code: 'log-payload' })
      expect(await log.bounds()).toEqual({ first: 1, last: 0 })
    })

    test('of appends at once that expect the same entry exactly one wins each number', async () => {
      const storages = [harness.storage(), harness.storage()]
      const logs = await Promise.all(
        [0, 1, 2, 3].map((n) => storages[n % storages.length]!.open('plan', { create: true })),
      )
      open.push(...logs)
      for (let round = 0; round < 10; round += 1) {
        const results = await Promise.allSettled(logs.map((log, n) => log.append([`${round} by ${n}`], round)))
        const winners = results.flatMap(({ status }, n) => (status === 'fulfilled' ? [n] : []))
        const reasons = results.filter((result) => result.status === 'rejected').map(({ reason }): unknown => reason)
        expect(winners).toHaveLength(1)
        expect(reasons.every((reason) => reason instanceof LogConflictError)).toBe(true)
        for (const log of logs) {
          expect(await readAll(log, round + 1)).toEqual([{ sequence: round + 1, payload: `${round} by ${winners[0]}` }])
        }
      }
    })

    test('who makes a log at once with others has the same log as they', async () => {
      const logs = await Promise.all(
        Array.from({ length: 5 }, (_, start) => harness.storage().open('plan', { create: true, start })),
      )
      open.push(...logs)
      const bounds = await Promise.all(logs.map((log) => log.bounds()))
      const { last } = bounds[0]!
      expect(bounds).toEqual(logs.map(() => ({ first: last + 1, last })))
      await logs[0]!.append(['one'], last)
      for (const log of logs) expect(await readAll(log, last + 1)).toEqual([{ sequence: last + 1, payload: 'one' }])
    })

    test('appends in a row need not wait for each other', async () => {
      const log = await openLog()
      await Promise.all([0, 1, 2, 3].map((last) => log.append([`${last + 1}`], last)))
      expect(await readAll(log, 1)).toEqual(['1', '2', '3', '4'].map(asEntry))
    })

    test('a trim drops what lies before it, and a read from there says so', async () => {
      const log = await openLog()
      await log.append(numbered(1, 5), 0)
      await log.trim(4)
      expect(await log.bounds()).toEqual({ first: 4, last: 5 })
      for (const from of [3, 0, -1]) expect(await failure(readAll(log, from))).toBeInstanceOf(NotFoundError)
      expect((await readAll(log, 4)).map(({ payload }) => payload)).toEqual(['4', '5'])
      await log.trim(2)
      await log.trim(0)
      expect(await log.bounds()).toEqual({ first: 4, last: 5 })
    })

    test('the bytes of entries are those of their text in UTF-8, of those that are there', async () => {
      const log = await openLog()
      await log.append(['a', '', 'é', '😀\0x', 'x'.repeat(3_000_000)], 0)
      expect(await log.bytes(1, 4)).toBe(1 + 0 + 2 + 6)
      expect(await log.bytes(3, 3)).toBe(2)
      expect(await log.bytes(4, 5)).toBe(3_000_006)
      expect(await log.bytes(0, 99)).toBe(3_000_009)
      for (const [from, to] of [
        [3, 2],
        [6, 9],
        [-1, 0],
      ] as const)
        expect(await log.bytes(from, to)).toBe(0)
      await log.trim(4)
      expect(await log.bytes(1, 3)).toBe(0)
      expect(await log.bytes(1, 4)).toBe(6)
      await log.append(['yz'], 5)
      expect(await log.bytes(5, 6)).toBe(3_000_002)
    })

    test('the bytes of a long log are those of all its entries', async () => {
      const log = await openLog()
      for (let last = 0; last < 5_000; last += 1_000) await log.append(numbered(last + 1, 1_000), last)
      expect(await log.bytes(1, 5_000)).toBe(9 + 90 * 2 + 900 * 3 + 4_001 * 4)
      expect(await log.bytes(999, 4_001)).toBe(3 + 3_002 * 4)
    })

    test('a log that is trimmed to nothing keeps its last number, also when it is opened again', async () => {
      const log = await openLog()
      await log.append(numbered(1, 5), 0)
      await log.trim(100)
      expect(await log.bounds()).toEqual({ first: 6, last: 5 })
      await log.close()
      const again = await openLog()
      expect(await again.bounds()).toEqual({ first: 6, last: 5 })
      expect(await readAll(again, 6)).toEqual([])
      await expect(again.append(['no'], 0)).rejects.toBeInstanceOf(LogConflictError)
      await again.append(['6'], 5)
      expect(await readAll(again, 6)).toEqual([{ sequence: 6, payload: '6' }])
    })

    test('a read that is overtaken by a trim fails and skips nothing', async () => {
      const log = await openLog()
      await log.append(numbered(1, 5_000), 0)
      const seen: number[] = []
      const error = await failure(
        (async () => {
          for await (const { sequence } of log.read(1)) {
            seen.push(sequence)
            if (sequence === 10) await log.trim(4_900)
          }
        })(),
      )
      expect(seen).toEqual(Array.from({ length: seen.length }, (_, n) => n + 1))
      expect(seen.length).toBeLessThan(4_900)
      expect(error).toBeInstanceOf(NotFoundError)
    })

    test('a trim of something that is no number changes nothing', async () => {
      const log = await openLog()
      await log.append(numbered(1, 2), 0)
      for (const before of [-1, 1.5, Number.NaN, Infinity]) {
        expect(await failure(log.trim(before))).toBeInstanceOf(RowcastError)
      }
      expect(await log.bounds()).toEqual({ first: 1, last: 2 })
    })

    test('a log can begin after a number', async () => {
      const log = await openLog('fork', 41)
      expect(await log.bounds()).toEqual({ first: 42, last: 41 })
      expect(await failure(readAll(log, 41))).toBeInstanceOf(NotFoundError)
      await log.append(['42'], 41)
      await log.close()
      const again = await openLog('fork', 7)
      expect(await again.bounds()).toEqual({ first: 42, last: 42 })
    })

    test('a start that is no number makes no log', async () => {
      for (const start of [-1, 0.5, Number.NaN, 2 ** 53]) {
        expect(await failure(openLog('fork', start))).toBeInstanceOf(RowcastError)
      }
      expect(await harness.storage().list()).toEqual([])
    })

    test('a log that is opened again has what was appended', async () => {
      const log = await openLog()
      await log.append(numbered(1, 3), 0)
      await log.close()
      await log.close()
      const again = await harness.storage().open('plan')
      open.push(again)
      expect(await readAll(again, 1)).toEqual(numbered(1, 3).map(asEntry))
    })

    test('a log that is not there is only made if asked for', async () => {
      expect(await failure(harness.storage().open('plan'))).toBeInstanceOf(NotFoundError)
      expect(await harness.storage().list()).toEqual([])
      await openLog()
      expect(await harness.storage().list()).toEqual(['plan'])
    })

    test('a closed log refuses every call', async () => {
      const log = await openLog()
      await log.append(numbered(1, 3), 0)
      await log.close()
      const calls = [
        () => log.bounds(),
        () => log.append(['no'], 3),
        () => readAll(log, 1),
        () => log.bytes(1, 1),
        () => log.trim(1),
      ]
      for (const call of calls) expect(await failure(call())).toBeInstanceOf(StoreClosedError)
    })

    test('logs are listed by name and do not know each other', async () => {
      const names = ['b', 'a.b-c_D', 'B2', '9', 'x'.repeat(128), '-', '_', 'log.db', 'snapshots']
      for (const name of names) await (await openLog(name)).append([name], 0)
      expect(await harness.storage().list()).toEqual(names.toSorted())
      for (const name of names) expect(await readAll(await openLog(name), 1)).toEqual([{ sequence: 1, payload: name }])
    })

    test('a name that could lead elsewhere is refused', async () => {
      const storage = harness.storage()
      for (const name of ['', '.', '..', '.a', 'a/b', '../a', 'a\\b', 'a b', 'é', 'a\n', 'a\0', 'x'.repeat(129)]) {
        for (const call of [() => storage.open(name, { create: true }), () => storage.delete(name)]) {
          expect(await failure(call())).toMatchObject({ code: 'database-name' })
        }
      }
      expect(await storage.list()).toEqual([])
    })

    test('a deleted log is gone, and one of its name begins anew', async () => {
      const storage = harness.storage()
      const log = await storage.open('plan', { create: true })
      open.push(log)
      await log.append(numbered(1, 3), 0)
      await (await openLog('other')).append(['kept'], 0)
      expect(await failure(storage.delete('plan'))).toMatchObject({ code: 'log-in-use' })
      expect(await readAll(log, 1)).toHaveLength(3)
      await log.close()
      await storage.delete('plan')
      await storage.delete('plan')
      expect(await storage.list()).toEqual(['other'])
      expect(await (await openLog()).bounds()).toEqual({ first: 1, last: 0 })
    })

    test('any calls in any order give what they give on a plain array', async () => {
      await fc.assert(
        fc.asyncProperty(fc.nat(5), fc.array(step, { maxLength: 20 }), async (start, steps) => {
          const place = await make()
          try {
            await followModel(place, start, steps)
          } finally {
            await place.dispose()
          }
        }),
        { numRuns: 40 },
      )
    })

    test('what a killed process had appended is there, without gaps', async (context) => {
      const { appender } = harness
      if (!appender) return context.skip('this storage does not outlive its process')
      const reported = [await runAppender(appender, 'one', { killAfter: 40 })]
      reported.push(await runAppender(appender, 'other', { killAfter: 40 }))
      const entries = await readAll(await openLog('shared'), 1)
      expect(entries.map(({ sequence }) => sequence)).toEqual(entries.map((_, n) => n + 1))
      for (const entry of reported.flat()) expect(entries[entry.sequence - 1]).toEqual(entry)
    })

    test('of two processes that append to one log exactly one wins each number', async (context) => {
      const { appender } = harness
      if (!appender) return context.skip('this storage does not outlive its process')
      const [one, other] = await Promise.all(['one', 'other'].map((tag) => runAppender(appender, tag, { until: 200 })))
      const reported = [...one!, ...other!].toSorted((a, b) => a.sequence - b.sequence)
      expect(reported.length).toBeGreaterThanOrEqual(200)
      expect(await readAll(await openLog('shared'), 1)).toEqual(reported)
    })
  })
}

type Step =
  | { readonly do: 'append'; readonly payloads: readonly string[]; readonly off: number }
  | { readonly do: 'trim'; readonly before: number }
  | { readonly do: 'read'; readonly from: number; readonly limit: number | undefined }
  | { readonly do: 'reopen' }

const payloads = fc.array(fc.string({ unit: 'binary' }), { maxLength: 4 })
const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 4, arbitrary: fc.record({ do: fc.constant('append' as const), payloads, off: fc.constant(0) }) },
  fc.record({ do: fc.constant('append' as const), payloads, off: fc.integer({ min: -2, max: 2 }) }),
  fc.record({ do: fc.constant('trim' as const), before: fc.nat(30) }),
  fc.record({ do: fc.constant('read' as const), from: fc.nat(30), limit: fc.option(fc.nat(5), { nil: undefined }) }),
  fc.record({ do: fc.constant('reopen' as const) }),
)

async function followModel(place: LogHarness, start: number, steps: readonly Step[]): Promise<void> {
  /** At `sequence`; what was trimmed is undefined, as is what came before the start. */
  const model: (string | undefined)[] = Array.from({ length: start + 1 })
  let first = start + 1
  let log = await place.storage().open('model', { create: true, start })
  for (const now of steps) {
    const last = model.length - 1
    if (now.do === 'append') {
      const appended = log.append(now.payloads, last + now.off)
      if (now.off === 0) {
        await appended
        model.push(...now.payloads)
      } else expect(await failure(appended)).toBeInstanceOf(LogConflictError)
    } else if (now.do === 'trim') {
      await log.trim(now.before)
      first = Math.max(first, Math.min(now.before, last + 1))
      model.fill(undefined, 0, first)
    } else if (now.do === 'read') {
      const read = readAll(log, now.from, now.limit)
      if (now.from < first) expect(await failure(read)).toBeInstanceOf(NotFoundError)
      else {
        const end = now.limit === undefined ? undefined : now.from + now.limit
        const expected = model.slice(now.from, end).map((payload, n) => ({ sequence: now.from + n, payload }))
        expect(await read).toEqual(expected)
      }
    } else {
      await log.close()
      log = await place.storage().open('model')
    }
    expect(await log.bounds()).toEqual({ first, last: model.length - 1 })
    expect(await log.bytes(0, model.length)).toBe(Buffer.byteLength(model.slice(first).join('')))
  }
  expect((await readAll(log, first)).map(({ payload }) => payload)).toEqual(model.slice(first))
  await log.close()
}

async function readAll(log: Log, from: number, limit?: number): Promise<LogEntry[]> {
  const entries: LogEntry[] = []
  for await (const entry of log.read(from, limit)) entries.push(entry)
  return entries
}

/** What a promise is rejected with. */
async function failure(promise: Promise<unknown>): Promise<unknown> {
  return promise.then(
    () => expect.fail('it should have been refused'),
    (error: unknown) => error,
  )
}

function numbered(first: number, count: number): string[] {
  return Array.from({ length: count }, (_, n) => `${first + n}`)
}

function asEntry(payload: string, index: number): LogEntry {
  return { sequence: index + 1, payload }
}
