import { opfsFiles, opfsPersistence } from '../../../src/persist/index.ts'

const channel = new BroadcastChannel(location.hash.slice(1))
const files = opfsFiles({ directory: 'tests/files' })

/** What the second tab does when the test asks: an append to a file, or opening a storage. */
async function perform({ op, args }: { op: string; args: string[] }): Promise<string> {
  const [first = '', second = ''] = args
  if (op === 'appendFile') await files.appendFile(first, second)
  if (op === 'open') await opfsPersistence({ name: first }).open()
  return 'done'
}

channel.addEventListener('message', (event: MessageEvent<{ id: number; op?: string; args?: string[] }>) => {
  const { id, op, args } = event.data
  if (op === undefined || args === undefined) return
  perform({ op, args })
    .catch((error: unknown) => (error instanceof Error && 'code' in error ? String(error.code) : String(error)))
    // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a BroadcastChannel has none
    .then((result) => channel.postMessage({ id, result }))
    .catch(reportError)
})
// oxlint-disable-next-line unicorn/require-post-message-target-origin -- a BroadcastChannel has none
channel.postMessage({ id: 0, result: 'ready' })
