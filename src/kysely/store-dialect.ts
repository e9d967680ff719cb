import {
  SqliteAdapter,
  SqliteIntrospector,
  SqliteQueryCompiler,
  type DatabaseIntrospector,
  type Dialect,
  type DialectAdapter,
  type Driver,
  type Kysely,
  type QueryCompiler,
} from 'kysely'
import { StoreDriver, type StatementRunner } from './store-driver.ts'

/** Kysely's SQLite, run by a store or a draft. Its introspection is refused by the store, whose schema tells all. */
export class StoreDialect implements Dialect {
  readonly #workspace: StatementRunner

  constructor(workspace: StatementRunner) {
    this.#workspace = workspace
  }

  createAdapter(): DialectAdapter {
    return new SqliteAdapter()
  }

  createDriver(): Driver {
    return new StoreDriver(this.#workspace)
  }

  createIntrospector(db: Kysely<unknown>): DatabaseIntrospector {
    return new SqliteIntrospector(db)
  }

  createQueryCompiler(): QueryCompiler {
    return new SqliteQueryCompiler()
  }
}
