const NUMBER_BYTES = 8
const MEMBER_BYTES = 16
const CONTAINER_BYTES = 56

/** About what a value takes in memory, in bytes. What is in it twice counts twice. */
export function memorySize(value: unknown): number {
  if (typeof value === 'string') return MEMBER_BYTES + value.length
  if (typeof value !== 'object' || value === null) return NUMBER_BYTES
  if (value instanceof Uint8Array) return CONTAINER_BYTES + value.length
  let bytes = CONTAINER_BYTES
  if (Array.isArray(value)) for (const item of value) bytes += NUMBER_BYTES + memorySize(item)
  else for (const name in value) bytes += MEMBER_BYTES + memorySize(Reflect.get(value, name))
  return bytes
}
