import type { Permissions, TablePermissions, User } from 'rowcast/server'

export interface SceneRow {
  readonly id: number | string
  readonly owner?: string
  readonly secret?: boolean
  readonly layerId?: string
  readonly slug?: string
  readonly size?: number
  readonly text?: { readonly value?: string; readonly color?: string }
  readonly points?: readonly number[]
}

/** Rules of a server, and the same once more as a plain function of who looks at what. */
export interface SceneRules {
  readonly permissions: Permissions | undefined
  sees(user: User, table: 'note' | 'layer', row: SceneRow): boolean
  /** The paths of a note's fields that are withheld; none if not given. */
  hides?(user: User, row: SceneRow): readonly string[]
  /** Whether a field may be written by those who don't see it; never if not given. */
  writesBlindly?(user: User, path: string): boolean
}

export const everything: TablePermissions = { canView: true, canCreate: true, canUpdate: true, canDelete: true }
export const numberOf = (user: User | undefined): number => Number(user?.id.slice(1))
export const isTheirs = (user: User | undefined, row: SceneRow): boolean =>
  row.secret !== true || Number(row.id) % 5 === numberOf(user)

/** By what rows say of themselves. */
const byWhere: SceneRules = {
  permissions: {
    layer: {
      canView: { or: [{ owner: '$user.id' }, { owner: { isNull: true } }] },
      canCreate: true,
      canUpdate: { or: [{ owner: '$user.id' }, { owner: { isNull: true } }] },
      canDelete: { owner: { isNull: true } },
    },
    note: {
      canView: { secret: false },
      canCreate: true,
      canUpdate: { size: { lt: 80 } },
      canDelete: true,
      fields: { slug: { canUpdate: { size: { lt: 40 } } } },
    },
  },
  sees: (user, table, row) =>
    table === 'layer' ? row.owner === undefined || row.owner === user.id : row.secret !== true,
}

/** By functions: some see secrets. */
const byFunction: SceneRules = {
  permissions: {
    layer: { ...everything, canDelete: false },
    note: {
      ...everything,
      canView: ({ user, row }) => isTheirs(user, row as SceneRow),
      canUpdate: ({ user, before, after }) =>
        (before as SceneRow).secret === (after as SceneRow).secret || numberOf(user) < 3,
    },
  },
  sees: (user, table, row) => table === 'layer' || isTheirs(user, row),
}

/** By what is known of the user: who is in no team sees no note. */
const byTeam: SceneRules = {
  permissions: {
    layer: everything,
    note: {
      ...everything,
      canView: { or: [{ layerId: '$user.team' }, { layerId: { isNull: true }, secret: false }] },
      canCreate: { or: [{ layerId: '$user.team' }, { layerId: { isNull: true } }] },
    },
  },
  sees: (user, table, row) => {
    if (table === 'layer') return true
    if (user['team'] === undefined) return false
    return row.layerId === user['team'] || (row.layerId === undefined && row.secret !== true)
  },
}

/** Everyone may do everything. */
export const noRules: SceneRules = { permissions: undefined, sees: () => true }

export const manyRules: readonly SceneRules[] = [byWhere, byFunction, byTeam]
