import { Observable, Subject, throwError } from 'rxjs'
import { describeKey, keyId, type CellValue, type Key, type KeyId, type RowChange } from '../changes/index.ts'
import { NotFoundError, RowcastError, StoreClosedError } from '../errors/index.ts'
import { valueAt, type RowObject, type SchemaInput, type TableModel, type WhereOf } from '../schema/index.ts'
import type { Store } from '../store/index.ts'
import type { AttributeArray } from './attribute-type.ts'
import { Attribute } from './attribute.ts'
import type { DirtyRange } from './dirty-slots.ts'
import { nextFrame, type FrameScheduler } from './frame-scheduler.ts'
import type { AttributeLayout, Mirror, MirrorAttributes, MirrorDirty } from './mirror.ts'
import { readColumns, type ColumnFilter, type ColumnRow } from './read-columns.ts'
import { valueInInsert, valueInRow, valueInUpdate, watchedPaths, type Property } from './property.ts'

/** `MirrorOptions` of a table of any schema. */
export interface TableMirrorOptions {
  readonly attributes: MirrorAttributes
  readonly where?: WhereOf<SchemaInput, string> | undefined
  readonly scheduler?: FrameScheduler | undefined
}

/** An attribute's place for a value: the attribute, and which of its paths. */
interface Reader {
  readonly attribute: Attribute
  readonly at: number
  readonly property: Property
}

const MIN_CAPACITY = 64
const NO_ROW: RowObject = Object.freeze({})

/** A mirror of a table of any schema: which row lies in which slot, and what has to be written when a cell changes. */
export class TableMirror implements Mirror {
  readonly #read: (key: Key) => RowObject | undefined
  readonly #attributes: readonly Attribute[]
  /** By the path of a cell: what has to be written again when it changes. */
  readonly #readers = new Map<string, Reader[]>()
  readonly #filter: ColumnFilter | undefined
  /** The paths of the cells that decide whether a row is in. */
  readonly #filterPaths = new Set<string>()
  readonly #slots = new Map<KeyId, number>()
  readonly #keys: Key[] = []
  readonly #flush = new Subject<void>()
  readonly #schedule: FrameScheduler
  readonly #subscription: { unsubscribe: () => void } | undefined
  #failed = new Map<Attribute, RowcastError>()
  #capacity: number
  #arrays: { readonly [name: string]: AttributeArray } = {}
  #resized = true
  #countTaken = 0
  #cancelFrame: (() => void) | undefined
  #closed = false
  readonly layouts: { readonly [name: string]: AttributeLayout }

  constructor(store: Store, name: string, options: TableMirrorOptions) {
    if (store.closed) throw new StoreClosedError()
    const model = store.schema.tables.get(name)?.model
    if (!model || model.singleton) throw new NotFoundError(`there is no table '${name}' that could be mirrored`)
    const table = store.table(name)
    this.#read = (key) => table.get(key) as RowObject | undefined
    this.#schedule = options.scheduler ?? nextFrame
    if (options.where) {
      this.#filter = table.predicate(options.where)
      for (const path of this.#filter.paths)
        for (const watched of watchedPaths(model, path)) this.#filterPaths.add(watched)
    }
    const matching = table.count(options.where)
    const capacity = Math.max(matching, MIN_CAPACITY)
    this.#capacity = capacity
    this.#attributes = Object.entries(options.attributes).map(
      ([attribute, one]) => new Attribute(model, attribute, one, capacity),
    )
    this.layouts = Object.freeze(
      Object.fromEntries(
        this.#attributes.map(({ name, type, size, format }) => [name, { type, size, normalized: format.normalized }]),
      ),
    )
    this.#shareArrays()
    for (const attribute of this.#attributes)
      for (const [at, property] of attribute.properties.entries())
        for (const path of watchedPaths(model, property.segments)) {
          const readers = this.#readers.get(path)
          if (readers) readers.push({ attribute, at, property })
          else this.#readers.set(path, [{ attribute, at, property }])
        }
    // Few of many rows are found faster with the help of an index.
    const few = this.#filter && matching * 10 < table.count()
    const columns = few ? undefined : readColumns(store, model, this.#attributes, this.#filter)
    this.#fill(columns ?? wholeRows(table.find({ where: options.where }) as readonly RowObject[], model))
    this.#subscription = table.changes$.subscribe({
      next: (change) => this.#follow(change),
      complete: () => this.close(),
    })
  }

  get count(): number {
    return this.#keys.length
  }

  get arrays(): { readonly [name: string]: AttributeArray } {
    return this.#arrays
  }

  slotOf(key: Key): number {
    return this.#slots.get(keyId(key)) ?? -1
  }

  keyAt(slot: number): Key | undefined {
    return this.#keys[slot]
  }

  takeDirty(): MirrorDirty {
    const resized = this.#resized
    this.#resized = false
    this.#countTaken = this.count
    const ranges: Record<string, readonly DirtyRange[]> = {}
    for (const attribute of this.#attributes) {
      const taken = attribute.take(this.count)
      const all: DirtyRange[] = this.count > 0 ? [[0, this.count * attribute.size]] : []
      const dirty = resized ? all : taken
      if (dirty.length > 0) ranges[attribute.name] = dirty
    }
    return { ...ranges, resized } as MirrorDirty
  }

  readonly flush$: Observable<void> = new Observable<void>((subscriber) => {
    const subscription = this.#flush.subscribe(subscriber)
    this.#requestFlush()
    return subscription
  })

  close(): void {
    if (this.#closed) return
    this.#closed = true
    this.#subscription?.unsubscribe()
    this.#cancelFrame?.()
    this.#cancelFrame = undefined
    this.#flush.complete()
  }

  get #isDirty(): boolean {
    return this.#resized || this.#countTaken !== this.count || this.#attributes.some((attribute) => attribute.isDirty)
  }

