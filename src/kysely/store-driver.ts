import type { CompiledQuery, DatabaseConnection, Driver, QueryResult } from 'kysely'
import { TransactionError } from '../errors/index.ts'
import { isWrite, type Workspace } from '../store/index.ts'

/** As much of a store or a draft as statements need. */
export type StatementRunner = Pick<Workspace<never>, 'query' | 'exec'>

/** One connection, which is the store itself: nothing is opened, waited for or closed. */
export class StoreDriver implements Driver {
  readonly #connection: DatabaseConnection

  constructor(workspace: StatementRunner) {
    this.#connection = new StoreConnection(workspace)
  }

  async init(): Promise<void> {}

  async acquireConnection(): Promise<DatabaseConnection> {
    return this.#connection
  }

  beginTransaction(): Promise<void> {
    return refuseTransaction()
  }

  commitTransaction(): Promise<void> {
    return refuseTransaction()
  }

  rollbackTransaction(): Promise<void> {
    return refuseTransaction()
  }

  async releaseConnection(): Promise<void> {}

  async destroy(): Promise<void> {}
}

class StoreConnection implements DatabaseConnection {
  readonly #workspace: StatementRunner

  constructor(workspace: StatementRunner) {
    this.#workspace = workspace
  }

  async executeQuery<Row>(query: CompiledQuery): Promise<QueryResult<Row>> {
    if (!isWrite(query)) return { rows: this.#workspace.query<Row>(query) }
    const { changes, rows } = this.#workspace.exec(query)
    return { numAffectedRows: BigInt(changes), rows: rows as Row[] }
  }

  async *streamQuery<Row>(query: CompiledQuery): AsyncIterableIterator<QueryResult<Row>> {
    yield await this.executeQuery<Row>(query)
  }
}

async function refuseTransaction(): Promise<never> {
  throw new TransactionError(
    "a store's transactions are synchronous, Kysely's are not: use store.transaction(() => …), and inside it exec(store, query) and run(store, query) instead of query.execute()",
  )
}
