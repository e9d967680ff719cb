import { Worker } from 'node:worker_threads'
import { RowcastError, StoreClosedError } from '../../errors/index.ts'
import type { Schema } from '../../schema/index.ts'
import type { LogEntry } from '../log.ts'
import { arrivedError, carryError } from './carried-error.ts'
import { transferable, type Answer, type FromThread, type Patterns, type Question, type ToThread } from './messages.ts'
import type { WorkHost } from './work-host.ts'
import { doWork, type ResultOf, type Work } from './works.ts'

/** One work, from when it is asked for until it is done. */
interface Task {
  readonly work: Work
  readonly host: WorkHost
  readonly signal: AbortSignal | undefined
  readonly resolve: (result: never) => void
  readonly reject: (error: unknown) => void
}

/** Works that run at the same time; others wait for one to end. */
const THREADS = 2
/** How long a thread waits for the next work. */
const IDLE_MS = 10_000
/** Of the log, what is sent to a thread at once. */
const READ_ENTRIES = 1_000
const READ_LENGTH = 256 * 1024

/** In the package the thread is an entry beside this file, whichever chunk this is in. */
const file = import.meta.url.endsWith('.ts') ? './thread.ts' : './server-thread.js'

/** Worker threads that do works: started when there is something to do, and ended a while after. */
export class Threads {
  readonly #schema: Schema
  readonly #patterns: Patterns
  readonly #idle: Thread[] = []
  readonly #all = new Set<Thread>()
  #waiting: Task[] = []
  #closed = false

  constructor(schema: Schema, patterns: Patterns) {
    this.#schema = schema
    this.#patterns = patterns
  }

  /** The threads there are. */
  get size(): number {
    return this.#all.size
  }

