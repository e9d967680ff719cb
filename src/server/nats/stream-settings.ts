import type { StreamConfig } from '@nats-io/jetstream'
import { RowcastError } from '../../errors/index.ts'

/** Servers that hold a stream, so that one may be lost without any loss. */
export const ENOUGH_REPLICAS = 3

/** The settings that a stream needs to be the log of a shard. */
export function streamSettings(
  name: string,
  subject: string,
  replicas: number,
): Partial<StreamConfig> & { name: string } {
  return {
    name,
    subjects: [subject],
    description: 'The log of a shard of rowcast: nothing else may write to it, or delete from it',
    storage: 'file',
    retention: 'limits',
    discard: 'new',
    num_replicas: replicas,
    max_msgs: -1,
    max_bytes: -1,
    max_age: 0,
    max_msg_size: -1,
    max_msgs_per_subject: -1,
    // Beyond what is asked for here, replicas would answer that are behind.
    allow_direct: false,
  }
}

/** Throws RowcastError (`options`) for a stream that loses what was acknowledged. */
export function assertStreamSettings(
  config: StreamConfig,
  subject: string,
  { relaxed }: { readonly relaxed: boolean },
): void {
  const { name, subjects, storage, num_replicas: replicas, retention } = config
  if (config.mirror || config.sources?.length || subjects.length !== 1 || subjects[0] !== subject)
    throw refusal(name, `takes other messages than those of ${subject}`, 'give another name, or move that stream away')
  const limits = [config.max_msgs, config.max_bytes, config.max_age, config.max_msg_size, config.max_msgs_per_subject]
  if (retention !== 'limits' || limits.some((limit) => (limit ?? 0) > 0))
    throw refusal(name, 'has limits, by which it deletes or refuses', 'take them off (nats stream edit)')
  if (config.sealed || config.deny_delete || config.no_ack)
    throw refusal(
      name,
      'is sealed, lets nothing be deleted or acknowledges nothing',
      'make it anew without these settings',
    )
  if (relaxed) return
  if (storage !== 'file')
    throw refusal(name, 'lies in memory', 'make it anew with file storage, or say that it may be lost (relaxed)')
  if (replicas < ENOUGH_REPLICAS)
    throw refusal(
      name,
      `has ${replicas} replicas`,
      `give it ${ENOUGH_REPLICAS} (nats stream edit --replicas ${ENOUGH_REPLICAS}), or say that it may be lost with a server (relaxed)`,
    )
}

function refusal(name: string, what: string, remedy: string): RowcastError<'options'> {
  return new RowcastError('options', `the stream ${name} ${what}: ${remedy}`)
}
