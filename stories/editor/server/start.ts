// The editor with its server, as one command: the sync server, and vite's dev server, which passes /v1 on to it.
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { createServer } from 'vite'
import { proxyTo } from './proxy.ts'
import { startSyncServer } from './sync-server.ts'

const { values } = parseArgs({
  options: { data: { type: 'string' }, port: { type: 'string' }, host: { type: 'string' } },
})
const directory = values.data ?? fileURLToPath(new URL('../../../.rowcast', import.meta.url))
const sync = await startSyncServer({ directory })
const vite = await createServer({
  configFile: fileURLToPath(new URL('../vite.config.ts', import.meta.url)),
  server: {
    proxy: proxyTo(sync.url),
    ...(values.port !== undefined && { port: Number(values.port), strictPort: true }),
    ...(values.host !== undefined && { host: values.host }),
  },
})
await vite.listen()
vite.printUrls()
process.stdout.write(
  `  Databases in ${directory}. Open a second window to edit together; ?local works without the server.\n`,
)

async function end(): Promise<void> {
  await vite.close()
  await sync.close()
}

let ending = false
for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.on(signal, () => {
    // A second one ends it at once: what is acknowledged is on disk.
    if (ending) process.exit(1)
    ending = true
    end().then(
      () => process.exit(0),
      (error: unknown) => {
        process.stderr.write(`${String(error)}\n`)
        process.exit(1)
      },
    )
  })
}
