import { createServer } from 'node:http'
import { createSseHandler, sseTransport } from '../../../src/transport/transports/index.ts'
import { deadHost, listen, toNode } from './peer.ts'
import { runTransportContract } from './transport-contract.ts'

runTransportContract('sseTransport', async (accept) => {
  const { host, stop } = await listen(createServer(toNode(createSseHandler(accept))))
  const nowhere = await deadHost()
  return {
    create: () => sseTransport({ url: `http://${host}/v1/databases/scene` }),
    createUnreachable: () => sseTransport({ url: `http://${nowhere}` }),
    stop,
  }
})
