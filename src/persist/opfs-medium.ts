import { estimateOrigin } from './browser-storage.ts'
import type { LoadedContents, Medium } from './medium.ts'
import type { OpfsAnswer, OpfsRequest } from './opfs-messages.ts'
import { PersistenceError } from './persistence-error.ts'

/** The page's end of the worker that holds the files. */
export class OpfsMedium implements Medium {
  /** Whether nothing was kept there when it was opened. */
  readonly wasEmpty: boolean
  readonly #worker: Worker
  readonly #release: () => void

  /** Opens a folder in the worker; `undefined` where it has no OPFS. The caller ends the worker then, and on a rejection. */
  static async open(worker: Worker, folder: string, release: () => void): Promise<OpfsMedium | undefined> {
    const answer = await ask(worker, { op: 'open', folder })
    return 'isEmpty' in answer ? new OpfsMedium(worker, release, answer.isEmpty) : undefined
  }

  private constructor(worker: Worker, release: () => void, wasEmpty: boolean) {
    this.wasEmpty = wasEmpty
    this.#worker = worker
    this.#release = release
  }

  async load(): Promise<LoadedContents> {
    const answer = await ask(this.#worker, { op: 'load' })
    return ('contents' in answer ? answer.contents : undefined) ?? { snapshot: undefined, records: [] }
  }

  async append(records: readonly Uint8Array[]): Promise<void> {
    await ask(this.#worker, { op: 'append', records: records.map(ownBytes) })
  }

  async replace(snapshot: Uint8Array | undefined, records: readonly Uint8Array[]): Promise<void> {
    await ask(this.#worker, { op: 'replace', snapshot: snapshot && ownBytes(snapshot), records: records.map(ownBytes) })
  }

  async isWhole(): Promise<boolean> {
    const answer = await ask(this.#worker, { op: 'isWhole' })
    return 'isWhole' in answer && answer.isWhole
  }

  estimate(): ReturnType<Medium['estimate']> {
    return estimateOrigin()
  }

  async close(): Promise<void> {
    try {
      await ask(this.#worker, { op: 'close' })
    } finally {
      this.#worker.terminate()
      this.#release()
    }
  }
}

/** The session asks for one thing at a time, so the next message is the answer. */
async function ask(worker: Worker, request: OpfsRequest): Promise<OpfsAnswer> {
  const listening = new AbortController()
  try {
    const answer = await new Promise<OpfsAnswer>((resolve, reject) => {
      const { signal } = listening
      worker.addEventListener('message', (event: MessageEvent<OpfsAnswer>) => resolve(event.data), { signal })
      worker.addEventListener('error', (event) => reject(notLoaded(event)), { signal })
      // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a worker has none
      worker.postMessage(request)
    })
    if ('error' in answer) throw rebuilt(answer.error)
    return answer
  } finally {
    listening.abort()
  }
}

/** A part of a larger buffer would be sent with the whole of it. */
function ownBytes(bytes: Uint8Array): Uint8Array {
  return bytes.byteLength === bytes.buffer.byteLength ? bytes : bytes.slice()
}

function rebuilt({ name, message, code }: Extract<OpfsAnswer, { error: unknown }>['error']): Error {
  return code ? new PersistenceError(code, message) : new DOMException(message, name)
}

function notLoaded(event: ErrorEvent): PersistenceError {
  return new PersistenceError(
    'persistence-unavailable',
    `the worker of opfsPersistence failed${event.message ? ` (${event.message})` : ''}: check that opfs-worker.js is served ` +
      'and that the Content-Security-Policy allows it, or pass `worker`',
    { cause: event.error },
  )
}
