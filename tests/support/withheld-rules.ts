import { defineSchema } from 'rowcast'
import type { Permissions } from 'rowcast/server'
import { everything, isTheirs, manyRules, noRules, numberOf, type SceneRow, type SceneRules } from './scene-rules.ts'
import { sceneInput, type sceneSchema } from './sync-world.ts'

const { layer, note } = sceneInput.tables
const restricted = ['size', 'text.color', 'points'] as const

/** The scene, with fields of notes that a server may withhold. Rows have the same type. */
export const withheldSchema: typeof sceneSchema = defineSchema({
  ...sceneInput,
  tables: { layer, note: { ...note, restricted } },
})

type Fields = NonNullable<Permissions[string]['fields']>

const [byWhere, byFunction, byTeam] = manyRules as [SceneRules, SceneRules, SceneRules]
const open: SceneRules = { permissions: { layer: everything, note: everything }, sees: () => true }

/** Rules of rows, and of fields besides. */
function withFields(
  rules: SceneRules,
  fields: Fields,
  hides: NonNullable<SceneRules['hides']>,
  writesBlindly: NonNullable<SceneRules['writesBlindly']> = () => false,
): SceneRules {
  const note = rules.permissions?.['note']
  return {
    permissions: { ...rules.permissions, note: { ...note, fields: { ...note?.fields, ...fields } } },
    sees: (user, table, row) => rules.sees(user, table, row),
    hides,
    writesBlindly,
  }
}

const isOf = (row: SceneRow, id: string): boolean => row.text?.value === id
const isOdd = ({ size = 0 }: SceneRow): boolean => Math.floor(size) % 2 === 1

/** By whose it is: `text.value` says so. The color of secrets may be set by those who don't see it. */
const byOwner = withFields(
  open,
  {
    size: { canView: { or: [{ 'text.value': '$user.id' }, { secret: false }] } },
    'text.color': { canView: { secret: false }, canUpdate: true },
    points: { canView: { 'text.value': '$user.id' } },
  },
  (user, row) => [
    ...(isOf(row, user.id) || row.secret !== true ? [] : ['size']),
    ...(row.secret === true ? ['text.color'] : []),
    ...(isOf(row, user.id) ? [] : ['points']),
  ],
  (_user, path) => path === 'text.color',
)

/** Where rows are withheld as well, and have a rule of updates that speaks of a withheld field. */
const bySlug = withFields(
  byWhere,
  { size: { canView: { slug: { isNull: true } } }, 'text.color': { canView: { layerId: { isNull: false } } } },
  (_user, row) => [...(row.slug === undefined ? [] : ['size']), ...(row.layerId === undefined ? ['text.color'] : [])],
)

/** By functions, one of which looks at another withheld field. */
const byEachOther = withFields(
  byFunction,
  {
    size: { canView: ({ user, row }) => (Number((row as SceneRow).id) + numberOf(user)) % 2 === 0 },
    'text.color': { canView: ({ row }) => isOdd(row as SceneRow), canUpdate: ({ user }) => numberOf(user) > 1 },
    points: { canView: ({ user, row }) => isTheirs(user, row as SceneRow), canUpdate: false },
  },
  (user, row) => [
    ...((Number(row.id) + numberOf(user)) % 2 === 0 ? [] : ['size']),
    ...(isOdd(row) ? [] : ['text.color']),
    ...(isTheirs(user, row) ? [] : ['points']),
  ],
  (user, path) => path === 'text.color' && numberOf(user) > 1,
)

/** By what is known of the user; who is in no team sees no size. */
const byFieldTeam = withFields(
  byTeam,
  { size: { canView: { layerId: '$user.team' } }, points: { canView: false, canUpdate: true } },
  (user, row) => [...(user['team'] !== undefined && row.layerId === user['team'] ? [] : ['size']), 'points'],
  (_user, path) => path === 'points',
)

const nothing = withFields(
  open,
  { size: { canView: false, canUpdate: true }, 'text.color': { canView: false }, points: { canView: false } },
  () => ['size', 'text.color', 'points'],
  (_user, path) => path === 'size',
)

const all = withFields(
  open,
  { size: { canView: true }, 'text.color': { canView: true }, points: { canView: true } },
  () => [],
)

export const withheldRules: readonly SceneRules[] = [
  byOwner,
  bySlug,
  byEachOther,
  byFieldTeam,
  nothing,
  all,
  byOwner,
  byEachOther,
  noRules,
]
