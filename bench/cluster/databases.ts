import { setTimeout as delay } from 'node:timers/promises'
import { MovedError, Pipe } from './pipe.ts'
import { whole, type Figure } from './report.ts'
import { Scene, type Place } from './scene.ts'

const DATABASES = 200
/** Transactions of each database under way at once. */
const WINDOW = 16

/** Into many databases at once, each by a client at its owner: one server beside three. */
export async function databases(place: Place, seconds: number): Promise<readonly Figure[]> {
  const [one, three] = [await measure(1, place, seconds), await measure(3, place, seconds)]
  const times = three / one
  return [
    {
      title: `into ${DATABASES} databases at once, ${place.title}: acknowledged/s`,
      values: [whole(one), `${whole(three)} (${times.toFixed(2)}×)`],
      target: { text: '> 2.2×, with the cores', isMet: times > 2.2 },
    },
  ]
}

function measure(nodes: number, place: Place, seconds: number): Promise<number> {
  return Scene.with(nodes, place, async (scene) => {
    const names = Array.from({ length: DATABASES }, (_, n) => `d${n}`)
    const any = scene.cluster.urls[0]
    for (let from = 0; from < DATABASES; from += 20)
      await Promise.all(
        names.slice(from, from + 20).map((name) => fetch(`${any}/v1/databases/${name}`, { method: 'PUT' })),
      )
    const stopping = new AbortController()
    const pipes: Pipe[] = []
    /** A busy server may be taken for dead, and another one has its databases then. */
    let moves = 0
    const keepWriting = async (name: string): Promise<void> => {
      while (!stopping.signal.aborted) {
        try {
          const pipe = await Pipe.open((await scene.ownerOf(name)).url, name, `${name}-${moves}`)
          pipes.push(pipe)
          await pipe.keepWriting(WINDOW, stopping.signal)
          pipe.close()
        } catch (error) {
          if (!(error instanceof MovedError)) throw error
          moves++
        }
      }
    }
    const written = names.map(keepWriting)
    const open = (): number => pipes.length
    while (open() < DATABASES) await Promise.race([delay(100), ...written])
    await delay(1_000)
    const count = (): number => pipes.reduce((sum, { took }) => sum + took.length, 0)
    const [before, from] = [count(), performance.now()]
    await Promise.race([delay(seconds * 1_000), Promise.all(written)])
    const rate = ((count() - before) / (performance.now() - from)) * 1_000
    stopping.abort()
    await Promise.all(written)
    if (moves > 0) console.error(`${moves} times a database was moved meanwhile, among ${nodes} servers`)
    return rate
  })
}
