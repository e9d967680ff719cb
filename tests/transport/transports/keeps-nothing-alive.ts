// Run as a process of its own by leaves-nothing.test.ts: it must end on its own after its transport was closed.
import { filter, firstValueFrom } from 'rxjs'
import { sseTransport, webSocketTransport } from '../../../src/transport/transports/index.ts'

const [kind, url = '', ending] = process.argv.slice(2)
const transport = kind === 'sse' ? sseTransport({ url }) : webSocketTransport({ url })
const subscription = transport.messages$.subscribe()
transport.open('db')
if (ending !== 'while connecting') {
  await firstValueFrom(transport.status$.pipe(filter(({ state }) => state !== 'connecting')))
  transport.send('hello')
  if (ending !== 'with a message under way') await firstValueFrom(transport.messages$)
}
subscription.unsubscribe()
transport.close()
