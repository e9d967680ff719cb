// Servers of one bucket, as one: what their clients wait for when one is gone, what a transaction takes, what is asked of the bucket.
//   npm run bench -- cluster [--quick]
//   node scripts/run.mjs node bench/cluster.ts [--kills 30] [--freezes 10] [--seconds 10] [--databases 1000]
//     [--only outage,commits,databases,relay,traffic,restart] [--log s3|nats]
// (after `npm run build`: it measures the package as built.) All are processes of their own on this machine, the S3 server
// of the tests and the servers of NATS as well; the clients are in this one. Exit code 1 where something acknowledged was lost.
import process from 'node:process'
import { parseArgs } from 'node:util'
import { commits } from './cluster/commits.ts'
import { databases } from './cluster/databases.ts'
import { outage } from './cluster/outage.ts'
import { relay } from './cluster/relay.ts'
import { report, type Figure } from './cluster/report.ts'
import { restart } from './cluster/restart.ts'
import { places, type Place } from './cluster/scene.ts'
import { traffic } from './cluster/traffic.ts'

const { values } = parseArgs({
  options: {
    quick: { type: 'boolean', default: false },
    kills: { type: 'string' },
    freezes: { type: 'string' },
    seconds: { type: 'string' },
    databases: { type: 'string' },
    only: { type: 'string' },
    log: { type: 'string' },
  },
})
const number = (text: string | undefined, quick: number, otherwise: number): number =>
  text === undefined ? (values.quick ? quick : otherwise) : Number(text)
const kills = number(values.kills, 3, 30)
const freezes = number(values.freezes, 1, 10)
const seconds = number(values.seconds, 3, 10)
const known = number(values.databases, 200, 1_000)
const chosen = places.filter(({ isNats = false }) => values.log === undefined || isNats === (values.log === 'nats'))
const heads = chosen.map(({ title }) => title)
/** One after the other. */
const each = async (measure: (place: Place) => Promise<readonly Figure[]>): Promise<readonly Figure[]> => {
  const figures: Figure[] = []
  for (const place of chosen) figures.push(...(await measure(place)))
  return figures
}

const parts = {
  outage: async () => report('outage', heads, await outage(chosen, [kills, freezes, freezes])),
  commits: async () => report('one database', ['one process, disk', ...heads], await commits(chosen, seconds)),
  databases: async () =>
    report('many databases', ['one server', 'three servers'], await each((place) => databases(place, seconds))),
  relay: async () =>
    report(
      'relay',
      ['direct', 'through another server'],
      await each((place) => relay(place, seconds * (place.delayMs === 0 ? 20 : 10))),
    ),
  traffic: async () => report('the bucket', ['requests', 'KB to it', 'KB from it'], await traffic(seconds * 6)),
  restart: async () => report('cold restart of all', [''], await restart(known)),
}
const wanted = values.only?.split(',') ?? Object.keys(parts)
for (const [name, run] of Object.entries(parts)) if (wanted.includes(name)) await run()
process.exit()
