import { Counter, Gauge, Histogram, Registry } from 'prom-client'
import { holdFor, type Accept } from '../../transport/index.ts'
import type { Databases } from '../databases.ts'
import type { LiveDatabase } from '../live-database.ts'
import type { Log, LogStorage } from '../log.ts'

/** What a server counts, in a registry of its own: several servers of one process don't meet in it. */
export class Metrics {
  readonly registry: Registry = new Registry()
  readonly #transactions: Counter<'outcome'>
  readonly #append: Histogram
  readonly #bytes: Counter<'direction'>

  constructor() {
    const registers = [this.registry]
    this.#transactions = new Counter({
      name: 'rowcast_transactions_total',
      help: 'Transactions of clients by what became of them: committed, known (sent again), or the code of the refusal.',
      labelNames: ['outcome'],
      registers,
    })
    this.#append = new Histogram({
      name: 'rowcast_log_append_seconds',
      help: 'Time until an append to a log was durable.',
      buckets: [0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 5],
      registers,
    })
    this.#bytes = new Counter({
      name: 'rowcast_sync_characters_total',
      help: 'Characters of the messages of the sync protocol, by direction: in, out.',
      labelNames: ['direction'],
      registers,
    })
    processMetrics(registers)
  }

  /** Also measures what can be asked for at any time. */
  observe(databases: Databases, sessions: ReadonlySet<unknown>): void {
    const registers = [this.registry]
    gauge('rowcast_open_databases', 'Databases that are open.', registers, () => databases.opened)
    gauge('rowcast_sessions', 'Connections of the sync protocol.', registers, () => sessions.size)
    databases.watch((database) => this.#watch(database))
  }

  /** The same logs, with their appends timed. */
  timed(logs: LogStorage): LogStorage {
    return {
      open: async (...args) => this.#timedLog(await logs.open(...args)),
      list: () => logs.list(),
      delete: (database) => logs.delete(database),
      ready: async () => logs.ready?.(),
      close: async () => logs.close?.(),
      placement: logs.placement,
    }
  }

  /** The same, with what passes through counted. */
  counted(accept: Accept): Accept {
    const received = this.#bytes.labels('in')
    const sent = this.#bytes.labels('out')
    return (connection, request) => {
      const handler = accept(
        {
          send: (message) => {
            sent.inc(message.length)
            connection.send(message)
          },
          get buffered() {
            return connection.buffered
          },
          line: connection.line ?? connection,
          pause: connection.pause && (() => connection.pause!()),
          close: (code, reason) => connection.close(code, reason),
        },
        request,
      )
      return {
        receive: (message) => {
          received.inc(message.length)
          handler.receive(message)
        },
        get allowedBytes() {
          return handler.allowedBytes
        },
        hold: (bytes) => holdFor(handler, bytes),
        tooLarge: () => handler.tooLarge?.(),
        closed: (reason) => handler.closed(reason),
      }
    }
  }

  #watch(database: LiveDatabase): void {
    database.listen({
      decided: ({ outcomes }) => {
        for (const { outcome } of outcomes)
          this.#transactions.inc({ outcome: outcome.kind === 'refused' ? outcome.code : outcome.kind })
      },
      end: () => undefined,
    })
  }

  #timedLog(log: Log): Log {
    return {
      bounds: () => log.bounds(),
      append: async (payloads, ...place) => {
        // Of nothing it only tells whether the log is as it was.
        if (payloads.length === 0) return log.append(payloads, ...place)
        const stop = this.#append.startTimer()
        await log.append(payloads, ...place)
        stop()
      },
      read: (from, limit) => log.read(from, limit),
      bytes: (from, to) => log.bytes(from, to),
      trim: (before) => log.trim(before),
      close: () => log.close(),
      ...(log.prove && { prove: () => log.prove!() }),
    }
  }
}

/** prom-client's own set keeps observers that nothing ends, as often as it is asked for. */
function processMetrics(registers: readonly Registry[]): void {
  const started = Math.round(Date.now() / 1000 - process.uptime())
  gauge('process_start_time_seconds', 'When the process began, in seconds since 1970.', registers, () => started)
  gauge('process_resident_memory_bytes', 'Resident memory.', registers, () => process.memoryUsage.rss())
  gauge('nodejs_heap_used_bytes', 'Heap in use.', registers, () => process.memoryUsage().heapUsed)
  gauge('process_cpu_seconds', 'Processor time so far.', registers, () => {
    const { user, system } = process.cpuUsage()
    return (user + system) / 1e6
  })
}

function gauge(name: string, help: string, registers: readonly Registry[], read: () => number): void {
  const metric = new Gauge({
    name,
    help,
    registers: [],
    collect() {
      this.set(read())
    },
  })
  for (const registry of registers) registry.registerMetric(metric)
}
