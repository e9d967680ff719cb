/**
 * A worker thread of the server: it does one work after another (works.ts), and asks the main thread for what is kept of a
 * database. It is a file of its own in the package, `server-thread.js`.
 * @module
 */
import { setPriority } from 'node:os'
import { parentPort, type MessagePort } from 'node:worker_threads'
import { defineSchema, withPatterns, type Schema } from '../../schema/index.ts'
import type { LogEntry } from '../log.ts'
import { linearPatterns } from '../patterns/index.ts'
import { arrivedError, carryError } from './carried-error.ts'
import { transferable, type FromThread, type Question, type Questions, type ToThread } from './messages.ts'
import type { WorkHost } from './work-host.ts'
import { doWork } from './works.ts'

type WorkMessage = ToThread & { readonly type: 'work' }

/** Of those of an operating system, where 0 is the usual one and 19 the lowest. */
const LOW_PRIORITY = 10

const port: MessagePort = parentPort!
const waiting = new Map<
  number,
  { readonly resolve: (answer: never) => void; readonly reject: (error: Error) => void }
>()
let calls = 0
let needsCode = false
let known: { readonly text: string; readonly schema: Schema } | undefined

yieldToMain()
port.on('message', (message: ToThread) => {
  if (message.type === 'work') void run(message)
  else settle(message)
})

/** Where there are fewer processors than work, edits go before what takes long. */
function yieldToMain(): void {
  // Elsewhere a priority is that of the whole process.
  if (process.platform !== 'linux') return
  try {
    setPriority(0, LOW_PRIORITY)
  } catch (error) {
    // A container may forbid it: then it has the priority that it has.
    if (!(error instanceof Error && 'code' in error)) throw error
  }
}

async function run({ work, ...asked }: WorkMessage): Promise<void> {
  needsCode = false
  try {
    const result = await doWork(work, host, schemaOf(asked))
    post({ type: 'done', result }, 'bytes' in result ? transferable(result.bytes) : [])
  } catch (error) {
    post({ type: 'failed', error: carryError(error), needsCode })
  }
}

const host: WorkHost = {
  snapshots: {
    list: (database) => ask('list', [database]),
    get: (database, sequence) => ask('get', [database, sequence]),
  },
  log: { bounds: () => ask('bounds', []), read },
  take: (changes) => ask('take', [changes]),
  progress: (progress) => post({ type: 'progress', progress }),
}

async function* read(from: number, limit: number = Number.POSITIVE_INFINITY): AsyncGenerator<LogEntry> {
  for (let left = limit, next = from; left > 0;) {
    const entries = await ask('read', [next, left])
    if (entries.length === 0) return
    yield* entries
    left -= entries.length
    next = entries.at(-1)!.sequence + 1
  }
}

function ask<What extends keyof Questions>(
  what: What,
  given: Questions[What]['given'],
): Promise<Questions[What]['answer']> {
  const call = ++calls
  return new Promise((resolve, reject) => {
    waiting.set(call, { resolve, reject })
    post({ type: 'question', call, question: { what, given } as Question })
  })
}

function settle(message: ToThread & { readonly type: 'answer' }): void {
  const asked = waiting.get(message.call)
  waiting.delete(message.call)
  if ('error' in message) asked?.reject(arrivedError(message.error))
  else asked?.resolve(message.answer as never)
}

/** Checked and compiled once for all works of a server. */
function schemaOf({ definition, migrations, patterns }: Omit<WorkMessage, 'work'>): Schema {
  const text = JSON.stringify([definition, migrations, patterns])
  if (known?.text !== text) {
    const missing = (): never => {
      needsCode = true
      throw new Error('the code of a migration is on the main thread')
    }
    const steps = Object.fromEntries(migrations.map((version) => [version, missing]))
    const schema = defineSchema({ ...definition, ...(migrations.length > 0 && { migrations: steps }) })
    known = { text, schema: patterns === 'native' ? schema : withPatterns(schema, linearPatterns) }
  }
  return known.schema
}

function post(message: FromThread, given: readonly ArrayBuffer[] = []): void {
  port.postMessage(message, [...given])
}
