import { rowIdOf } from '../../changes/index.ts'
import {
  changeCarrier,
  defineSchema,
  schemaDocument,
  type ChangeCarrier,
  type Schema,
  type SchemaInput,
} from '../../schema/index.ts'
import type { CommitRecord, RejectionRecord, SchemaRecord } from './records.ts'

/** A version of the schema that is older than the store's. */
interface Before {
  readonly carry: ChangeCarrier
  /** Rows that transactions of it rest on which could not be said: what follows them stays behind as well. */
  readonly behind: Set<string>
}

/**
 * Says what was done under other versions of the schema in the terms of the store's, wherever it comes from: its own
 * records, those of a tab that is gone, those of the one that kept the base before. What can't be said, and what is of a
 * newer version, stays as it is: the server alone knows whether it has applied it.
 */
export class Carrier {
  readonly #schema: Schema
  readonly #records = new Map<number, SchemaRecord>()
  readonly #before = new Map<number, Before>()

  constructor(schema: Schema) {
    this.#schema = schema
    const { version, definition } = schema
    this.learn({ type: 'schema', version, document: schemaDocument(definition) })
  }

  /** Takes note of what a version was. */
  learn(record: SchemaRecord): void {
    if (!this.#records.has(record.version)) this.#records.set(record.version, record)
  }

  /** What a version was, as far as it is known here. */
  schemaOf(version: number): SchemaRecord | undefined {
    return this.#records.get(version)
  }

  commit(record: CommitRecord): CommitRecord {
    const before = this.#beforeOf(record.version)
    if (!before) return record
    const { carry, behind } = before
    const rows = record.wire.changes.map(rowIdOf)
    const follows = rows.some((row) => behind.has(row))
    const set = follows ? undefined : carryAll(record.set.changes, carry)
    const wire = set && carryAll(record.wire.changes, carry)
    if (!set || !wire) {
      for (const row of rows) behind.add(row)
      return record
    }
    const { unseen } = record
    return {
      ...record,
      set: { ...record.set, changes: set },
      wire: { ...record.wire, changes: wire },
      version: this.#schema.version,
      ...(unseen && { unseen: unseen.map(([table, key]) => [carry({ table, op: 'delete' })?.table ?? table, key]) }),
    }
  }

  rejection(record: RejectionRecord): RejectionRecord {
    const before = this.#beforeOf(record.version)
    const changes = before && carryAll(record.changes.changes, before.carry)
    if (!changes) return record
    return { ...record, changes: { ...record.changes, changes }, version: this.#schema.version }
  }

  #beforeOf(version: number): Before | undefined {
    const known = this.#before.get(version)
    const record = this.#records.get(version)
    if (known || !record || version >= this.#schema.version) return known
    const schema = defineSchema<SchemaInput>(JSON.parse(record.document) as SchemaInput)
    const before: Before = { carry: changeCarrier(schema, this.#schema), behind: new Set() }
    this.#before.set(version, before)
    return before
  }
}

function carryAll<Change extends Parameters<ChangeCarrier>[0]>(
  changes: readonly Change[],
  carry: ChangeCarrier,
): Change[] | undefined {
  const carried = changes.flatMap((change) => carry(change) ?? [])
  return carried.length === changes.length ? carried : undefined
}
