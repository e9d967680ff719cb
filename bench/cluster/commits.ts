import { spawn } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { LocalProcess, started } from '../../tests/support/local-process.ts'
import { median } from '../support/statistics.ts'
import { Pipe } from './pipe.ts'
import { p50AndP99, whole, type Figure } from './report.ts'
import { command, Scene, writeSchema, type Place } from './scene.ts'
import { expectKept } from './writer.ts'

const database = 'commits'
/** Transactions a second that are offered. */
const RATE = 5_000

interface Measured {
  readonly took: readonly number[]
  readonly offered: number
  readonly flatOut: number
}

/** Into one database, by one client, which waits for nothing: beside one process with its log on the disk. */
export async function commits(places: readonly Place[], seconds: number): Promise<readonly Figure[]> {
  const alone = await besideFile((url) => measure(url, [url], seconds))
  const measured = [alone]
  for (const place of places)
    measured.push(
      await Scene.with(3, place, async (scene) => {
        const { urls } = scene.cluster
        const { url } = await scene.ownerOf(database)
        return measure(url, urls, seconds)
      }),
    )
  const isMet = places.every(({ isNats }, n) => {
    const { took, offered } = measured[n + 1]!
    return median(took) < (isNats ? 5 : 50) && offered > 0.99 * RATE
  })
  const share = (value: number, own: number): string => (own === value ? '' : ` (${(value / own).toFixed(2)}×)`)
  return [
    {
      title: `${whole(RATE)}/s offered: acknowledged/s`,
      values: measured.map(({ offered }) => whole(offered)),
    },
    {
      title: `${whole(RATE)}/s offered: until acknowledged p50, ms`,
      values: measured.map(({ took }) => p50AndP99(took)),
      target: { text: 'p50 < 50 with S3, < 5 with JetStream, at the rate offered', isMet },
    },
    {
      title: 'as many as it takes: acknowledged/s',
      values: measured.map(({ flatOut }) => whole(flatOut) + share(flatOut, alone.flatOut)),
    },
  ]
}

async function measure(url: string, urls: readonly string[], seconds: number): Promise<Measured> {
  const pipe = await Pipe.open(url, database)
  await pipe.write(RATE, RATE)
  const write = async (count: number, rate: number): Promise<{ took: readonly number[]; rate: number }> => {
    const [from, before] = [performance.now(), pipe.took.length]
    await pipe.write(count, rate)
    return { took: pipe.took.slice(before), rate: (count / (performance.now() - from)) * 1000 }
  }
  const offered = await write(RATE * seconds, RATE)
  const most = await write(RATE * 2, Infinity)
  pipe.close()
  await expectKept(urls, database, pipe.acknowledged)
  return { took: offered.took, offered: offered.rate, flatOut: most.rate }
}

/** Runs `work` on `rowcast serve` with a directory. */
async function besideFile<Result>(work: (url: string) => Promise<Result>): Promise<Result> {
  const folder = await mkdtemp(join(tmpdir(), 'rowcast-bench-'))
  const schema = await writeSchema(folder)
  const args = [command, 'serve', '--schema', schema, '--data', join(folder, 'data'), '--port', '0', '--create']
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'pipe'] })
  try {
    const line = await started(child, 'the server with a directory')
    return await work(/ at (\S+)/.exec(line)![1]!)
  } finally {
    await new LocalProcess('', child).end('SIGKILL')
    await rm(folder, { recursive: true, force: true })
  }
}
