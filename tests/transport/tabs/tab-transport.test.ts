import { acceptMux, memoryTransport, tabTransport, type Transport } from 'rowcast/transport'
import { filter, firstValueFrom } from 'rxjs'
import { runTransportContract } from '../transports/transport-contract.ts'

/** The tab that is asked and, where it is to follow, one that leads before it. */
for (const role of ['leader', 'follower'] as const)
  runTransportContract(`tabTransport of a ${role}`, async (accept) => {
    const made: Transport[] = []
    const create = (name: string, transport: () => Transport): Transport => {
      const tab = tabTransport({ name, transport })
      made.push(tab)
      return tab
    }
    const lead = async (name: string, transport: () => Transport): Promise<void> => {
      const leader = create(name, transport)
      leader.open('db')
      await firstValueFrom(leader.status$.pipe(filter(({ state }) => state !== 'connecting')))
    }
    const [name, nowhere] = [crypto.randomUUID(), crypto.randomUUID()]
    let leading = false
    // The leader's own session is none of what the contract looks at.
    const served = acceptMux((connection, request) => {
      if (!leading) return accept(connection, request)
      leading = false
      return { receive: () => undefined, closed: () => undefined }
    })
    const reach = (): Transport => memoryTransport(served)
    const refuse = (): Transport =>
      memoryTransport((connection) => {
        connection.close(1013, 'nobody is here')
        return { receive: () => undefined, closed: () => undefined }
      })
    if (role === 'follower') {
      leading = true
      await lead(name, reach)
      await lead(nowhere, refuse)
    }
    return {
      create: () => create(name, reach),
      createUnreachable: () => create(nowhere, refuse),
      stop: async () => {
        for (const tab of made) tab.close()
      },
    }
  })
