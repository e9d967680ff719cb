import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { defineSchema } from 'rowcast'
import { fileStorage, memoryStorage } from 'rowcast/server'
import { expect, onTestFinished, test } from 'vitest'
import { putNote, schema, startServer, type TestServer } from '../http/support.ts'
import { RawClient } from '../session/raw-client.ts'
import { makeScene, outcomeOf } from './support.ts'

const a = '/v1/databases/a'

interface Listed {
  readonly sequence: number
  readonly label?: string
}

async function listed({ ask }: TestServer): Promise<readonly Listed[]> {
  return (await ask(`GET ${a}/snapshots`)).body['snapshots'] as readonly Listed[]
}

const next = defineSchema({
  version: 2,
  tables: {
    note: {
      primaryKey: 'id',
      unique: [['slug']],
      schema: {
        type: 'object',
        required: ['id'],
        properties: {
          id: { type: 'string' },
          slug: { type: 'string' },
          text: { type: 'string', maxLength: 20 },
          owner: { type: 'string' },
          color: { type: 'string' },
        },
      },
    },
  },
})

test('a snapshot that is migrated keeps its label, and the state goes back to it', async () => {
  const storage = memoryStorage()
  const old = startServer({ schema, storage })
  await old.ask(`PUT ${a}`)
  await old.ask(`POST ${a}/transactions`, putNote('m'))
  expect((await old.ask(`POST ${a}/snapshots`, { label: 'v1' })).status).toBe(201)
  await old.server.close()

  const migrated = startServer({ schema: next, storage })
  expect(await listed(migrated)).toMatchObject([{ sequence: 1 }, { sequence: 2, label: 'v1' }])
  expect((await migrated.ask(`POST ${a}/transactions`, putNote('n', { color: 'red' }))).status).toBe(200)
  expect((await migrated.ask(`POST ${a}/rollback`, { to: 'v1' })).body).toEqual({ sequence: 4, to: 2 })
  expect(migrated.errors).toEqual([])
})

test('of two snapshots of one state with two labels one is made, and the other is told why not', async () => {
  const started = startServer()
  await started.ask(`PUT ${a}`)
  await started.ask(`POST ${a}/transactions`, putNote('m'))
  const answers = await Promise.all(['A', 'B'].map((label) => started.ask(`POST ${a}/snapshots`, { label })))
  expect(answers.map(outcomeOf)).toEqual([
    [201, undefined],
    [409, 'exists'],
  ])
  expect((await listed(started)).filter(({ label }) => label !== undefined)).toMatchObject([{ label: 'A' }])
})

test('the state goes back to a label of 1,000 characters, and who is connected stays', async () => {
  const started = startServer()
  await makeScene(started)
  const scene = '/v1/databases/scene'
  const label = 'x'.repeat(1_000)
  await started.ask(`POST ${scene}/transactions`, putNote('m'))
  expect((await started.ask(`POST ${scene}/snapshots`, { label })).status).toBe(201)
  await started.ask(`POST ${scene}/transactions`, putNote('n'))
  const client = await RawClient.enter(started.server)
  expect((await started.ask(`POST ${scene}/rollback`, { to: label })).body).toEqual({ sequence: 4, to: 2 })
  const told = await client.find('commits')
  expect(told.commits[0]).toMatchObject({ changes: [{ op: 'delete', key: 'n' }] })
  expect(told.commits[0]!.label).toHaveLength(1_000)
  await client.settled()
  expect(client.ended).toBeUndefined()
  expect(started.errors).toEqual([])
})

/** Puts notes, closing the database every few, which keeps a snapshot each time. */
async function live(
  options: { readonly transactions: number; readonly closeEvery: number; readonly historyEntries?: number },
  labels: readonly number[],
): Promise<TestServer> {
  const storage = memoryStorage()
  const { historyEntries = 100_000, transactions, closeEvery } = options
  const start = (): TestServer => startServer({ storage, snapshotEvery: 10, historyEntries })
  let started = start()
  await started.ask(`PUT ${a}`)
  for (let n = 2; n <= transactions + 1; n++) {
    expect((await started.ask(`POST ${a}/transactions`, putNote(`n${n}`))).body.sequence).toBe(n)
    if (labels.includes(n)) await started.ask(`POST ${a}/snapshots`, { label: `at ${n}` })
    if (n % closeEvery !== 0) continue
    await started.server.close()
    started = start()
  }
  return started
}

function temporaryDirectory(): string {
  const directory = mkdtempSync(join(tmpdir(), 'rowcast-snapshots-'))
  onTestFinished(() => rmSync(directory, { recursive: true, force: true }))
  return directory
}

