import { afterAll, beforeAll, describe } from 'vitest'
import { JetStreamSlotLog, NatsConnection } from '../../../src/server/nats/index.ts'
import { NatsCluster } from '../../support/nats-cluster.ts'
import { runSlotLogContract, type SlotLogHarness } from '../cluster/slot-log-contract.ts'

describe.for([1, 3])('on %i', (servers) => {
  let cluster: NatsCluster | undefined
  let shard = 0
  beforeAll(async () => {
    cluster = await NatsCluster.start({ servers })
  })
  afterAll(() => cluster?.close())

  runSlotLogContract(
    servers === 1 ? 'one server of NATS' : `${servers} servers of NATS`,
    (): Promise<SlotLogHarness> => {
      shard++
      const { url } = cluster!
      const connections = [new NatsConnection({ url }), new NatsConnection({ url })] as const
      const open = (connection: NatsConnection) => new JetStreamSlotLog({ connection, shard, relaxed: servers < 3 })
      return Promise.resolve({
        logs: [open(connections[0]), open(connections[1])],
        reopens: false,
        done: (asked) => asked,
        dispose: async () => {
          for (const connection of connections) await connection.close()
        },
      })
    },
  )
})
