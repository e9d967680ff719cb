import { editorSchemaInput } from '../annotation-schema.ts'
import type { IconName } from './icons.tsx'

/** As much of a JSON Schema as the panels read. */
interface PropertySchema {
  readonly type?: string | readonly string[]
  readonly title?: string
  readonly description?: string
  readonly default?: unknown
  readonly enum?: readonly unknown[]
  readonly pattern?: string
  readonly minimum?: number
  readonly maximum?: number
  readonly multipleOf?: number
  readonly maxLength?: number
  readonly properties?: Readonly<Record<string, PropertySchema>>
}

export type ControlKind =
  | 'slider'
  | 'number'
  | 'color'
  | 'switch'
  | 'select'
  | 'text'
  | 'longText'
  | 'layer'
  | 'points'
  | 'tags'

/** A property that a panel edits. */
export interface FieldNode {
  readonly path: string
  readonly label: string
  readonly hint: string
  readonly kind: ControlKind
  readonly unit: string
  /** A number of any precision, which takes more room. */
  readonly exact: boolean
  readonly default: unknown
}

/** Fields under one heading. Where a property says whether the rest applies, it is the heading's switch. */
export interface SectionNode {
  readonly path: string
  readonly title: string
  readonly toggle: FieldNode | undefined
  readonly fields: readonly FieldNode[]
}

/** A tab of a panel. */
export interface GroupNode {
  readonly id: string
  readonly title: string
  readonly icon: IconName
  readonly sections: readonly SectionNode[]
}

const icons: Readonly<Record<string, IconName>> = {
  general: 'sliders',
  position: 'move',
  icon: 'shape',
  text: 'text',
  leader: 'line',
  visibility: 'eye',
  scale: 'scale',
  interaction: 'pointer',
  geonames: 'globe',
}

/** Where a top-level property that is no object belongs, other than to General. */
const homes: Readonly<Record<string, string>> = { points: 'leader' }
const toggleNames = new Set(['visible', 'enabled'])

function unitOf(description: string): string {
  if (description.startsWith('Percent')) return '%'
  if (description.startsWith('Degrees')) return '°'
  if (description.startsWith('Meters')) return 'm'
  return /^Pixels|in pixels/.test(description) ? 'px' : ''
}

function kindOf(path: string, schema: PropertySchema): ControlKind {
  const types: readonly string[] = typeof schema.type === 'string' ? [schema.type] : (schema.type ?? [])
  if (path === 'layerId') return 'layer'
  if (types.includes('array')) return path === 'points' ? 'points' : 'tags'
  if (schema.enum) return 'select'
  if (types.includes('boolean')) return 'switch'
  if (types.includes('number') || types.includes('integer')) {
    return schema.minimum !== undefined && schema.maximum !== undefined ? 'slider' : 'number'
  }
  if (schema.pattern?.startsWith('^#')) return 'color'
  return (schema.maxLength ?? 0) > 1000 ? 'longText' : 'text'
}

function fieldOf(path: string, schema: PropertySchema): FieldNode {
  const description = schema.description ?? ''
  return {
    path,
    label: schema.title ?? path,
    hint: description,
    kind: kindOf(path, schema),
    unit: path.startsWith('position.l') ? '' : unitOf(description),
    exact: schema.multipleOf === undefined,
    default: schema.default,
  }
}

function sectionsOf(path: string, title: string, schema: PropertySchema): SectionNode[] {
  const fields: FieldNode[] = []
  const below: SectionNode[] = []
  let toggle: FieldNode | undefined
  for (const [name, property] of Object.entries(schema.properties ?? {})) {
    const at = `${path}.${name}`
    if (property.properties) below.push(...sectionsOf(at, property.title ?? name, property))
    else if (toggleNames.has(name)) toggle = fieldOf(at, property)
    else fields.push(fieldOf(at, property))
  }
  const nested = below.map((section) =>
    section.path.split('.').length > path.split('.').length + 1 || path.includes('.')
      ? { ...section, title: `${title} · ${section.title.toLowerCase()}` }
      : section,
  )
  return [{ path, title, toggle, fields }, ...nested].filter((section) => section.fields.length > 0 || section.toggle)
}

function groupsOf(schema: PropertySchema, hidden: ReadonlySet<string>): GroupNode[] {
  const general: FieldNode[] = []
  const guests = new Map<string, FieldNode[]>()
  const groups: GroupNode[] = []
  for (const [name, property] of Object.entries(schema.properties ?? {})) {
    if (hidden.has(name)) continue
    const home = homes[name]
    if (property.properties) {
      const title = property.title ?? name
      groups.push({ id: name, title, icon: icons[name] ?? 'sliders', sections: sectionsOf(name, title, property) })
    } else if (home !== undefined) guests.set(home, [...(guests.get(home) ?? []), fieldOf(name, property)])
    else general.push(fieldOf(name, property))
  }
  const first: GroupNode = {
    id: 'general',
    title: 'General',
    icon: icons['general'] ?? 'sliders',
    sections: [{ path: 'general', title: 'General', toggle: undefined, fields: general }],
  }
  return [first, ...groups].map((group) => {
    const fields = guests.get(group.id) ?? []
    const added = fields.map((field) => ({ path: field.path, title: field.label, toggle: undefined, fields: [field] }))
    return { ...group, sections: [...group.sections, ...added] }
  })
}

const { annotation, scene } = editorSchemaInput.tables

/** The tabs of an annotation's panel, as its JSON Schema has them. */
export const annotationGroups: readonly GroupNode[] = groupsOf(annotation.schema, new Set(['id']))

/** The scene's settings. The view at the start is set from the map. */
export const sceneGroups: readonly GroupNode[] = groupsOf(
  scene.schema,
  new Set(['title', 'projection', 'center', 'zoom']),
)
