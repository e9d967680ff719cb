import { setTimeout as delay } from 'node:timers/promises'
import type { Traffic } from '../../tests/support/s3-server/index.ts'
import { Pipe } from './pipe.ts'
import { whole, type Figure } from './report.ts'
import { Scene } from './scene.ts'
import { closeKept, Writer } from './writer.ts'

const database = 'traffic'
const TRANSACTIONS = 1_000
/** So many databases are enough for each shard to have one. */
const KNOWN = 100

/** What the bucket is asked for, by a cluster of three that has looked after all its shards for a while. */
export function traffic(idleSeconds: number): Promise<readonly Figure[]> {
  return Scene.with(3, { delayMs: 0 }, async (scene) => {
    const { bucket, cluster } = scene
    const any = cluster.urls[0]
    for (let n = 0; n < KNOWN; n++) await fetch(`${any}/v1/databases/d${n}`, { method: 'PUT' })
    const owner = await scene.ownerOf('d0')
    const writer = await Writer.open([owner.url], database, 'w')
    const pipe = await Pipe.open(owner.url, 'd0')
    const during = async (title: string, times: number, work: () => Promise<unknown>): Promise<Figure> => {
      const before = await bucket.traffic()
      await work()
      const after = await bucket.traffic()
      const of = (key: keyof Traffic): number => (after[key] - before[key]) * times
      return { title, values: [whole(of('requests')), whole(of('bytesIn') / 1024), whole(of('bytesOut') / 1024)] }
    }
    const figures = [
      await during(`${whole(TRANSACTIONS)} transactions, one at a time`, 1, async () => {
        for (let n = 0; n < TRANSACTIONS; n++) await writer.write()
      }),
      await during(`${whole(TRANSACTIONS)} transactions, 5,000/s`, 1, () => pipe.write(TRANSACTIONS, 5_000)),
    ]
    // Of itself: what was just written is put away after a while, which is not idle.
    await closeKept(cluster.urls, database, [writer])
    pipe.close()
    await delay(5_000)
    figures.push(await during('an idle hour', 3_600 / idleSeconds, () => delay(idleSeconds * 1_000)))
    return figures
  })
}
