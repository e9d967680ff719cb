import { expect, test } from 'vitest'
import { S3ObjectStore } from '../../../src/server/bucket/index.ts'
import { Shard, ShardArchive, ShardedLogStorage, type SlotLog } from '../../../src/server/cluster/index.ts'
import type { ClaimAttempt } from '../../../src/server/cluster/slot-log.ts'
import type { Log } from '../../../src/server/log.ts'
import { Bucket, prepareS3 } from '../../support/s3-seat.ts'

const s3 = prepareS3()

/** Slots that may tell, of one, what is in another. */
class Lying implements SlotLog {
  readonly address = 'memory://0'
  readonly isCurrent = true
  readonly lies = new Map<number, number>()
  readonly #records: Uint8Array[] = []

  put(slot: number, bytes: Uint8Array): Promise<boolean> {
    this.#records[slot - 1] ??= bytes
    return Promise.resolve(this.#records[slot - 1] === bytes)
  }

  async claim({ next, claim }: ClaimAttempt): Promise<void> {
    await this.put(next, claim)
  }

  get(slot: number): Promise<Uint8Array | undefined> {
    return Promise.resolve(this.#records[(this.lies.get(slot) ?? slot) - 1])
  }

  slots(after: number): Promise<readonly number[]> {
    return Promise.resolve(this.#records.map((_, n) => n + 1).filter((slot) => slot > after))
  }

  trim(): Promise<void> {
    return Promise.resolve()
  }
}

function openShard(slots: SlotLog, id: string, archive?: ShardArchive): Shard {
  return new Shard({ slots, archive, node: { id } })
}

function openLog(shard: Shard): Promise<Log> {
  return new ShardedLogStorage([shard]).open('plan', { create: true })
}

async function readAll(log: Log): Promise<string[]> {
  const payloads: string[] = []
  for await (const { payload } of log.read(1)) payloads.push(payload)
  return payloads
}

const parted = /slot 5 of .* was written behind other records/

/** An owner has appended three times, and the second is told no more: the first claim is, in its place. */
async function lose(slots: Lying, shard: Shard): Promise<void> {
  const log = await openLog(shard)
  await log.append(['1'], 0)
  slots.lies.set(shard.next, 1)
  await log.append(['2'], 1)
  await log.append(['3'], 2)
}

test('a log that has lost what was acknowledged is not gone on with, by whom ever reads it', async () => {
  const slots = new Lying()
  await lose(slots, openShard(slots, 'owner'))
  const reader = openShard(slots, 'reader')
  for (let n = 0; n < 2; n++) await expect(reader.look()).rejects.toThrow(parted)
  await expect(reader.own()).rejects.toThrow(parted)
  await expect(openLog(openShard(slots, 'another'))).rejects.toThrow(parted)
})

test('all is read again once the log tells what is in it', async () => {
  const slots = new Lying()
  await lose(slots, openShard(slots, 'owner'))
  const reader = openShard(slots, 'reader')
  await expect(reader.look()).rejects.toThrow(parted)
  slots.lies.clear()
  const log = await openLog(reader)
  await log.append(['4'], 3)
  expect(await readAll(log)).toEqual(['1', '2', '3', '4'])
})

test('what a log has lost is in the checkpoint of an owner who has it', async () => {
  const { url: endpoint, credentials } = s3.server
  const store = new S3ObjectStore({ url: `s3://${Bucket}`, endpoint, credentials })
  const slots = new Lying()
  const open = (id: string): Shard => openShard(slots, id, new ShardArchive(store, 'checkpoints/'))
  const owner = open('owner')
  await lose(slots, owner)
  await owner.archive()
  const log = await openLog(open('reader'))
  await log.append(['4'], 3)
  expect(await readAll(log)).toEqual(['1', '2', '3', '4'])
  expect(await readAll(await openLog(open('another')))).toEqual(['1', '2', '3', '4'])
})
