import { p50AndP99, type Figure } from './report.ts'
import { Scene, type Place } from './scene.ts'
import { closeKept, Writer } from './writer.ts'
import { median } from '../support/statistics.ts'

const database = 'relay'

/** A transaction at a time, by a client at the owner and, in turns, by one that another server passes on. */
export function relay(place: Place, rounds: number): Promise<readonly Figure[]> {
  return Scene.with(3, place, async (scene) => {
    const { owner, other } = await scene.sidesOf(database)
    const direct = await Writer.open([owner.url], database, 'direct')
    const relayed = await Writer.open([other.url], database, 'relayed')
    const [there, around]: [number[], number[]] = [[], []]
    for (let round = 0; round < rounds; round++) {
      there.push(await direct.write())
      around.push(await relayed.write())
    }
    await closeKept(scene.cluster.urls, database, [direct, relayed])
    const times = median(around) / median(there)
    return [
      {
        title: `one transaction at a time, ${place.title}: until acknowledged p50, ms`,
        values: [p50AndP99(there), `${p50AndP99(around)} (${times.toFixed(2)}×)`],
      },
    ]
  })
}
