import { isList, type CellValue, type Path } from '../changes/index.ts'
import { RowcastError } from '../errors/index.ts'
import type { TableModel } from '../schema/index.ts'
import { attributeFormats, type AttributeArray, type AttributeFormat, type AttributeType } from './attribute-type.ts'
import { DirtySlots, type DirtyRange } from './dirty-slots.ts'
import { propertyAt, type Property } from './property.ts'

/** How one typed array of a mirror is filled. */
export interface AttributeOptions<P extends Path = Path> {
  /** The properties that the numbers come from. */
  readonly paths: readonly P[]
  readonly type: AttributeType
  /** Numbers per row. By default one for each path. */
  readonly size?: number | undefined
  /**
   * Makes a row's numbers of its values, one argument for each path: a number, or `size` of them. Called once for a row,
   * and whenever one of its values has changed. What it throws surfaces as an uncaught error, and the slot stays as it
   * was (zeros, if it is new). Without it each path gives one number (booleans 0 and 1), or a single path an array of
   * `size` numbers.
   */
  // A method, so that a function of a narrower type (`(color: string) => …`) is taken.
  map?(...values: CellValue[]): number | ArrayLike<number>
  /** What stands for null, absent and NaN. By default 0. */
  readonly fallback?: number | undefined
}

/**
 * How many bytes of unchanged data are uploaded along rather than starting a new range. Measured in Chromium: a call of
 * bufferSubData costs about 0.4 µs, each KiB in it 0.075 µs, so that 4 to 5 KiB cost as much as a call.
 */
const GAP_BYTES = 4096

/** The largest number of 32 bits. */
const MAX_F32 = (2 - 2 ** -23) * 2 ** 127

/** One attribute: its array, its marks, and how a value gets into it. */
export class Attribute {
  readonly name: string
  readonly type: AttributeType
  readonly size: number
  readonly format: AttributeFormat
  readonly properties: readonly Property[]
  readonly map: ((...values: CellValue[]) => number | ArrayLike<number>) | undefined
  array: AttributeArray
  readonly #fallback: number
  readonly #dirty: DirtySlots
  /** Whether it holds colours: those of a map that have an alpha lose it. */
  readonly #isColor: boolean
  /** The first number since the last `takeOverflow` that its type can't hold. */
  #overflow: number | undefined

  constructor(table: TableModel, name: string, options: AttributeOptions, capacity: number) {
    const refuse = (message: string): RowcastError => new RowcastError('mirror', `attribute '${name}': ${message}`)
    if (name === 'resized') throw refuse(`takeDirty has a 'resized' of its own: choose another name`)
    const type: unknown = options.type
    if (typeof type !== 'string' || !Object.hasOwn(attributeFormats, type))
      throw refuse(`there is no type '${String(type)}'; there are ${Object.keys(attributeFormats).join(', ')}`)
    const paths: unknown = options.paths
    if (!Array.isArray(paths)) throw refuse(`expected paths as an array, such as ['position.x']`)
    if (options.paths.length === 0) throw refuse('has no paths')
    if (options.map !== undefined && typeof options.map !== 'function')
      throw refuse('map is no function: give one that makes numbers of the values, or none')
    if (options.fallback !== undefined && typeof options.fallback !== 'number')
      throw refuse(`fallback was given ${String(options.fallback)}, where a number is expected`)
    this.name = name
    this.type = options.type
    this.format = attributeFormats[options.type]
    this.properties = options.paths.map((path) => propertyAt(table, path))
    this.size = options.size ?? this.properties.length
    if (!Number.isInteger(this.size) || this.size < 1)
      throw refuse(`size was given ${this.size}, where a whole number from 1 is expected`)
    this.map = options.map?.bind(options)
    this.#isColor = options.type === 'u8n' && this.size === 3
    if (!this.map) {
      if (this.size !== this.properties.length && this.properties.length > 1)
        throw refuse(`${this.properties.length} paths don't make ${this.size} numbers: give a map`)
      const text = this.properties.find(({ column }) => column.kind === 'text' || column.kind === 'binary')
      if (text) throw refuse(`'${text.path}' is ${text.column.kind}: give a map that makes numbers of it`)
    }
    this.#fallback = options.fallback ?? 0
    this.array = this.format.create(capacity * this.size)
    this.#dirty = new DirtySlots(capacity)
  }

  get isDirty(): boolean {
    return !this.#dirty.empty
  }

  /** Writes all values of a slot, one for each path. Throws what `map` throws, before anything is written. */
  write(slot: number, values: readonly CellValue[]): void {
    if (this.map) this.#writeList(slot, this.map(...values))
    else if (values.length === 1) this.writeOne(slot, 0, values[0])
    else for (let at = 0; at < values.length; at++) this.writeOne(slot, at, values[at])
  }

  /** Writes the value of one path. Only without a `map`. */
  writeOne(slot: number, at: number, value: CellValue): void {
    if (this.size > 1 && this.properties.length === 1) {
      const list = isList(value) || value instanceof Uint8Array ? value : []
      for (let element = 0; element < this.size; element++) this.#put(slot * this.size + element, list[element])
    } else this.#put(slot * this.size + at, value)
    this.#dirty.mark(slot)
  }

  /** Makes a slot that of a new row, for which nothing is known yet. */
  clear(slot: number): void {
    this.array.fill(0, slot * this.size, (slot + 1) * this.size)
    this.#dirty.mark(slot)
  }

  move(from: number, to: number): void {
    this.array.copyWithin(to * this.size, from * this.size, (from + 1) * this.size)
    this.#dirty.mark(to)
  }

  /** A new array with the same contents. Everything counts as unmarked then. */
  grow(capacity: number): void {
    const array = this.format.create(capacity * this.size)
    array.set(this.array)
    this.array = array
    this.#dirty.reset(capacity)
  }

  /** A number that was clamped since this was called last, as its type can't hold it. Whole numbers are clamped unsaid. */
  takeOverflow(): number | undefined {
    const overflow = this.#overflow
    this.#overflow = undefined
    return overflow
  }

  take(count: number): DirtyRange[] {
    return this.#dirty.take(count, this.size, Math.ceil(GAP_BYTES / (this.size * this.array.BYTES_PER_ELEMENT)))
  }

  #writeList(slot: number, list: number | ArrayLike<number>): void {
    const start = slot * this.size
    if (typeof list === 'number') {
      if (this.size !== 1) throw new RangeError(`map gave one number, where ${this.size} are expected`)
      this.#put(start, list)
    } else {
      if (list.length !== this.size && !(this.#isColor && list.length === 4))
        throw new RangeError(`map gave ${list.length} numbers, where ${this.size} are expected`)
      for (let at = 0; at < this.size; at++) this.#put(start + at, list[at])
    }
    this.#dirty.mark(slot)
  }

  #put(at: number, value: CellValue): void {
    const given = value === undefined || typeof value === 'object' ? NaN : Number(value)
    const number = Number.isNaN(given) ? this.#fallback : given
    const { range } = this.format
    if (range) this.array[at] = Math.min(Math.max(Math.round(number), range[0]), range[1])
    else if (Number.isFinite(number) && Math.abs(number) > MAX_F32) {
      this.#overflow ??= number
      this.array[at] = Math.sign(number) * MAX_F32
    } else this.array[at] = number
  }
}
