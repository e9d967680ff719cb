import { randomUUID } from 'node:crypto'
import { RowcastError } from '../../errors/index.ts'
import { sha256, type ObjectStore } from '../bucket/index.ts'

/** What all servers of a cluster have the same. */
export interface Cluster {
  readonly version: number
  readonly shards: number
  /** So that no two are the same. */
  readonly id: string
  /** Where the logs of shards lie, where that is not the bucket. */
  readonly log?: string | undefined
}

const KEY = 'cluster.json'
const SHARDS = 16
const IN_THE_BUCKET = 'bucket'

/**
 * What the first server of a cluster said, which this one is if there was none. Throws RowcastError (`options`) where this one
 * wants it otherwise, `data` where it is damaged.
 */
export async function agreeOnCluster(
  store: ObjectStore,
  { shards, log }: { readonly shards: number | undefined; readonly log: string },
): Promise<Cluster> {
  const said = { version: 1, shards: shards ?? SHARDS, id: randomUUID(), ...(log !== IN_THE_BUCKET && { log }) }
  if (await store.create(KEY, Buffer.from(formatCluster(said)))) return said
  const known = parseCluster(Buffer.from((await store.get(KEY)) ?? []).toString())
  const refuse = (what: string): RowcastError => new RowcastError('options', `${store.address} ${what}`)
  if (!known)
    throw new RowcastError(
      'data',
      `${store.address}${KEY} is not as rowcast wrote it: restore it from a copy, or give a prefix of the bucket that nothing else has`,
    )
  if (known.version !== 1) throw refuse('is of a newer rowcast: start that version')
  const { log: its = IN_THE_BUCKET } = known
  if (its !== log) throw refuse(`has its log in ${its}, not in ${log}: that is fixed with the first start`)
  if (shards !== undefined && shards !== known.shards)
    throw refuse(`has ${known.shards} shards, not ${shards}: their number is fixed with the first start`)
  return known
}

function formatCluster({ version, shards, id, log }: Cluster): string {
  const cluster = { version, shards, id, log }
  return JSON.stringify({ ...cluster, sha256: sha256(JSON.stringify(cluster)) })
}

/** `undefined` where it is not as it was written. */
function parseCluster(text: string): Cluster | undefined {
  try {
    const known = JSON.parse(text) as Cluster
    return formatCluster(known) === text ? known : undefined
  } catch {
    return undefined
  }
}
