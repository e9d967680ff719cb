import type { PresenceOther } from 'rowcast'
import type { Person } from './person.ts'

/** A row of someone's open draft. */
export interface OpenEdit {
  readonly table: string
  readonly key: string
  /** Values by path. */
  readonly cells: { readonly [path: string]: unknown }
}

/** What a window tells the others of itself. */
export interface PresenceState extends Person {
  /** Keys of selected annotations, the first few of many. */
  readonly selection: readonly string[]
  /** What its open draft changes of rows that are there, the first few of many. */
  readonly edits: readonly OpenEdit[]
}

/** Another window. */
export interface Guest extends PresenceState {
  readonly session: string
}

/** So many rows are told of: what lies beyond is seen once it is committed. */
export const presenceLimit = 300

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)
const listOf = (value: unknown): readonly unknown[] => (Array.isArray(value) ? value.slice(0, presenceLimit) : [])

function editOf(value: unknown): OpenEdit | undefined {
  if (!isObject(value) || typeof value['table'] !== 'string' || typeof value['key'] !== 'string') return undefined
  return isObject(value['cells']) ? { table: value['table'], key: value['key'], cells: value['cells'] } : undefined
}

/** What another client says of itself, as far as it can be understood. Undefined before it has said who it is. */
export function guestOf({ session, state }: PresenceOther): Guest | undefined {
  if (!isObject(state) || typeof state['name'] !== 'string') return undefined
  const { name, color } = state
  return {
    session,
    name: name.slice(0, 40),
    color: typeof color === 'string' && /^#[\da-f]{6}$/i.test(color) ? color : '#8d96a3',
    selection: listOf(state['selection']).filter((key) => typeof key === 'string'),
    edits: listOf(state['edits']).flatMap((edit) => editOf(edit) ?? []),
  }
}
