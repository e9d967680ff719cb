// Runs the editor's sync server alone: node serve.ts --data DIRECTORY [--port NUMBER] [--cities NUMBER]
import { parseArgs } from 'node:util'
import { startSyncServer } from './sync-server.ts'

const { values } = parseArgs({
  options: { data: { type: 'string' }, port: { type: 'string' }, cities: { type: 'string' } },
})
if (values.data === undefined) throw new Error('usage: serve.ts --data DIRECTORY [--port NUMBER] [--cities NUMBER]')
const number = (text: string | undefined): number | undefined => (text === undefined ? undefined : Number(text))
const listening = await startSyncServer({
  directory: values.data,
  port: number(values.port),
  cities: number(values.cities),
})
process.stdout.write(`${listening.url}\n`)
const end = (): void => {
  listening.close().catch((error: unknown) => {
    process.stderr.write(`${String(error)}\n`)
    process.exitCode = 1
  })
}
process.once('SIGINT', end)
process.once('SIGTERM', end)
