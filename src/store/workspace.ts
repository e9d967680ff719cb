import { TransactionError } from '../errors/index.ts'
import type { SqlQuery, SqlRow, Transaction, TransactionOptions } from './api.ts'
import type { Engine } from './engine.ts'
import type { Layer } from './layers/row-stack.ts'
import { SqlLive } from './live/sql-live.ts'
import { sqlDependencies } from './live/sql-dependencies.ts'
import { runExec, runQuery } from './sql/run-sql.ts'
import { checkRead } from './sql/statement.ts'
import { SingletonHandle, TableHandle } from './table-handle.ts'

/** What a store and a draft have in common: reading, and writing on behalf of one layer. */
export abstract class Workspace {
  readonly engine: Engine
  readonly #tables = new Map<string, TableHandle>()
  readonly #values = new Map<string, SingletonHandle>()

  constructor(engine: Engine) {
    this.engine = engine
  }

  table(name: string): TableHandle {
    const known = this.#tables.get(name)
    if (known) {
      this.engine.assertOpen()
      return known
    }
    const handle = new TableHandle(this.engine, this.engine.table(name), this.layer, () => this.assertUsable())
    this.#tables.set(name, handle)
    return handle
  }

  value(name: string): SingletonHandle {
    this.engine.assertOpen()
    let value = this.#values.get(name)
    if (!value) {
      const table = this.table(name)
      if (!this.engine.table(name).schema.model.singleton)
        throw new TransactionError(`'${name}' is a table of many rows: use table('${name}')`)
      this.#values.set(name, (value = new SingletonHandle(table)))
    }
    return value
  }

  query(query: SqlQuery): SqlRow[] {
    const rows = runQuery(this.engine, this.engine.statements, query)
    if (this.engine.reads) for (const read of sqlDependencies(this.engine, query.sql).keys()) this.engine.noteRead(read)
    return rows
  }

  live(query: SqlQuery): SqlLive {
    this.engine.assertOpen()
    return new SqlLive(this.engine, checkRead(query))
  }

  exec(query: SqlQuery): { changes: number; rows: SqlRow[] } {
    this.assertUsable()
    return runExec(this.engine, this.layer, query)
  }

  transaction<Result>(fn: (tx: Transaction) => Result, options?: TransactionOptions | null): Result {
    this.assertUsable()
    if (typeof fn !== 'function') throw new TransactionError('transaction expects a function')
    if (Object.prototype.toString.call(fn) === '[object AsyncFunction]')
      throw new TransactionError(
        'a transaction is synchronous: await what you need first, then write in a plain function',
      )
    let ended = false
    const register = (kind: 'commit' | 'rollback', run: () => void): void => {
      if (ended)
        throw new TransactionError(
          `${kind === 'commit' ? 'onCommit' : 'onRollback'} was called after its transaction had ended`,
        )
      this.engine.onEnd(kind, run)
    }
    const run = (): Result => {
      const result = fn({
        onCommit: (then) => register('commit', then),
        onRollback: (then) => register('rollback', then),
      })
      if (isPromiseLike(result)) {
        // Whatever becomes of it, it has nothing to write to any more; its failure is not to go unheard.
        void result.then(undefined, (error: unknown) => {
          this.engine.enqueue(() => {
            throw error
          })
        })
        throw new TransactionError(
          'the function of a transaction returned a promise: a transaction is synchronous, and what it did was undone',
        )
      }
      return result
    }
    try {
      return this.engine.write(this.layer, { label: options?.label, tag: options?.tag }, run)
    } finally {
      ended = true
    }
  }

  /** Throws where nothing can be written any more. */
  abstract assertUsable(): void

  protected abstract get layer(): Layer | undefined
}

function isPromiseLike(value: unknown): value is PromiseLike<unknown> {
  return typeof value === 'object' && value !== null && typeof (value as { then?: unknown }).then === 'function'
}
