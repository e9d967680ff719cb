// The editor with its server, as one command: the sync server, and vite's server of the built editor, which passes /v1 on
// to it. With --dev it is vite's server of the sources, which loads the page anew when they change.
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { build, createServer, preview, type InlineConfig } from 'vite'
import { proxyTo } from './proxy.ts'
import { startSyncServer } from './sync-server.ts'

const { values } = parseArgs({
  options: {
    data: { type: 'string' },
    port: { type: 'string' },
    host: { type: 'string' },
    cities: { type: 'string' },
    dev: { type: 'boolean', default: false },
  },
})
const directory = values.data ?? fileURLToPath(new URL('../../../.rowcast', import.meta.url))
const sync = await startSyncServer({
  directory,
  cities: values.cities === undefined ? undefined : Number(values.cities),
})
const page = await servePage({
  proxy: proxyTo(sync.url),
  ...(values.port !== undefined && { port: Number(values.port), strictPort: true }),
  ...(values.host !== undefined && { host: values.host }),
})
page.printUrls()
process.stdout.write(
  `  Databases in ${directory}. Open a second window to edit together; ?local works without the server.\n`,
)

async function servePage(server: NonNullable<InlineConfig['preview']>) {
  const configFile = fileURLToPath(new URL('../vite.config.ts', import.meta.url))
  if (values.dev) return (await createServer({ configFile, server })).listen()
  // At each start: it takes a few seconds, and what is served is what the sources say.
  process.stdout.write('Building the editor …\n')
  await build({ configFile, logLevel: 'error' })
  return preview({ configFile, preview: server })
}

async function end(): Promise<void> {
  await page.close()
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
