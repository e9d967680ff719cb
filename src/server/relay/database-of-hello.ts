/** The database that the first message of a connection names; `undefined` where it is no `hello`. */
export function databaseOfHello(message: string): string | undefined {
  let parsed: unknown
  try {
    parsed = JSON.parse(message)
  } catch {
    return undefined
  }
  const { type, database } = (parsed ?? {}) as { readonly type?: unknown; readonly database?: unknown }
  return type === 'hello' && typeof database === 'string' ? database : undefined
}
