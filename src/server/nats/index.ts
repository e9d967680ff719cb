/**
 * nats: the log of a shard in a JetStream stream. Imports src/errors, Node, src/server/bucket, of src/server/cluster the
 * contract of slots, and the client `@nats-io/jetstream` and `@nats-io/transport-node` when it is used.
 * @module
 */
export { JetStreamSlotLog, type JetStreamSlotLogOptions, type LargeStore } from './jetstream-slot-log.ts'
export { jetStreamSlots, type JetStreamSlotsOptions } from './jetstream-slots.ts'
export { NatsConnection } from './nats-connection.ts'
export { NatsError } from './nats-error.ts'
export { parseNatsUrl, type NatsCredentials, type NatsOptions } from './nats-options.ts'
