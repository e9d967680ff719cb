import { randomUUID } from 'node:crypto'
import { onTestFinished } from 'vitest'
import { S3ObjectStore } from '../../../src/server/bucket/index.ts'
import { BucketSlotLog, Shard } from '../../../src/server/cluster/index.ts'
import type { Node } from '../../../src/server/cluster/nodes.ts'
import { ShardPlacement } from '../../../src/server/cluster/shard-placement.ts'
import { Bucket } from '../../support/s3-seat.ts'
import type { S3Server } from '../../support/s3-server/index.ts'

/** One server of a bucket with a single shard, what it has reported, and what it knows of the shard. */
interface Placed {
  readonly placement: ShardPlacement
  readonly reported: readonly string[]
  readonly shard: Shard
}

/**
 * A server of a bucket, until the test is over. Where nobody has the shard it takes itself for the one that is to have it.
 * @param isAlive whether it takes another one for alive
 */
export function place(server: S3Server, url: string, isAlive: (node: Node) => boolean): Placed {
  const self = { id: randomUUID(), url }
  const store = new S3ObjectStore({ url: `s3://${Bucket}/c`, endpoint: server.url, credentials: server.credentials })
  const shard = new Shard({ slots: new BucketSlotLog(store, 'slots/'), node: self, yields: true })
  const reported: string[] = []
  const placement = new ShardPlacement({
    shards: [shard],
    numberOf: () => 0,
    isInUse: () => true,
    nodes: {
      self,
      join: () => Promise.resolve(),
      leave: () => Promise.resolve(),
      chosen: () => Promise.resolve(self),
      isAlive: (node) => Promise.resolve(node.id === self.id || isAlive(node)),
      doubt: () => undefined,
    },
    lost: () => undefined,
    report: (error) => reported.push((error as Error).message),
  })
  onTestFinished(async () => {
    placement.close()
    await shard.close()
  })
  return { placement, reported, shard }
}