  #requestFlush(): void {
    if (this.#closed || this.#cancelFrame || !this.#flush.observed || !this.#isDirty) return
    this.#cancelFrame = this.#schedule(() => {
      this.#cancelFrame = undefined
      if (!this.#closed && this.#isDirty) this.#flush.next()
    })
  }

  #fill(rows: Iterable<ColumnRow>): void {
    for (const { key, valueOf } of rows) this.#writeAll(this.#add(key), valueOf)
    this.#reportFailures()
  }

  #follow(change: {
    readonly inserted: readonly RowChange[]
    readonly updated: readonly RowChange[]
    readonly deleted: readonly RowChange[]
  }): void {
    for (const { key } of change.deleted) this.#remove(key)
    for (const { key, after } of change.inserted) {
      if (this.#filter) this.#enterOrLeave(key)
      else this.#writeAll(this.#add(key), (property) => valueInInsert(property, after))
    }
    for (const one of change.updated) this.#update(one)
    this.#requestFlush()
    this.#reportFailures()
  }

  #update({ key, after }: RowChange): void {
    let touched: Reader[] | undefined
    let decides = false
    for (const path in after) {
      const readers = this.#readers.get(path)
      if (readers) touched = touched ? [...touched, ...readers] : readers
      decides ||= this.#filterPaths.has(path)
    }
    if (decides && this.#enterOrLeave(key)) return
    if (!touched) return
    const slot = this.#slots.get(keyId(key))
    if (slot === undefined) return
    let row: RowObject | undefined
    const valueOf = (property: Property): CellValue => {
      const told = valueInUpdate(property, after)
      if (told) return told[0]
      // A later change may have deleted it already; that is told next.
      row ??= this.#read(key) ?? NO_ROW
      return valueInRow(property, row)
    }
    for (const reader of touched) {
      const { attribute, at, property } = reader
      if (!attribute.map) {
        attribute.writeOne(slot, at, valueOf(property))
        this.#checkOverflow(attribute, slot)
      }
      // A map takes all of its paths at once, however many of them have changed.
      else if (touched.find((other) => other.attribute === attribute) === reader) this.#write(attribute, slot, valueOf)
    }
  }

  /** Tests a row as it is now. `true` where its slot is settled: it has entered, left, or stays out. */
  #enterOrLeave(key: Key): boolean {
    const row = this.#read(key)
    const known = this.#slots.has(keyId(key))
    if (row === undefined || !this.#filter?.test(row)) {
      this.#remove(key)
      return true
    }
    if (known) return false
    this.#writeAll(this.#add(key), (property) => valueInRow(property, row))
    return true
  }

  /** The slot of a row, a new one if it has none. */
  #add(key: Key): number {
    const id = keyId(key)
    const known = this.#slots.get(id)
    if (known !== undefined) return known
    const slot = this.#keys.length
    if (slot === this.#capacity) this.#grow()
    this.#keys.push(key)
    this.#slots.set(id, slot)
    for (const attribute of this.#attributes) attribute.clear(slot)
    return slot
  }

  #remove(key: Key): void {
    const id = keyId(key)
    const slot = this.#slots.get(id)
    if (slot === undefined) return
    this.#slots.delete(id)
    const last = this.#keys.pop()!
    if (slot === this.#keys.length) return
    this.#keys[slot] = last
    this.#slots.set(keyId(last), slot)
    for (const attribute of this.#attributes) attribute.move(this.#keys.length, slot)
  }

  #grow(): void {
    this.#capacity *= 2
    for (const attribute of this.#attributes) attribute.grow(this.#capacity)
    this.#resized = true
    this.#shareArrays()
  }

  #shareArrays(): void {
    this.#arrays = Object.freeze(Object.fromEntries(this.#attributes.map(({ name, array }) => [name, array])))
  }

  #writeAll(slot: number, valueOf: (property: Property) => CellValue): void {
    for (const attribute of this.#attributes) this.#write(attribute, slot, valueOf)
  }

  #write(attribute: Attribute, slot: number, valueOf: (property: Property) => CellValue): void {
    const values = attribute.properties.map(valueOf)
    try {
      attribute.write(slot, values)
    } catch (error) {
      this.#fail(attribute, `map failed for row ${describeKey(this.#keys[slot]!)}: ${String(error)}`, error)
    }
    this.#checkOverflow(attribute, slot)
  }

  #checkOverflow(attribute: Attribute, slot: number): void {
    const overflow = attribute.takeOverflow()
    if (overflow === undefined) return
    const place = describeKey(this.#keys[slot]!)
    this.#fail(attribute, `${overflow} of row ${place} is beyond what ${attribute.type} holds, and was clamped`)
  }

  #fail(attribute: Attribute, message: string, cause?: unknown): void {
    if (!this.#failed.has(attribute))
      this.#failed.set(attribute, new RowcastError('mirror', `attribute '${attribute.name}': ${message}`, { cause }))
  }

  /** One error an attribute and ChangeSet, to the host's handler of uncaught errors, as RxJS does. */
  #reportFailures(): void {
    if (this.#failed.size === 0) return
    const errors = [...this.#failed.values()]
    this.#failed = new Map()
    for (const error of errors) throwError(() => error).subscribe()
  }
}

function* wholeRows(rows: readonly RowObject[], { key }: TableModel): Iterable<ColumnRow> {
  for (const row of rows) {
    const parts = key.map((column) => valueAt(row, column.segments)) as (string | number | bigint | boolean)[]
    yield { key: parts.length === 1 ? parts[0]! : parts, valueOf: (property) => valueInRow(property, row) }
  }
}
