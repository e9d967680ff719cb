/** A colour as four bytes: red, green, blue and alpha, 0 to 255. */
export type ColorBytes = readonly [red: number, green: number, blue: number, alpha: number]

const TRANSPARENT: ColorBytes = [0, 0, 0, 0]

/** Scenes use far fewer colours than this; a stream of made-up ones must not fill the memory. */
const MAX_CACHED = 10_000

const parsed = new Map<string, ColorBytes>()

/**
 * Reads a CSS colour for a `u8n` attribute of size 4: `#rgb`, `#rgba`, `#rrggbb`, `#rrggbbaa`, `rgb()` and `rgba()` with
 * commas or spaces, numbers or percentages. `transparent` and an absent value are four zeros. The bytes are sRGB, as
 * they are written. Throws RangeError for anything else, colour names included.
 */
export function cssColor(value: unknown): ColorBytes {
  if (value === undefined || value === null) return TRANSPARENT
  if (typeof value !== 'string') throw unreadable(value)
  const known = parsed.get(value)
  if (known !== undefined) return known
  const text = value.trim().toLowerCase()
  const color = text === 'transparent' ? TRANSPARENT : (readHex(text) ?? readRgb(text))
  if (color === undefined) throw unreadable(value)
  if (parsed.size >= MAX_CACHED) parsed.clear()
  parsed.set(value, color)
  return color
}

function readHex(text: string): ColorBytes | undefined {
  if (!/^#(?:[\da-f]{3,4}|[\da-f]{6}|[\da-f]{8})$/.test(text)) return undefined
  const digits = text.length <= 5 ? text.slice(1).replace(/./g, '$&$&') : text.slice(1)
  const byteAt = (at: number): number => Number.parseInt(digits.slice(at, at + 2), 16)
  return [byteAt(0), byteAt(2), byteAt(4), digits.length === 8 ? byteAt(6) : 255]
}

function readRgb(text: string): ColorBytes | undefined {
  const inside = /^rgba?\(([^()]*)\)$/.exec(text)?.[1]?.trim()
  if (inside === undefined) return undefined
  const parts = inside.includes(',') ? inside.split(',') : inside.split(/\s*\/\s*|\s+/)
  if (parts.length < 3 || parts.length > 4) return undefined
  const [red, green, blue] = parts.map((part) => readPart(part, 255))
  const alpha = parts[3] === undefined ? 255 : readPart(parts[3], 1)
  return [red, green, blue, alpha].every((part) => part !== undefined)
    ? ([red, green, blue, alpha] as ColorBytes)
    : undefined
}

/** A number up to `whole`, or a percentage of it, as a byte. */
function readPart(text: string, whole: number): number | undefined {
  const match = /^([+-]?(?:\d+\.?\d*|\.\d+))(%?)$/.exec(text.trim())
  if (!match) return undefined
  const byte = (Number(match[1]) / (match[2] === '%' ? 100 : whole)) * 255
  return Math.round(Math.min(Math.max(byte, 0), 255))
}

function unreadable(value: unknown): RangeError {
  return new RangeError(`not a colour: ${String(value)}; use #rgb, #rgba, #rrggbb, #rrggbbaa, rgb() or rgba()`)
}