  /**
   * Does a work on a thread. Bytes in it are given away. Rejects with what the work throws; with the signal's reason where
   * it is given up, and RowcastError (`thread`) where the thread ended, out of memory for one.
   */
  run<Asked extends Work>(work: Asked, host: WorkHost, signal?: AbortSignal): Promise<ResultOf<Asked>> {
    return new Promise((resolve, reject) => {
      if (this.#closed) throw new StoreClosedError('the server')
      signal?.throwIfAborted()
      const task: Task = { work, host, signal, resolve, reject }
      signal?.addEventListener('abort', () => this.#giveUp(task), { once: true })
      this.#waiting.push(task)
      this.#next()
    })
  }

  /** Ends the threads; what they do is given up. */
  async close(): Promise<void> {
    this.#closed = true
    for (const { reject } of this.#waiting.splice(0)) reject(new StoreClosedError('the server'))
    await Promise.all([...this.#all].map((thread) => thread.end(new StoreClosedError('the server'))))
  }

  #next(): void {
    if (this.#waiting.length === 0) return
    const thread = this.#idle.pop() ?? (this.#all.size < THREADS ? this.#start() : undefined)
    if (!thread) return
    const task = this.#waiting.shift()!
    void this.#work(thread, task)
  }

  async #work(thread: Thread, task: Task): Promise<void> {
    const isFree = await thread.run(task)
    if (isFree) this.#idle.push(thread)
    this.#next()
  }

  #start(): Thread {
    const thread = new Thread(this.#schema, this.#patterns, () => {
      this.#all.delete(thread)
      const at = this.#idle.indexOf(thread)
      if (at !== -1) this.#idle.splice(at, 1)
    })
    this.#all.add(thread)
    return thread
  }

  #giveUp(task: Task): void {
    task.reject(task.signal?.reason)
    this.#waiting = this.#waiting.filter((one) => one !== task)
    for (const thread of this.#all) if (thread.task === task) void thread.end(task.signal?.reason)
  }
}

/** One worker thread, which does one work at a time. */
class Thread {
  readonly #worker: Worker
  readonly #schema: Schema
  readonly #patterns: Patterns
  readonly #ended: () => void
  #isOver = false
  #idle: NodeJS.Timeout | undefined
  #finish: ((isFree: boolean) => void) | undefined
  task: Task | undefined

  constructor(schema: Schema, patterns: Patterns, ended: () => void) {
    this.#schema = schema
    this.#patterns = patterns
    this.#ended = ended
    this.#worker = new Worker(new URL(file, import.meta.url))
    this.#worker.on('message', (message: FromThread) => this.#hear(message))
    this.#worker.on('messageerror', (cause) => void this.end(failure(cause)))
    this.#worker.on('error', (cause) => this.#over(failure(cause)))
    this.#worker.on('exit', () => this.#over(failure(undefined)))
  }

  /** Whether it can do another one then. */
  run(task: Task): Promise<boolean> {
    clearTimeout(this.#idle)
    this.#worker.ref()
    this.task = task
    const { migrations: _code, ...definition } = this.#schema.definition
    const migrations = Object.keys(this.#schema.migrations)
    // With migrations the main thread may have to do it after all, and needs its bytes then.
    const given = migrations.length === 0 ? bytesIn(task.work) : undefined
    this.#post({ type: 'work', work: task.work, definition, migrations, patterns: this.#patterns }, transferable(given))
    return new Promise((finish) => {
      this.#finish = finish
    })
  }

  async end(reason: unknown): Promise<void> {
    this.#over(reason)
    await this.#worker.terminate()
  }

  #hear(message: FromThread): void {
    const { task } = this
    if (!task) return
    if (message.type === 'progress') task.host.progress(message.progress)
    else if (message.type === 'question') void this.#answer(task, message.call, message.question)
    else {
      if (message.type === 'done') task.resolve(message.result as never)
      else if (message.needsCode)
        doWork(task.work, task.host, this.#schema).then((result) => task.resolve(result as never), task.reject)
      else task.reject(arrivedError(message.error))
      this.#free(true)
    }
  }

  async #answer(task: Task, call: number, question: Question): Promise<void> {
    let message: ToThread
    try {
      message = { type: 'answer', call, answer: await answerTo(task.host, question) }
    } catch (error) {
      message = { type: 'answer', call, error: carryError(error) }
    }
    if (this.#isOver) return
    const bytes = 'answer' in message && message.answer instanceof Uint8Array ? message.answer : undefined
    this.#post(message, transferable(bytes))
  }

  #post(message: ToThread, given: readonly ArrayBuffer[]): void {
    this.#worker.postMessage(message, [...given])
  }

  #free(isFree: boolean): void {
    this.task = undefined
    if (isFree) {
      // A process that has nothing else to do ends.
      this.#worker.unref()
      this.#idle = setTimeout(() => void this.end(undefined), IDLE_MS).unref()
    }
    this.#finish?.(isFree)
    this.#finish = undefined
  }

  #over(reason: unknown): void {
    if (this.#isOver) return
    this.#isOver = true
    clearTimeout(this.#idle)
    this.#ended()
    this.task?.reject(reason)
    this.#free(false)
  }
}

async function answerTo({ log, snapshots, take }: WorkHost, { what, given }: Question): Promise<Answer> {
  switch (what) {
    case 'list':
      return snapshots.list(...given)
    case 'bounds':
      return log.bounds()
    case 'get':
      return snapshots.get(...given)
    case 'take':
      await take(...given)
      return undefined
    case 'read': {
      const [from, limit] = given
      const entries: LogEntry[] = []
      let length = 0
      for await (const entry of log.read(from, Math.min(limit, READ_ENTRIES))) {
        entries.push(entry)
        length += entry.payload.length
        if (length > READ_LENGTH) break
      }
      return entries
    }
  }
}

function bytesIn(work: Work): Uint8Array | undefined {
  if (work.kind === 'create') return work.file
  return work.kind === 'replace' && typeof work.to !== 'number' ? work.to : undefined
}

function failure(cause: unknown): RowcastError<'thread'> {
  const why = cause instanceof Error ? cause.message : 'it ended'
  return new RowcastError(
    'thread',
    `a worker thread of the server failed: ${why}: where it had too little memory, give Node more (--max-old-space-size)`,
    { cause },
  )
}
