import { Observable } from 'rxjs'
import type { KeyId } from '../../changes/index.ts'
import type { Engine } from '../engine.ts'
import { everything } from '../filter/index.ts'
import type { NetRow } from '../rows/cells.ts'
import { liveIndexOf, type Follower } from './live-index.ts'
import type { TableQuery } from './table-query.ts'

/**
 * How many rows pass a filter: now, then whenever it is another number. The keys that pass are known, so that a change
 * costs the rows that it concerns; without a filter SQLite counts, when rows come or go.
 */
export function liveCount(engine: Engine, query: TableQuery, count: () => number): Observable<number> {
  return new Observable<number>((subscriber) => {
    if (engine.closed) {
      subscriber.complete()
      return undefined
    }
    const { rows } = query
    const index = liveIndexOf(engine, rows)
    let passing: Set<KeyId> | undefined
    let last = -1
    const tell = (): void => {
      const now = passing ? passing.size : count()
      if (now === last || subscriber.closed) return
      last = now
      subscriber.next(now)
    }
    const read = (): void => {
      engine.noteRead(rows)
      if (query.node !== everything) passing = new Set(query.ids())
      tell()
    }
    const follower: Follower = {
      columns: query.filterColumns,
      everything: false,
      deletes: true,
      passes: undefined,
      changed: (nets: readonly NetRow[]) => {
        // SQLite may be ahead of what is told: a row counts as it is now.
        for (const net of passing ? nets : []) {
          const row = net.op === 'delete' ? undefined : rows.get(net.key)
          if (row && query.matches(row)) passing?.add(net.id)
          else passing?.delete(net.id)
        }
        engine.announcer.onceUpdated(tell)
      },
    }
    index.add(follower)
    const done = engine.closing(() => subscriber.complete())
    subscriber.add(() => {
      index.remove(follower)
      done()
    })
    // What is counted within a transaction may be undone, in whole or in part, without a change that says so.
    if (engine.inTransaction) {
      const again = (): void => {
        if (!subscriber.closed && !engine.closed) read()
      }
      engine.onEnd('rollback', again)
      engine.onEnd('commit', again)
    }
    engine.tell(read)
    return undefined
  })
}
