import type { LocalNode } from '../../tests/support/local-cluster.ts'
import { p50AndMax, type Figure } from './report.ts'
import { Scene, type Place } from './scene.ts'
import { closeKept, Writer } from './writer.ts'

const database = 'outage'
/** Each of them anywhere: with the owner, or with one that passes it on. */
const CLIENTS = 4

interface Way {
  readonly title: string
  readonly targetMs: number
  /** What happens to the owner. */
  readonly strike: (owner: LocalNode) => void
  /** It is there again, in one way or another. */
  readonly mend: (owner: LocalNode, scene: Scene) => Promise<unknown>
}

const ways: readonly Way[] = [
  {
    title: 'owner killed (SIGKILL)',
    targetMs: 2_000,
    strike: ({ child }) => child.kill('SIGKILL'),
    mend: async (owner, { cluster }) => {
      await owner.end('SIGKILL')
      await cluster.restart(owner)
    },
  },
  {
    title: 'owner frozen (SIGSTOP)',
    targetMs: 5_000,
    strike: (owner) => owner.freeze(),
    mend: async (owner) => {
      owner.wake()
      await fetch(`${owner.url}/healthz`)
    },
  },
  {
    title: 'owner hands over (SIGTERM)',
    targetMs: 200,
    strike: ({ child }) => child.kill('SIGTERM'),
    mend: async (owner, { cluster }) => {
      await owner.end()
      await cluster.restart(owner)
    },
  },
]

/** From what happens to a database's owner to the next transaction acknowledged, of each of its clients. */
export async function outage(places: readonly Place[], rounds: readonly number[]): Promise<readonly Figure[]> {
  const times = new Map(ways.map((way) => [way, [] as number[][]]))
  for (const place of places)
    await Scene.with(3, place, async (scene) => {
      const { urls } = scene.cluster
      const writers: Writer[] = []
      for (let n = 0; n < CLIENTS; n++) writers.push(await Writer.open(urls, database, `w${n}`))
      for (const [n, way] of ways.entries()) {
        const taken: number[] = []
        for (let round = 0; round < rounds[n]!; round++) taken.push(...(await strike(scene, writers, way)))
        times.get(way)!.push(taken)
      }
      await closeKept(urls, database, writers)
    })
  return [...times].map(([{ title, targetMs }, taken]) => ({
    title: `${title}: until the next acknowledgement, ms`,
    values: taken.map(p50AndMax),
    target: { text: `max < ${targetMs.toLocaleString('en')}`, isMet: taken.flat().every((one) => one < targetMs) },
  }))
}

async function strike(scene: Scene, writers: readonly Writer[], way: Way): Promise<readonly number[]> {
  for (const writer of writers) await writer.write()
  const owner = await scene.ownerOf(database)
  way.strike(owner)
  const taken = await Promise.all(writers.map((writer) => writer.write()))
  await way.mend(owner, scene)
  console.error(`${way.title}: ${taken.map((one) => one.toFixed()).join(' ')}`)
  return taken
}
