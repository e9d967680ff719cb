import fc from 'fast-check'
import { afterEach, describe, expect, test } from 'vitest'
import { StoreClosedError } from '../../src/errors/index.ts'
import {
  forget,
  PersistenceError,
  type PersistedContents,
  type Persistence,
  type PersistenceSession,
} from '../../src/persist/index.ts'

let names = 0

/** What every `Persistence` keeps to. `make` gives that of a name: the same storage for the same name. */
export function runPersistenceContract(name: string, make: (name: string) => Persistence): void {
  const opened: PersistenceSession[] = []

  async function open(persistence: Persistence): Promise<PersistenceSession> {
    const session = await persistence.open()
    opened.push(session)
    return session
  }

  function fresh(): Persistence {
    names += 1
    return make(`contract-${Date.now()}-${names}`)
  }

  afterEach(async () => {
    for (const session of opened.splice(0)) await session.close()
  })

  describe(`what ${name} keeps`, () => {
    test('a storage that was never written has no snapshot and no records', async () => {
      const session = await open(fresh())
      expect(await session.load()).toEqual({ snapshot: undefined, records: [] })
    })

    test('records come back in their order after it was closed and opened again', async () => {
      const persistence = fresh()
      const first = await open(persistence)
      await first.append([bytes('a'), bytes(''), bytes('b')])
      await first.append([bytes('c')])
      await first.append([])
      await first.close()
      const second = await open(persistence)
      expect(plain(await second.load())).toEqual({ snapshot: undefined, records: ['a', '', 'b', 'c'] })
      await second.append([bytes('d')])
      expect(plain(await second.load()).records).toEqual(['a', '', 'b', 'c', 'd'])
    })

    test('a replacement takes the place of snapshot and records, and later records lie after it', async () => {
      const persistence = fresh()
      const first = await open(persistence)
      await first.append([bytes('old')])
      await first.replace(bytes('one'), [bytes('kept')])
      await first.append([bytes('new')])
      expect(plain(await first.load())).toEqual({ snapshot: 'one', records: ['kept', 'new'] })
      await first.close()
      const second = await open(persistence)
      expect(plain(await second.load())).toEqual({ snapshot: 'one', records: ['kept', 'new'] })
      await second.replace(bytes(''))
      await second.close()
      expect(plain(await (await open(persistence)).load())).toEqual({ snapshot: '', records: [] })
    })

    test('overlapping calls take effect in the order they were made', async () => {
      const persistence = fresh()
      const session = await open(persistence)
      const expected: string[] = []
      const calls: Promise<void>[] = []
      for (let n = 0; n < 200; n += 1) {
        if (n === 100) {
          calls.push(session.replace(bytes('middle'), [bytes('first')]))
          expected.splice(0, expected.length, 'first')
        }
        calls.push(session.append([bytes(`${n}.0`), bytes(`${n}.1`)]))
        expected.push(`${n}.0`, `${n}.1`)
      }
      const seen = session.load()
      calls.push(session.append([bytes('after the load')]))
      await Promise.all(calls)
      expect(plain(await seen)).toEqual({ snapshot: 'middle', records: expected })
      await session.close()
      const again = await open(persistence)
      expect(plain(await again.load()).records).toEqual([...expected, 'after the load'])
    })

    test('large snapshots and parts of larger buffers come back byte for byte', async () => {
      const persistence = fresh()
      const snapshot = Uint8Array.from({ length: 3_000_000 }, (_, at) => (at * 31) ^ (at >> 8))
      const session = await open(persistence)
      await session.replace(snapshot, [snapshot.subarray(100, 200)])
      await session.append([snapshot.subarray(1_000_000, 2_000_000)])
      await session.close()
      const { snapshot: found, records } = await (await open(persistence)).load()
      expect(same(found, snapshot)).toBe(true)
      expect(records.map((record) => record.length)).toEqual([100, 1_000_000])
      expect(same(records[0], snapshot.subarray(100, 200))).toBe(true)
      expect(same(records[1], snapshot.subarray(1_000_000, 2_000_000))).toBe(true)
    })

    test('a second session of the same name is refused until the first is closed', async () => {
      const persistence = fresh()
      const first = await open(persistence)
      const refused = await persistence.open().catch((error: unknown) => error)
      expect(refused).toBeInstanceOf(PersistenceError)
      expect(refused).toMatchObject({ code: 'persistence-in-use' })
      await first.append([bytes('still usable')])
      await first.close()
      expect(plain(await (await open(persistence)).load()).records).toEqual(['still usable'])
    })

    test('a session that is opened while another is closed waits for it', async () => {
      const persistence = fresh()
      const first = await open(persistence)
      const append = first.append([bytes('last words')])
      const second = open(persistence)
      await Promise.all([append, first.close()])
      expect(plain(await (await second).load()).records).toEqual(['last words'])
    })

    test('sessions of two names are independent', async () => {
      const [one, two] = [await open(fresh()), await open(fresh())]
      await one.append([bytes('one')])
      await two.replace(bytes('two'))
      expect(plain(await one.load())).toEqual({ snapshot: undefined, records: ['one'] })
      expect(plain(await two.load())).toEqual({ snapshot: 'two', records: [] })
    })

    test('closing waits for the calls made before, and every later one is refused', async () => {
      const persistence = fresh()
      const session = await open(persistence)
      const append = session.append([bytes('a')])
      await Promise.all([session.close(), session.close()])
      await append
      await expect(session.append([bytes('b')])).rejects.toThrow(StoreClosedError)
      await expect(session.replace(bytes('b'))).rejects.toThrow(StoreClosedError)
      await expect(session.load()).rejects.toThrow(StoreClosedError)
      await expect(session.estimate()).rejects.toThrow(StoreClosedError)
      expect(plain(await (await open(persistence)).load()).records).toEqual(['a'])
    })

    test('what is forgotten is not there any more, and nothing is forgotten while it is open', async () => {
      const persistence = fresh()
      await forget(persistence)
      const session = await open(persistence)
      await session.replace(bytes('base'), [bytes('a')])
      expect(await session.isWhole?.()).toBe(true)
      await expect(forget(persistence)).rejects.toMatchObject({ code: 'persistence-in-use' })
      await session.close()
      await forget(persistence)
      expect(await (await open(persistence)).load()).toEqual({ snapshot: undefined, records: [] })
    })

    test('it tells how much is used and how much there may be, and warns above warnAt', async () => {
      const estimate = await (await open(fresh())).estimate()
      expect(estimate?.quota).toBeGreaterThan(estimate?.usage ?? Number.NaN)
    })

    test('whatever is appended, replaced and reopened, a load equals a plain model', async () => {
      const record = fc.uint8Array({ maxLength: 40 })
      const step = fc.oneof(
        { weight: 4, arbitrary: fc.record({ op: fc.constant('append' as const), records: fc.array(record) }) },
        {
          weight: 2,
          arbitrary: fc.record({
            op: fc.constant('replace' as const),
            snapshot: fc.uint8Array({ maxLength: 300 }),
            records: fc.array(record, { maxLength: 3 }),
          }),
        },
        fc.record({ op: fc.constant('load' as const) }),
        fc.record({ op: fc.constant('reopen' as const) }),
      )
      await fc.assert(
        fc.asyncProperty(fc.array(step, { maxLength: 15 }), fc.boolean(), async (steps, overlapping) => {
          const persistence = fresh()
          let session = await open(persistence)
          let model: PersistedContents = { snapshot: undefined, records: [] }
          const calls: Promise<void>[] = []
          for (const next of [...steps, { op: 'reopen' as const }]) {
            if (next.op === 'append') {
              calls.push(session.append(next.records))
              model = { ...model, records: [...model.records, ...next.records] }
            } else if (next.op === 'replace') {
              calls.push(session.replace(next.snapshot, next.records))
              model = { snapshot: next.snapshot, records: next.records }
            } else if (next.op === 'reopen') {
              await session.close()
              session = await open(persistence)
            }
            if (!overlapping) await Promise.all(calls)
            if (next.op === 'load' || next.op === 'reopen') expect(await session.load()).toEqual(model)
          }
          await Promise.all(calls)
          await session.close()
        }),
        { numRuns: 40 },
      )
    })
  })
}

export function bytes(text: string): Uint8Array {
  return new TextEncoder().encode(text)
}

/** Contents as text, which a failing test shows better. */
export function plain({ snapshot, records }: PersistedContents): { snapshot: string | undefined; records: string[] } {
  const decoder = new TextDecoder()
  return { snapshot: snapshot && decoder.decode(snapshot), records: records.map((record) => decoder.decode(record)) }
}

function same(found: Uint8Array | undefined, expected: Uint8Array): boolean {
  return found?.length === expected.length && expected.every((byte, at) => found[at] === byte)
}
