import { defineSchema, type Schema } from '../../../src/index.ts'

/** `note` is what the honest write, `heap` what the others do, `text` has a few rows of a million characters. */
export const soakSchema: Schema = defineSchema({
  version: 1,
  tables: {
    note: {
      primaryKey: 'id',
      schema: {
        type: 'object',
        required: ['id'],
        properties: {
          id: { type: 'string' },
          owner: { type: 'string' },
          size: { type: 'integer' },
          word: { type: 'string', pattern: '^(a+)+$' },
        },
      },
    },
    heap: {
      primaryKey: 'id',
      schema: {
        type: 'object',
        required: ['id'],
        properties: { id: { type: 'string' }, title: { type: 'string' }, size: { type: 'integer' } },
      },
    },
    text: {
      primaryKey: 'id',
      schema: {
        type: 'object',
        required: ['id'],
        properties: { id: { type: 'string' }, body: { type: 'string' } },
      },
    },
  },
})

/** What the child that serves tells of itself. */
export interface Figures {
  /** The most since the last time, in bytes. */
  readonly rss: number
  readonly heapUsed: number
  /** How late the event loop was since then, in milliseconds. */
  readonly longest: number
  readonly p99: number
  /** What it reported as failures. */
  readonly reports: readonly string[]
}
