// A server as a process of its own: node soak-server.ts DIRECTORY. Prints its address; answers each message with its Figures.
import { monitorEventLoopDelay } from 'node:perf_hooks'
import { createServer, fileStorage } from '../../../src/server/index.ts'
import { soakSchema, type Figures } from './soak-schema.ts'

const NS = 1e6
const SAMPLE_MS = 50

const reports: string[] = []
const server = createServer({
  schema: soakSchema,
  storage: fileStorage(process.argv[2]!),
  authenticate: ({ token }) => (token === undefined ? undefined : { id: token, name: token, admin: token === 'root' }),
  authorize: ({ user, action }) => action === 'open' || user?.id === 'root',
  permissions: {
    note: { canView: true, canCreate: true, canUpdate: { owner: '$user.id' }, canDelete: { owner: '$user.id' } },
    heap: { canView: true, canCreate: true, canUpdate: true, canDelete: true },
    text: { canView: true, canCreate: { id: { in: ['a', 'b'] } } },
  },
  onError: (error) => reports.push(error instanceof Error ? (error.stack ?? error.message) : String(error)),
})
const { url } = await server.listen({ port: 0 })

const delay = monitorEventLoopDelay({ resolution: 5 })
delay.enable()
let most = process.memoryUsage()
setInterval(() => {
  const { rss, heapUsed } = process.memoryUsage()
  most = { ...most, rss: Math.max(most.rss, rss), heapUsed: Math.max(most.heapUsed, heapUsed) }
}, SAMPLE_MS).unref()

process.on('message', () => {
  const figures: Figures = {
    rss: most.rss,
    heapUsed: most.heapUsed,
    longest: delay.max / NS,
    p99: delay.percentile(99) / NS,
    reports: reports.splice(0),
  }
  delay.reset()
  most = process.memoryUsage()
  process.send!(figures)
})
// With the one who started it.
process.once('disconnect', () => {
  server.close().then(
    () => process.exit(0),
    () => process.exit(1),
  )
})
process.stdout.write(`${url}\n`)
