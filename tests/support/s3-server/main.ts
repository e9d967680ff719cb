import { parseArgs } from 'node:util'
import { S3Server } from './s3-server.ts'

// A process of its own, to be killed: `node main.ts --port 9000 --folder … --bucket a --bucket b`. It writes one line
// of JSON once it listens: its URL and its credentials. What it acknowledged outlives a kill if it has a folder. Forked, it
// tells its parent how much came when it is asked `{ ask: 'traffic' }`, and ends with it, whatever a terminal says.
const { values } = parseArgs({
  options: {
    port: { type: 'string', default: '0' },
    folder: { type: 'string' },
    bucket: { type: 'string', multiple: true, default: [] },
    /** How long each request takes at least, in milliseconds. */
    'delay-ms': { type: 'string', default: '0' },
  },
})
const delayMs = Number(values['delay-ms'])
const server = await S3Server.open({
  port: Number(values.port),
  buckets: values.bucket,
  ...(values.folder === undefined ? {} : { folder: values.folder }),
  ...(delayMs > 0 ? { fault: () => ({ kind: 'delay', wait: delayMs }) } : {}),
})
process.stdout.write(`${JSON.stringify({ url: server.url, ...server.credentials })}\n`)
const end = (): void => void server.close()
if (process.send) {
  process.on('SIGINT', () => undefined)
  process.once('SIGTERM', () => process.disconnect())
  process.once('disconnect', end)
  process.on('message', () => process.send!(server.traffic.total))
} else for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, end)
