import { setTimeout as delay } from 'node:timers/promises'
import { holdFor, type Accept, type ConnectionHandler } from '../../transport/index.ts'
import { boundDatabase } from '../bound-database.ts'
import { budgetKey, type Budgets } from '../budgets.ts'
import { StoreClosedError } from '../../errors/index.ts'
import type { Placement } from '../log.ts'
import { isDatabaseName } from '../names.ts'
import { databaseOfHello } from './database-of-hello.ts'
import { RelayedConnection } from './relayed-connection.ts'
import { SENT_BY, sentBy, signSender } from './sent-by.ts'

export interface RelayOptions {
  readonly placement: Placement
  /** Known to all servers of these databases and to nobody else. */
  readonly secret: string
  readonly report: (error: unknown) => void
  /** The longest message, in bytes. */
  readonly messageBytes: number
  readonly budgets: Budgets
}

/** How often it is asked where a database is, when the server that was told does not take someone. */
const ATTEMPTS = 4
/** So long a connection waits for a server that takes it. */
const PLACING_MS = 30_000

/**
 * Passes connections on to the server that looks after their database; those for this one are for `accept`. Whose it is
 * says the first message: until then a connection is one for `accept` that says nothing.
 */
export function relayConnections(accept: Accept, options: RelayOptions): Accept {
  const { placement, secret, report, messageBytes, budgets } = options
  return (connection, request) => {
    const sender = sentBy(request.headers.get(SENT_BY), secret)
    const address = sender?.isKnown === true ? sender.address : request.address
    const begin = (): ConnectionHandler => accept(connection, { ...request, address })
    const budget = budgets.of(budgetKey(undefined, address) ?? 'anyone')
    let handler: ConnectionHandler = begin()
    /** What came while it is looked for who takes it. */
    let held: string[] | undefined
    let heldBytes = 0
    let isClosed = false

    const letGo = (): void => {
      held = undefined
      budget.release('memoryBytes', heldBytes)
      heldBytes = 0
    }

    const takeHere = (): void => {
      const messages = held ?? []
      letGo()
      handler = begin()
      for (const message of messages) handler.receive(message)
    }

    /** Resolves once it is known who takes it. */
    const place = async (database: string): Promise<void> => {
      let last = ''
      for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
        const asked = { isSent: sender?.isKnown === true, isStale: attempt > 0 }
        const other = await placement.elsewhere(database, asked)
        if (isClosed) return
        if (!other) {
          takeHere()
          return
        }
        if (sender) {
          // The one that has sent it asks anew where it is.
          connection.close(4000, 'moved')
          return
        }
        const relayed = new RelayedConnection(connection, {
          ...other,
          database,
          headers: { [SENT_BY]: signSender({ address }, secret) },
          messageBytes,
          budget,
        })
        handler = relayed
        for (const message of held ?? []) relayed.receive(message)
        const failure = await relayed.answered
        if (failure === undefined) letGo()
        if (failure === undefined || isClosed) return
        last = `${other.url}: ${failure}`
      }
      throw new Error(`nobody takes a connection for '${database}' (${last})`)
    }

    const hold = (message: string): void => {
      if (!budget.take('memoryBytes', message.length)) {
        connection.close(4000, 'flood')
        return
      }
      heldBytes += message.length
      held!.push(message)
      // One that can't be paused says more.
      if (handler instanceof RelayedConnection) handler.receive(message)
    }

    const look = (database: string, message: string): void => {
      // What it says from now on is another's to judge.
      handler.closed('it has said hello')
      handler = nobody
      held = []
      hold(message)
      const resume = connection.pause?.()
      const waited = new AbortController()
      const tooLate = async (): Promise<never> => {
        await delay(PLACING_MS, undefined, { signal: waited.signal, ref: false })
        throw new Error(`nobody took a connection for '${database}' in ${PLACING_MS / 1000} s`)
      }
      Promise.race([place(database), tooLate()])
        .catch((error: unknown) => {
          // A server that goes down says so by itself.
          if (!(error instanceof StoreClosedError)) report(error)
          if (!isClosed) connection.close(4000, 'unavailable')
        })
        .finally(() => {
          waited.abort()
          resume?.()
        })
    }

    let isFirst = true
    return {
      receive: (message) => {
        const database = isFirst ? (boundDatabase(request) ?? databaseOfHello(message)) : undefined
        if (held) hold(message)
        else if (database !== undefined && isDatabaseName(database)) look(database, message)
        else handler.receive(message)
        isFirst = false
      },
      get allowedBytes() {
        return held ? messageBytes : handler.allowedBytes
      },
      hold: (bytes) => holdFor(handler, bytes),
      tooLarge: () => handler.tooLarge?.(),
      closed: (reason) => {
        isClosed = true
        letGo()
        handler.closed(reason)
      },
    }
  }
}

/** Has a connection of which it is not known yet who takes it. */
const nobody: ConnectionHandler = { receive: () => undefined, closed: () => undefined }
