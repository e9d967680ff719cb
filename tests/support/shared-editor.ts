import { drawFewInstances } from './draw-few-instances.ts'
import { type EditorPage, startEditor } from './editor-page.ts'
import { SyncProcess } from './sync-process.ts'

/** Cities enough for a test of what one does with them. */
const CITIES = 400

/** The editor on a project that a server of its own has, which ends with it. */
export async function startSharedEditor(): Promise<EditorPage> {
  const server = await SyncProcess.start(CITIES)
  try {
    const editor = await startEditor({ search: '', syncUrl: server.url, before: [drawFewInstances] })
    const close = async (): Promise<void> => {
      try {
        await editor.close()
      } finally {
        await server.close()
      }
    }
    return { ...editor, close }
  } catch (error) {
    await server.close()
    throw error
  }
}
