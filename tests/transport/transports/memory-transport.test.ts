import { memoryTransport } from '../../../src/transport/transports/index.ts'
import { runTransportContract } from './transport-contract.ts'

runTransportContract('memoryTransport', async (accept) => ({
  create: () => memoryTransport(accept),
  createUnreachable: () =>
    memoryTransport((connection) => {
      connection.close(1013, 'nobody is here')
      return { receive: () => undefined, closed: () => undefined }
    }),
  stop: () => Promise.resolve(),
}))
