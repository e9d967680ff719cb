import type { Observable } from 'rxjs'
import type { Key, Path } from '../changes/index.ts'
import type { PathOf, SchemaInput, TableName, WhereOf } from '../schema/index.ts'
import type { AttributeArray, AttributeType } from './attribute-type.ts'
import type { AttributeOptions } from './attribute.ts'
import type { DirtyRange } from './dirty-slots.ts'
import type { FrameScheduler } from './frame-scheduler.ts'

/** The attributes of a mirror, by name. */
export type MirrorAttributes<P extends Path = Path> = { readonly [name: string]: AttributeOptions<P> }

/** What a mirror reads, and of which rows. */
export interface MirrorOptions<
  S extends SchemaInput,
  T extends TableName<S>,
  A extends MirrorAttributes<PathOf<S, T>>,
> {
  readonly attributes: A
  /** The rows to mirror; by default all of them. Rows enter and leave as they change. */
  readonly where?: WhereOf<S, T> | undefined
  /** What `flush$` waits for. By default the next animation frame; where there are none (Node), 16 ms. */
  readonly scheduler?: FrameScheduler | undefined
}

/** The changed elements of each attribute that has any. */
export type MirrorDirty<Name extends string = string> = {
  /** The arrays are other ones than before: buffers over the old ones are to be replaced. The ranges say "all" then. */
  readonly resized: boolean
} & { readonly [N in Name]?: readonly DirtyRange[] }

/** How an attribute lies in its array. */
export interface AttributeLayout {
  readonly type: AttributeType
  /** Elements per row. */
  readonly size: number
  /** Whether WebGL reads whole numbers as 0 to 1 (or -1 to 1). */
  readonly normalized: boolean
}

/**
 * A table's rows as typed arrays. They lie in slots 0 … count-1, in no particular order; a deleted row's slot is taken
 * over by the last one. After `close`, or once the store is closed, it stays as it is.
 */
export interface Mirror<K = Key, A extends MirrorAttributes = MirrorAttributes> {
  readonly count: number
  /** By attribute; longer than `count` rows. Other arrays once `takeDirty` said `resized`. To be read only. */
  readonly arrays: { readonly [Name in keyof A]: AttributeArray<A[Name]['type']> }
  readonly layouts: { readonly [Name in keyof A]: AttributeLayout }
  /** The slot of a row, -1 where it isn't mirrored. */
  slotOf(key: K): number
  /** The key of the row in a slot, `undefined` beyond the last one. */
  keyAt(slot: number): K | undefined
  /**
   * What changed since the last call, as ascending ranges `[from, to)` in elements of each array; ranges that lie close
   * together are one. An attribute without changes is left out. The first call says everything. For one consumer: what
   * was taken is not given again.
   */
  takeDirty(): MirrorDirty<keyof A & string>
  /** At most once an animation frame, when something is dirty or `count` has changed. Completes with `close`. */
  readonly flush$: Observable<void>
  /** Stops following the store. */
  close(): void
}
