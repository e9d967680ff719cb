// Notes in folders: the rows of the reactive loop, and of the join.
import type { SchemaInput } from 'rowcast'
import type { Maybe, Stop } from './contender.ts'

export interface Folder {
  readonly id: string
  readonly title: string
}

export interface Note {
  readonly id: string
  readonly folder: string
  readonly rank: number
  readonly text: string
}

export interface NotePatch {
  readonly id: string
  readonly rank?: number
  readonly text?: string
}

export interface Joined {
  readonly id: string
  readonly rank: number
  readonly title: string
}

export interface NotesChange {
  readonly notes?: readonly NotePatch[]
  readonly folders?: readonly Folder[]
}

/** An open store of notes in folders. */
export interface Notes {
  insert(folders: readonly Folder[], notes: readonly Note[]): Maybe<void>
  /** In one transaction, where there is such a thing. */
  change(change: NotesChange): Maybe<void>
  /** A live query: the notes of a folder by id. `hear` gets them now and after each change of them. */
  onFolder(folder: string, hear: (notes: readonly Note[]) => void): Maybe<Stop>
  /**
   * A live query: the notes of at least this rank, with the title of their folder, by rank descending, then by id; the first
   * `limit`. `hear` gets them now and after each change of them.
   */
  onJoin?(
    query: { readonly from: number; readonly limit: number },
    hear: (rows: readonly Joined[]) => void,
  ): Maybe<Stop>
  /** How often the join was asked of the database. */
  runs?(): number
  close(): Maybe<void>
}

export const perFolder = 10

export const folderKey = (index: number): string => `f${String(index).padStart(6, '0')}`
export const noteKey = (index: number): string => `n${String(index).padStart(6, '0')}`

export const textOf = (index: number, time: number, length: number): string =>
  `${index} ${time} `.padEnd(length, 'What is written here is of no consequence. ')

export const folderOf = (index: number): Folder => ({ id: folderKey(index), title: `Folder ${index}` })

export const noteOf = (index: number, folders: number, length: number): Note => ({
  id: noteKey(index),
  folder: folderKey(Math.floor(index / perFolder) % folders),
  rank: (index * 7) % 1_000,
  text: textOf(index, 0, length),
})

const text = { type: 'string' } as const

/** As a schema document. Its indexes are those that both live queries ask for. */
export const notesInput = {
  version: 1,
  tables: {
    folder: {
      primaryKey: 'id',
      schema: {
        type: 'object',
        required: ['id', 'title'],
        additionalProperties: false,
        properties: { id: text, title: text },
      },
    },
    note: {
      primaryKey: 'id',
      indexes: [['folder'], ['rank']],
      schema: {
        type: 'object',
        required: ['id', 'folder', 'rank', 'text'],
        additionalProperties: false,
        properties: { id: text, folder: text, rank: { type: 'number' }, text },
      },
    },
  },
} as const satisfies SchemaInput
