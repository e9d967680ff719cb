import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { defineSchema } from 'rowcast'
import { LocalBucket } from '../../tests/support/local-bucket.ts'
import { BUCKET, LocalCluster, type LocalNode } from '../../tests/support/local-cluster.ts'
import { NatsCluster } from '../../tests/support/nats-cluster.ts'

/** The package as built, as the other benchmarks take it. */
export const command = fileURLToPath(new URL('../../dist/cli.js', import.meta.url))

export const schema = defineSchema({
  version: 1,
  tables: {
    item: {
      primaryKey: 'id',
      schema: {
        type: 'object',
        required: ['id'],
        additionalProperties: false,
        properties: {
          id: { type: 'string' },
          label: { type: 'string', default: '' },
          x: { type: 'number', default: 0 },
        },
      },
    },
  },
})

/** Where a cluster has its log. */
export interface Place {
  readonly title: string
  /** How long each request to the bucket takes at least. */
  readonly delayMs: number
  /** On three servers of NATS. */
  readonly isNats?: boolean
}

export const places: readonly Place[] = [
  { title: 'S3 + 0 ms', delayMs: 0 },
  { title: 'S3 + 20 ms', delayMs: 20 },
  { title: 'JetStream R3', delayMs: 20, isNats: true },
]

/** A bucket in a process of its own, with a folder, and the servers of a cluster on it. */
export class Scene {
  readonly bucket: LocalBucket
  readonly cluster: LocalCluster

  private constructor(bucket: LocalBucket, cluster: LocalCluster) {
    this.bucket = bucket
    this.cluster = cluster
  }

  /** Runs `work` on one, and ends it. */
  static async with<Result>(
    nodes: number,
    { delayMs, isNats }: Omit<Place, 'title'>,
    work: (scene: Scene) => Promise<Result>,
  ): Promise<Result> {
    const folder = await mkdtemp(join(tmpdir(), 'rowcast-bench-'))
    let bucket: LocalBucket | undefined
    let nats: NatsCluster | undefined
    let scene: Scene | undefined
    try {
      if (isNats) nats = await NatsCluster.start({ servers: 3 })
      bucket = await LocalBucket.start({ bucket: BUCKET, folder: join(folder, 's3'), delayMs })
      const file = await writeSchema(folder)
      const cluster = await LocalCluster.start({ nodes, command, schema: file, bucket, nats })
      scene = new Scene(bucket, cluster)
      return await work(scene)
    } finally {
      await scene?.cluster.close()
      await nats?.close()
      await bucket?.end('SIGKILL')
      await rm(folder, { recursive: true, force: true })
    }
  }

  /** Who looks after a database, once somebody does. */
  async ownerOf(database: string): Promise<LocalNode> {
    for (let attempt = 0; attempt < 100; attempt++) {
      const owner = await this.cluster.ownerOf(database)
      if (owner) return owner
      await delay(100)
    }
    throw new Error(`nobody looks after '${database}'`)
  }

  /** One that does not look after a database, and one that does. */
  async sidesOf(database: string): Promise<{ readonly owner: LocalNode; readonly other: LocalNode }> {
    const owner = await this.ownerOf(database)
    return { owner, other: this.cluster.nodes.find((node) => node !== owner)! }
  }
}

export async function writeSchema(folder: string): Promise<string> {
  const file = join(folder, 'schema.json')
  await writeFile(file, JSON.stringify(schema.definition))
  return file
}
