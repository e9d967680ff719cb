import { defineSchema } from 'rowcast'
import { createServer, memoryStorage, type Permissions, type RowcastServer, type User } from 'rowcast/server'
import type { WireChange } from 'rowcast/transport'
import { Access } from '../../../src/server/access.ts'

export type Table = 'team' | 'card' | 'part'
export const ON_DELETE = ['cascade', 'setNull', 'restrict'] as const
type OnDelete = (typeof ON_DELETE)[number]
export type RuleKind = 'always' | 'never' | 'own' | 'code'

export interface FieldRights {
  readonly view?: 'never' | 'own' | undefined
  readonly create?: RuleKind | undefined
  readonly update?: RuleKind | undefined
}

/** What is allowed in a world. Who may see what is known here once more, without the server. */
export interface Rights {
  readonly onDelete: OnDelete
  /** Whether rows that are not Ann's may be seen where they are `shared`. */
  readonly shares: boolean
  readonly tables: Readonly<
    Record<Table, { readonly create: RuleKind; readonly update: RuleKind; readonly delete: RuleKind }>
  >
  readonly fields: Readonly<Record<'secret' | 'pay' | 'meta.note' | 'rank', FieldRights>>
}

export interface Row {
  readonly id: string
  readonly owner?: string
  readonly shared?: boolean
  readonly meta?: object
}

const text = { type: 'string' }
const common = { id: text, owner: text, shared: { type: 'boolean', default: false } }

function schemaOf(onDelete: OnDelete): ReturnType<typeof defineSchema> {
  const table = (properties: object, more: object = {}): object => ({
    primaryKey: 'id',
    ...more,
    schema: {
      type: 'object',
      required: ['id'],
      additionalProperties: false,
      properties: { ...common, ...properties },
    },
  })
  return defineSchema({
    version: 1,
    tables: {
      team: table({ title: text }),
      card: table(
        {
          team: text,
          slug: text,
          title: { type: 'string', maxLength: 6 },
          rank: { type: 'integer', default: 0, maximum: 9 },
          secret: text,
          pay: { type: 'integer', default: 10 },
          meta: { type: 'object', additionalProperties: false, properties: { note: text, color: text } },
        },
        {
          unique: [['slug']],
          references: { team: { table: 'team', onDelete } },
          restricted: ['secret', 'pay', 'meta.note'],
        },
      ),
      part: table({ card: text, title: text }, { references: { card: { table: 'card', onDelete } } }),
    },
  } as never)
}

const schemas = new Map(ON_DELETE.map((onDelete) => [onDelete, schemaOf(onDelete)]))

const rules: { readonly [K in RuleKind]: NonNullable<Permissions[string]['canView']> } = {
  always: true,
  never: false,
  own: { owner: '$user.id' },
  code: ({ user, row }) => (row as Row).owner === user?.id,
}

function permissionsOf({ shares, tables, fields }: Rights): Permissions {
  const canView = shares ? { or: [{ owner: '$user.id' }, { shared: true }] } : rules.own
  const ofFields = Object.entries(fields).map(([path, { view, create, update }]) => [
    path,
    {
      ...(view && { canView: rules[view] }),
      ...(create && { canCreate: rules[create] }),
      ...(update && { canUpdate: rules[update] }),
    },
  ])
  return Object.fromEntries(
    Object.entries(tables).map(([table, rights]) => [
      table,
      {
        canView,
        canCreate: rules[rights.create],
        canUpdate: rules[rights.update],
        canDelete: rules[rights.delete],
        ...(table === 'card' && { fields: Object.fromEntries(ofFields) as never }),
      },
    ]),
  )
}

/** Two of these differ only in what Ann may not see. */
export class World {
  readonly server: RowcastServer
  readonly rights: Rights
  #count = 0

  private constructor(rights: Rights) {
    this.rights = rights
    this.server = createServer({
      schema: schemas.get(rights.onDelete)!,
      storage: memoryStorage(),
      permissions: permissionsOf(rights),
      authenticate: ({ token }): User | undefined =>
        token === undefined ? undefined : { id: token, admin: token === 'root' },
      onError: (error) => {
        throw error
      },
    })
  }

  static async open(rights: Rights): Promise<World> {
    const world = new World(rights)
    await world.server.databases.create('scene')
    return world
  }

  /** Ann sees a row, and none of these fields of it. */
  isSeen({ owner, shared }: Row): boolean {
    return owner === 'ann' || (this.rights.shares && shared === true)
  }

  isWithheld(row: Row, path: 'secret' | 'pay' | 'meta.note'): boolean {
    const { view } = this.rights.fields[path]
    return view === 'never' || (view === 'own' && row.owner !== 'ann')
  }

  /**
   * What someone whom no rules bind commits: what `make` says of the rows that there are. Says whether it was taken; what is
   * hidden has no part in whether it is.
   */
  async write(make: (rowOf: (table: Table, key: string) => Row | undefined) => WireChange[]): Promise<string> {
    const { database, release } = await this.server.databases.use('scene')
    try {
      const { store, name } = database
      const changes = make((table, key) => store.table(table).get(key as never) as Row | undefined)
      const access = new Access(store, name, {
        user: { id: 'root' },
        permissions: undefined,
        report: () => undefined,
      })
      const id = `root-${this.#count++}`
      const outcome = await database.submit({ id, label: 'by root', changes }, { access })
      return outcome.kind === 'refused' ? outcome.code : 'taken'
    } finally {
      release()
    }
  }

  /** A call by Ann: all of the answer but the time. */
  async call(method: string, path: string, body?: object): Promise<string> {
    const response = await this.server.fetch(
      new Request(`http://localhost${path}`, {
        method,
        headers: { authorization: 'Bearer ann' },
        ...(body && { body: JSON.stringify(body) }),
      }),
    )
    const headers = [...response.headers].filter(([name]) => name !== 'date')
    return JSON.stringify([response.status, headers, await response.text()])
  }
}