/** The states that the log has and that no file can be made of. */
async function lostStates(started: TestServer): Promise<number[]> {
  // Snapshots are kept, and the log is trimmed, beside the transactions: this one comes behind those that are under way.
  await started.ask(`POST ${a}/snapshots`)
  const { body } = await started.ask(`GET ${a}/history?limit=1`)
  const [first, last] = [body['first'], body['last']] as [number, number]
  const lost: number[] = []
  for (let at = first; at <= last; at++)
    if ((await started.send(`GET ${a}/export?at=${at}`)).status !== 200) lost.push(at)
  return lost
}

test('snapshots that nobody asked for are thinned out, those with a label stay, and every state can be had', async () => {
  const started = await live({ transactions: 500, closeEvery: 2 }, [23, 24, 333])
  const snapshots = await listed(started)
  // One for each tenth transaction at most, and not one for each time it was closed.
  expect(snapshots.length).toBeLessThan(2 * (500 / 10))
  const labels = snapshots.flatMap(({ sequence, label }) => (label === undefined ? [] : [[sequence, label]]))
  expect(labels).toEqual([23, 24, 333].map((n) => [n, `at ${n}`]))
  expect(await lostStates(started)).toEqual([])
  const gaps = snapshots.slice(1).map(({ sequence }, n) => sequence - snapshots[n]!.sequence)
  expect(Math.max(...gaps)).toBeLessThanOrEqual(10)
  expect(started.errors).toEqual([])
})

test.each([50, 47])('snapshots before a log of %i entries go, but for labels', async (historyEntries) => {
  const started = await live({ transactions: 300, closeEvery: 1_000, historyEntries }, [23])
  const snapshots = await listed(started)
  expect(snapshots.length).toBeLessThanOrEqual(9)
  expect(snapshots[0]).toMatchObject({ sequence: 23, label: 'at 23' })
  expect(snapshots[1]!.sequence).toBeGreaterThanOrEqual(301 - historyEntries - 20)
})

test('every state of a log whose beginning is a snapshot can be exported', async () => {
  const started = await live({ transactions: 300, closeEvery: 1_000, historyEntries: 50 }, [])
  expect(await lostStates(started)).toEqual([])
})

// The log is trimmed within what the last snapshot before it needs: nothing leads to its first states any more.
test('every state of a log that begins between two snapshots can be exported', async () => {
  const started = await live({ transactions: 300, closeEvery: 1_000, historyEntries: 47 }, [])
  expect(await lostStates(started)).toEqual([])
})

test.each([
  ['memory', () => memoryStorage()],
  ['files', () => fileStorage(temporaryDirectory())],
])(
  'the bytes of a log in %s and the number of its snapshots are bounded, and what is older is not there',
  async (_where, make) => {
    const storage = make()
    const historyBytes = 40_000
    const started = startServer({ storage, limits: { historyBytes } })
    await started.ask(`PUT ${a}`)
    const log = await storage.logs.open('a')
    onTestFinished(() => log.close())
    const entryBytes = 1_500
    let most = 0
    let least = historyBytes
    let mostSnapshots = 0
    for (let n = 2; n <= 120; n++) {
      // One row is left: a small state is put aside before the next transaction, so that all of it comes in one order.
      const { changes } = putNote(`n${n}`, { slug: `${n} ${'é'.repeat(500)}` })
      const gone = n > 2 ? [{ table: 'note', key: `n${n - 1}`, op: 'delete' }] : []
      const sent = await started.ask(`POST ${a}/transactions`, { changes: [...changes, ...gone] })
      expect(sent.status).toBe(200)
      const { length } = await listed(started)
      const bytes = await log.bytes(1, n)
      most = Math.max(most, bytes)
      if (n > 40) least = Math.min(least, bytes)
      mostSnapshots = Math.max(mostSnapshots, length)
    }
    // Beside the history there is what has come since the newest snapshot.
    expect(most).toBeLessThan(historyBytes * (9 / 8) + 2 * entryBytes)
    // Once there is as much, little more than an eighth goes at once.
    expect(least).toBeGreaterThan(historyBytes * (6 / 8))
    expect(mostSnapshots).toBeLessThan(20)
    expect(await lostStates(started)).toEqual([])

    const { first, last } = await log.bounds()
    expect(await log.bytes(first, last)).toBeLessThanOrEqual(historyBytes)
    expect(first).toBeGreaterThan(80)
    const from = first - 1
    expect((await started.send(`GET ${a}/export?at=${from - 1}`)).status).toBe(404)
    expect((await started.ask(`POST ${a}/rollback`, { to: from - 1 })).status).toBe(404)
    expect((await started.ask(`POST ${a}/rollback`, { to: from })).status).toBe(200)
    expect(started.errors).toEqual([])
  },
)
