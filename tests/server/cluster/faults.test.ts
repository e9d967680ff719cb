import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, onTestFinished, test } from 'vitest'
import { ClusterLoad, loadSchema } from '../../support/cluster-load.ts'
import { ClusterUnderFaults } from '../../support/cluster-under-faults.ts'
import { describeFault, planFaults } from '../../support/fault-plan.ts'
import { firstSeed } from '../../support/random.ts'

/** How long things happen, in seconds; not at all without it: `npm run test:night` has an hour. */
const SECONDS = Number(process.env['ROWCAST_FAULT_SECONDS'] ?? 0)
/** Then there is quiet, and everything is looked at. */
const ROUND_SECONDS = 120
/** What lasts longer is for long rounds. */
const LONGEST_MS = SECONDS < ROUND_SECONDS ? 5_000 : 60_000
const NODES = 3
const CLIENTS = 20
const DATABASES = ['a', 'b', 'c']

/** What servers print while their bucket or another server fails, by the lines that begin a report. */
const expected = [
  /^No authentication: /,
  /^Ended with what was not acknowledged yet/,
  // Of a request that was passed on when that server was killed, frozen or cut off; whoever sent it asks again.
  /^RowcastError: the server at \S+, which has the database, can't be reached/,
  /^RowcastError: '\w+' is on its way to another server: ask again/,
  /^Error: nobody takes a connection for '\w+'/,
  // Of one that was frozen or cut off time and again while others took what it had.
  /^RowcastError: the databases of shard \d+ go back and forth/,
  // A bucket that says nothing for longer than is waited, and an append that was under way meanwhile.
  /^BucketError: \S+ could not /,
  /^NatsError: could not /,
  /^LogUncertainError: /,
  // One that finds no bucket does not start.
  /^rowcast: /,
]

/** The lines of a server's errors that begin a report: what is deeper belongs to it. */
function reports(text: string): string[] {
  return text.split('\n').filter((line) => line !== '' && !/^[\s}\]]/.test(line))
}

const rounds = Math.max(1, Math.round(SECONDS / ROUND_SECONDS))

describe.skipIf(SECONDS === 0).each([
  ['a bucket', 0],
  ['NATS', 3],
])('with the log in %s', { timeout: (SECONDS + rounds * 400) * 1_000 }, (_log, natsServers) => {
  test(`whatever fails: nothing acknowledged is lost, nothing is applied twice, and all come to the same (seed ${firstSeed})`, async () => {
    const folder = await mkdtemp(join(tmpdir(), 'rowcast-faults-'))
    onTestFinished(() => rm(folder, { recursive: true, force: true }))
    const schema = join(folder, 'schema.json')
    await writeFile(schema, JSON.stringify(loadSchema.definition))
    const cluster = await ClusterUnderFaults.start({ schema, seed: firstSeed, natsServers })
    onTestFinished(() => cluster.close())
    for (let round = 0; round < rounds; round++) {
      const seed = firstSeed + round
      const lengthMs = (SECONDS / rounds) * 1_000
      const databases = DATABASES.map((name) => `${name}${round}`)
      const plan = planFaults({ seed, lengthMs, nodes: NODES, natsServers, databases, longestMs: LONGEST_MS })
      const begun = cluster.trace.length
      try {
        const loads = await Promise.all(
          databases.map((database, n) => {
            const clients = Math.floor((CLIENTS + n) / databases.length)
            const load = ClusterLoad.start(database, { urls: cluster.urls, seed: seed + n, clients })
            load.then(
              (one) => onTestFinished(() => one.close()),
              // Promise.all tells.
              () => undefined,
            )
            return load
          }),
        )
        await cluster.run(plan, lengthMs)
        for (const load of loads) await load.end()
        for (const load of loads) await load.expectWhole()
        for (const load of loads) {
          const { committed, refused } = load.counts
          const { fromMs, lastedMs } = load.longest
          const silence = `longest silence ${(lastedMs / 1000).toFixed(1)} s, from ${cluster.timeOf(fromMs)} on`
          process.stdout.write(
            `faults, seed ${seed}, '${load.database}': ${committed} committed, ${refused} refused, ${silence}\n`,
          )
          expect(committed).toBeGreaterThan(0)
          await load.close()
        }
        if (process.env['ROWCAST_TRACE']) process.stdout.write(`${cluster.trace.slice(begun).join('\n')}\n`)
        expect(cluster.failures).toEqual([])
        const unexpected = cluster.problems
          .flatMap(reports)
          .filter((line) => !expected.some((pattern) => pattern.test(line)))
        expect(unexpected).toEqual([])
      } catch (error) {
        const told = error instanceof Error ? error.message : String(error)
        const planned = plan.map((one) => `${(one.atMs / 1000).toFixed(2)} s: ${describeFault(one)}`)
        const happened = [...cluster.trace.slice(begun), 'the servers said:', ...cluster.problems]
        const again = `ROWCAST_SEED=${seed} ROWCAST_FAULT_SECONDS=${SECONDS / rounds} plans the same`
        const lines = [`seed ${seed} (${again}): ${told}`, 'planned:', ...planned, 'happened:', ...happened]
        throw new Error(lines.join('\n'), { cause: error })
      }
    }
  })
})
