import { setImmediate as immediate } from 'node:timers/promises'
import { expect, test, vi } from 'vitest'
import { Shard, ShardArchive, ShardedLogStorage } from '../../../src/server/cluster/index.ts'
import type { Log } from '../../../src/server/log.ts'
import { fair, SimulatedBucket, SimulatedNode, type Step } from '../../support/simulated-slots.ts'

vi.mock('node:zlib', () => import('../../support/zlib-at-once.ts'))

/** Servers of one shard, and what they send, which arrives at once unless it is held back. */
class Network {
  readonly bucket = new SimulatedBucket(fair)
  /** What does not arrive yet. */
  isHeld: (step: Step) => boolean = () => false

  open(id: string): { readonly node: SimulatedNode; readonly shard: Shard; readonly storage: ShardedLogStorage } {
    const node = new SimulatedNode(id, this.bucket)
    const archive = new ShardArchive(node.store, 'checkpoints/')
    const shard = new Shard({ slots: node.slots('0'), archive, node: { id } })
    return { node, shard, storage: new ShardedLogStorage([shard]) }
  }

  readonly #recent: string[] = []
  /** Lets happen what is not held back, until nothing is left. */
  async rest(): Promise<void> {
    for (let idle = 0; idle < 3; idle++) {
      const step = this.bucket.ready().find((one) => !this.isHeld(one))
      if (step) {
        this.bucket.happen(step)
        this.#recent.push(`${step.node.id} ${step.kind} ${step.what}`)
        if (this.#recent.length > 20_000) throw new Error(`no rest: ${this.#recent.slice(-40).join('; ')}`)
        idle = -1
      }
      await immediate()
    }
  }

  async done<Result>(asked: Promise<Result>): Promise<Result> {
    await this.rest()
    return asked
  }

  async append(log: Log, from: number, to: number): Promise<void> {
    for (let last = from; last < to; last++) await this.done(log.append([`${last + 1}`], last))
  }

  async readAll(log: Log, from = 1): Promise<string[]> {
    const payloads: string[] = []
    const reading = (async () => {
      for await (const { payload } of log.read(from)) payloads.push(payload)
    })()
    await this.done(reading)
    return payloads
  }
}

test('a claim that arrives in a slot that was trimmed is not in force', async () => {
  const network = new Network()
  const [owner, late] = [network.open('owner'), network.open('late')]
  const log = await network.done(owner.storage.open('plan', { create: true }))
  await network.append(log, 0, 5)
  const theirs = await network.done(late.storage.open('plan'))
  const at = late.shard.next
  network.isHeld = ({ node, kind, what }) => node === late.node && kind === 'request' && what.startsWith('create slots')
  const claiming = late.shard.own()
  const told = theirs.append(['late'], 5).catch((error: unknown) => error)
  await network.append(log, 5, 5 + 64)
  await network.done(owner.shard.archive())
  expect(network.bucket.slots('0').has(at)).toBe(false)
  expect(network.bucket.slots('0').has(at + 1)).toBe(true)
  network.isHeld = () => false
  await network.done(claiming)
  expect(await network.done(told)).toMatchObject({ code: 'log-conflict', last: 69 })
  await network.append(log, 69, 70)
  for (const one of [theirs, log]) expect(await network.readAll(one)).toHaveLength(70)
})

test('a tail that was put into segments is not forgotten by an owner that was another one in between', async () => {
  const network = new Network()
  const [one, other] = [network.open('one'), network.open('other')]
  const log = await network.done(one.storage.open('plan', { create: true }))
  await network.append(log, 0, 5)
  network.isHeld = ({ node, what }) => node === one.node && what.startsWith('put checkpoints')
  const archiving = one.shard.archive()
  await network.rest()
  const theirs = await network.done(other.storage.open('plan'))
  await network.append(theirs, 5, 100)
  await network.done(other.shard.archive())
  await network.append(theirs, 100, 105)
  await network.append(log, 105, 110)
  network.isHeld = () => false
  await network.done(archiving)
  await network.append(log, 110, 112)
  const all = Array.from({ length: 112 }, (_, n) => `${n + 1}`)
  for (const each of [log, theirs]) expect(await network.readAll(each)).toEqual(all)
  await network.done(one.shard.archive())
  const fresh = await network.done(network.open('fresh').storage.open('plan'))
  expect(await network.readAll(fresh)).toEqual(all)
})
