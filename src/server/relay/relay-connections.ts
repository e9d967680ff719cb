import { StoreClosedError } from '../../errors/index.ts'
import { holdFor, type Accept, type ConnectionHandler } from '../../transport/index.ts'
import { boundDatabase } from '../bound-database.ts'
import { budgetKey, type Budgets } from '../budgets.ts'
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

/**
 * Passes connections on to the server that looks after their database; those for this one are for `accept`. Whose it is
 * says the first message: until then a connection is one for `accept` that says nothing.
 */
export function relayConnections(accept: Accept, options: RelayOptions): Accept {
  const { placement, secret, report } = options
  return (connection, request) => {
    const sender = sentBy(request.headers.get(SENT_BY), secret)
    const address = sender ? sender.address : request.address
    const local = accept(connection, { ...request, address })
    let handler: ConnectionHandler = local
    /** What came while it is not known who takes it. */
    let held: string[] | undefined = []
    const releases: (() => void)[] = []
    let isClosed = false

    const letGo = (): void => {
      held = undefined
      for (const release of releases.splice(0)) release()
    }

    const takeHere = (): void => {
      const messages = held ?? []
      letGo()
      handler = local
      for (const message of messages) local.receive(message)
    }

    /** Whose limits count: until another server has answered, those of who says nothing. */
    const taking = (): ConnectionHandler => (held ? local : handler)

    /** Resolves once it is known who takes it. */
    const place = async (database: string): Promise<void> => {
      let last = ''
      for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
        const other = await placement.elsewhere(database, { isSent: sender !== undefined, isStale: attempt > 0 })
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
          messageBytes: options.messageBytes,
          budget: options.budgets.of(budgetKey(undefined, address) ?? 'anyone'),
        })
        handler = relayed
        for (const message of held ?? []) relayed.receive(message)
        const failure = await relayed.answered
        if (failure === undefined) {
          letGo()
          local.closed('it is passed on to another server')
        }
        if (failure === undefined || isClosed) return
        handler = local
        last = `${other.url}: ${failure}`
      }
      throw new Error(`nobody takes a connection for '${database}' (${last})`)
    }

    return {
      receive: (message) => {
        if (!held) {
          handler.receive(message)
          return
        }
        const isFirst = held.push(message) === 1
        const release = holdFor(local, message.length)
        if (release) releases.push(release)
        if (!isFirst) {
          // One that can't be paused says more.
          if (handler !== local) handler.receive(message)
          return
        }
        const database = boundDatabase(request) ?? databaseOfHello(message)
        if (database === undefined || !isDatabaseName(database)) {
          takeHere()
          return
        }
        const resume = connection.pause?.()
        place(database)
          .catch((error: unknown) => {
            // This server goes down: that is no failure.
            if (!(error instanceof StoreClosedError)) report(error)
            if (!isClosed) connection.close(4000, 'unavailable')
          })
          .finally(resume)
      },
      get allowedBytes() {
        return taking().allowedBytes
      },
      hold: (bytes) => holdFor(taking(), bytes),
      tooLarge: () => taking().tooLarge?.(),
      closed: (reason) => {
        isClosed = true
        const isPassedOn = !held && handler !== local
        letGo()
        if (handler !== local) handler.closed(reason)
        if (!isPassedOn) local.closed(reason)
      },
    }
  }
}
