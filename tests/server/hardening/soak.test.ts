import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { setTimeout as delay } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { createStore, type Store } from 'rowcast'
import { nodeSqliteDriver } from 'rowcast/node'
import { webSocketTransport } from 'rowcast/transport'
import { filter, firstValueFrom } from 'rxjs'
import { expect, onTestFinished, test } from 'vitest'
import { soakSchema, type Figures } from './soak-schema.ts'

/** Set, it is how long the attacks last, and times are compared too: they say something on a quiet machine only. */
const LASTS = process.env['ROWCAST_SOAK_SECONDS']
const SECONDS = Number(LASTS ?? 8)
const EDITORS = 5
const EVERY_MS = 50
const HEAP_MB = 512
const MB = 1024 * 1024

/** The attackers share the processors with the server and the editors. */
const MOST_P99_MS = 500
const LONGEST_MS = 250
/** On a machine that is busy otherwise: so many times what it was before the attack. */
const TIMES = 4
/** As docs/security.md has it. */
const MOST_RSS = 768 * MB

function program(name: string, args: readonly string[], node: readonly string[] = [], ipc = false): ChildProcess {
  const script = fileURLToPath(new URL(name, import.meta.url))
  const child = spawn(process.execPath, [...node, script, ...args], {
    stdio: ['ignore', 'pipe', 'inherit', ...(ipc ? (['ipc'] as const) : [])],
  })
  onTestFinished(() => void child.kill('SIGKILL'))
  return child
}

async function firstLine(child: ChildProcess): Promise<string> {
  const died = once(child, 'exit').then(() => Promise.reject(new Error('it ended before it said anything')))
  // It goes on waiting after the race.
  died.catch(() => undefined)
  const [line] = (await Promise.race([once(createInterface({ input: child.stdout! }), 'line'), died])) as [string]
  return line
}

async function figuresOf(server: ChildProcess): Promise<Figures> {
  const answer = once(server, 'message')
  server.send('figures')
  const [figures] = (await answer) as [Figures]
  return figures
}

async function fill(url: string): Promise<void> {
  const api = `${url}/v1/databases/scene`
  const headers = { authorization: 'Bearer root' }
  const post = async (changes: readonly object[]): Promise<void> => {
    const answer = await fetch(`${api}/transactions`, { method: 'POST', headers, body: JSON.stringify({ changes }) })
    expect(answer.status).toBe(200)
  }
  expect((await fetch(api, { method: 'PUT', headers })).status).toBe(201)
  for (let from = 0; from < 20_000; from += 2_000)
    await post(
      Array.from({ length: 2_000 }, (_, n) => {
        const id = `h${from + n}`
        return { table: 'heap', key: id, op: 'put', after: { id, title: id.padEnd(100, 'x'), size: n % 100 } }
      }),
    )
  for (const id of ['a', 'b'])
    await post([{ table: 'text', key: id, op: 'put', after: { id, body: id.repeat(1_000_000) } }])
}

/** Changes a row of its own now and then. How long each change took to be confirmed, in milliseconds. */
async function edit(store: Store, name: string, until: AbortSignal): Promise<number[]> {
  const took: number[] = []
  const commits: Promise<void>[] = []
  for (let size = 0; !until.aborted; size++) {
    const from = performance.now()
    const draft = store.draft()
    draft.table('note').upsert({ id: name, owner: name, size } as never)
    commits.push(draft.commit().confirmed.then(() => void took.push(performance.now() - from)))
    await delay(EVERY_MS)
  }
  await Promise.all(commits)
  return took
}

function percentile(values: readonly number[], part: number): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length * part)] ?? Infinity
}

test('five honest editors go on beside ten hostile users, and the server stays within its memory', async () => {
  const directory = await mkdtemp(join(tmpdir(), 'rowcast-soak-'))
  onTestFinished(() => rm(directory, { recursive: true, force: true }))
  const profile = process.env['ROWCAST_SOAK_PROFILE']
  const node = [`--max-old-space-size=${HEAP_MB}`, ...(profile ? ['--cpu-prof', `--cpu-prof-dir=${profile}`] : [])]
  const server = program('soak-server.ts', [directory], node, true)
  const url = await firstLine(server)
  await fill(url)

  const states: string[] = []
  const editors = await Promise.all(
    Array.from({ length: EDITORS }, async (_, n) => {
      const name = `editor${n}`
      const transport = webSocketTransport({ url: url.replace(/^http/, 'ws'), token: name })
      const sync = { transport, database: 'scene', subscribe: [{ table: 'note' }] }
      const store = (await createStore({ schema: soakSchema, driver: nodeSqliteDriver(), sync })) as Store
      await firstValueFrom(store.sync.status$.pipe(filter(({ state }) => state === 'live')))
      return { name, store }
    }),
  )
  for (const { name, store } of editors)
    store.sync.status$.subscribe(({ state, reason, progress }) => {
      // With progress it is connected, and takes in what many have written at once.
      if (state !== 'live' && progress === undefined) states.push(`${name}: ${state} ${reason ?? ''}`)
    })

  const calm = new AbortController()
  setTimeout(() => calm.abort(), 1_000)
  const before = (await Promise.all(editors.map(({ name, store }) => edit(store, name, calm.signal)))).flat()
  const quiet = await figuresOf(server)

  const over = new AbortController()
  const only = process.env['ROWCAST_SOAK_ONLY']?.split(',') ?? []
  const attackers = program('soak-attackers.ts', [url, `${SECONDS}`, ...only])
  const line = firstLine(attackers).finally(() => over.abort())
  const took = (await Promise.all(editors.map(({ name, store }) => edit(store, name, over.signal)))).flat()
  const { done, failures } = JSON.parse(await line) as { done: Record<string, number>; failures: string[] }
  const figures = await figuresOf(server)
  const [p50, p99] = [percentile(took, 0.5), percentile(took, 0.99)]
  process.stdout.write(
    `soak: before, p99 ${percentile(before, 0.99).toFixed()} ms, event loop longest ${quiet.longest.toFixed()} ms; ` +
      `${took.length} edits, p50 ${p50.toFixed()} ms, p99 ${p99.toFixed()} ms, most ${Math.max(...took).toFixed()} ms; ` +
      `event loop p99 ${figures.p99.toFixed()} ms, longest ${figures.longest.toFixed()} ms; ` +
      `memory ${(figures.rss / MB).toFixed()} MB, heap ${(figures.heapUsed / MB).toFixed()} MB; ${JSON.stringify(done)}\n`,
  )
  if (profile) {
    for (const { store } of editors) await store.close()
    server.disconnect()
    await once(server, 'exit')
  }

  expect(failures).toEqual([])
  expect(Object.values(done).reduce((all, rounds) => all + rounds, 0)).toBeGreaterThan(Object.keys(done).length)
  expect(figures.reports).toEqual([])
  expect(states).toEqual([])
  expect(figures.rss).toBeLessThan(MOST_RSS)
  if (LASTS !== undefined) {
    expect(p99).toBeLessThan(Math.max(MOST_P99_MS, TIMES * percentile(before, 0.99)))
    expect(figures.longest).toBeLessThan(Math.max(LONGEST_MS, TIMES * quiet.longest))
  }
  await Promise.all(editors.map(({ store }) => store.close()))
})
