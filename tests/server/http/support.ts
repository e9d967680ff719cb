import { createServer, memoryStorage, type HttpOptions, type RowcastServer, type ServerOptions } from 'rowcast/server'
import { defineSchema } from 'rowcast'
import { onTestFinished } from 'vitest'

export const schema = defineSchema({
  version: 1,
  tables: {
    note: {
      primaryKey: 'id',
      unique: [['slug']],
      schema: {
        type: 'object',
        required: ['id'],
        properties: {
          id: { type: 'string' },
          slug: { type: 'string' },
          text: { type: 'string', maxLength: 20 },
          owner: { type: 'string' },
        },
      },
    },
  },
})

export interface TestServer {
  readonly server: RowcastServer
  readonly errors: unknown[]
  /** Sends a request, without a socket. */
  readonly send: (line: string, body?: unknown, headers?: Readonly<Record<string, string>>) => Promise<Response>
  /** The same, with status and JSON body of the answer. */
  readonly ask: (
    line: string,
    body?: unknown,
    headers?: Readonly<Record<string, string>>,
  ) => Promise<{ readonly status: number; readonly body: Body }>
}

export interface Body {
  readonly [name: string]: unknown
  readonly error?: { readonly code: string; readonly reason: string }
  readonly sequence?: number
}

/** A server in memory, closed after the test. */
export function startServer(options: Partial<ServerOptions & HttpOptions> = {}): TestServer {
  const errors: unknown[] = []
  const server = createServer({
    schema,
    storage: memoryStorage(),
    onError: (error) => errors.push(error),
    ...options,
  })
  onTestFinished(() => server.close())
  const send: TestServer['send'] = (line, body, headers = {}) => {
    const [method = 'GET', path = '/'] = line.split(' ')
    const content =
      body === undefined || typeof body === 'string' || body instanceof Uint8Array ? body : JSON.stringify(body)
    return server.fetch(
      new Request(`http://localhost${path}`, {
        method,
        headers,
        ...(content !== undefined && { body: content as BodyInit }),
      }),
    )
  }
  const ask: TestServer['ask'] = async (line, body, headers) => {
    const response = await send(line, body, headers)
    const text = await response.text()
    return { status: response.status, body: text === '' ? {} : (JSON.parse(text) as Body) }
  }
  return { server, errors, send, ask }
}

/** The body of a transaction that puts a note. */
export function putNote(id: string, row: object = {}): { readonly changes: readonly object[] } {
  return { changes: [{ table: 'note', key: id, op: 'put', after: { id, ...row } }] }
}
