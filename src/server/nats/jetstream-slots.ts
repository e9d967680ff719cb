import { shardPrefix, type SlotLogs } from '../cluster/slot-log.ts'
import { JetStreamSlotLog, type LargeStore } from './jetstream-slot-log.ts'
import { NatsConnection } from './nats-connection.ts'
import type { NatsOptions } from './nats-options.ts'

export interface JetStreamSlotsOptions extends NatsOptions {
  /** Takes fewer than three servers, or streams that don't outlive the loss of one. */
  readonly relaxed?: boolean | undefined
}

/**
 * The logs of all shards in JetStream, a stream each, over one connection; records that are too large for a message lie in
 * the bucket. Throws RowcastError (`options`) for an address that is none.
 */
export function jetStreamSlots({ relaxed, ...options }: JetStreamSlotsOptions, store: LargeStore): SlotLogs {
  const connection = new NatsConnection(options)
  const open = (shard: number, cluster: string): JetStreamSlotLog =>
    new JetStreamSlotLog({
      connection,
      shard,
      cluster,
      relaxed,
      large: { store, prefix: `${shardPrefix(shard)}large/` },
    })
  return {
    kind: `NATS (${connection.prefix})`,
    // What is wrong with one of its streams is wrong with all, but for what others do to them.
    ready: (cluster) => open(0, cluster).ready(),
    open,
    close: () => connection.close(),
  }
}
