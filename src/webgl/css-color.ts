import {
  clampRgb,
  converter,
  modeHsl,
  modeHwb,
  modeLab,
  modeLch,
  modeLrgb,
  modeOklab,
  modeOklch,
  modeRgb,
  modeXyz50,
  modeXyz65,
  parse,
  useMode as addMode,
  type Rgb,
} from 'culori/fn'

/** A colour as four bytes: red, green, blue and alpha, 0 to 255. */
export type ColorBytes = readonly [red: number, green: number, blue: number, alpha: number]

/** A colour as three numbers, 0 to 1, in linear light: what three.js calculates with. */
export type LinearColor = readonly [red: number, green: number, blue: number]

/** A colour that was read, as both. */
interface Color {
  readonly bytes: ColorBytes
  readonly linear: LinearColor
}

const TRANSPARENT: Color = { bytes: [0, 0, 0, 0], linear: [0, 0, 0] }

/** An alpha that is written `none`, which culori takes for one that is not given. */
const NO_ALPHA = /\/\s*none\s*\)$/

/** Scenes use far fewer colours than this; a stream of made-up ones must not fill the memory. */
const MAX_CACHED = 10_000

const read = new Map<string, Color>()

/** Made at the first colour, so that nobody pays for it who reads none. */
let convert: { readonly toRgb: (color: string) => Rgb | undefined; readonly toLinear: (color: Rgb) => LinearColor }

/**
 * Reads a CSS colour for a `u8n` attribute of size 4, or of size 3 without its alpha: names, `#rgb` to `#rrggbbaa`,
 * `rgb()`, `hsl()`, `hwb()`, `lab()`, `lch()`, `oklab()` and `oklch()`. What no screen of sRGB shows is clipped.
 * `transparent` and an absent value are four zeros. The bytes are sRGB, as they are written. Throws RangeError for
 * anything else.
 */
export function cssColor(value: unknown): ColorBytes {
  return colorOf(value).bytes
}

/**
 * Reads a CSS colour, as `cssColor` does, for an `f32` attribute of size 3 that is bound to the `instanceColor` of an
 * `InstancedMesh`: the same numbers that `setColorAt(slot, new Color(value))` writes. Alpha is left out. Throws
 * RangeError for what is no colour.
 */
export function linearColor(value: unknown): LinearColor {
  return colorOf(value).linear
}

function colorOf(value: unknown): Color {
  if (value === undefined || value === null) return TRANSPARENT
  if (typeof value !== 'string') throw unreadable(value)
  const known = read.get(value)
  if (known !== undefined) return known
  const { toRgb, toLinear } = (convert ??= converters())
  const text = value.trim().toLowerCase()
  const rgb = toRgb(text)
  if (rgb === undefined) throw unreadable(value)
  const clipped = clampRgb(rgb)
  const [r, g, b] = [partOf(clipped.r), partOf(clipped.g), partOf(clipped.b)] as const
  const alpha = NO_ALPHA.test(text) ? 0 : (clipped.alpha ?? 1)
  const bytes: ColorBytes = [byteOf(r), byteOf(g), byteOf(b), byteOf(alpha)]
  const color = { bytes, linear: toLinear({ mode: 'rgb', r, g, b }) }
  if (read.size >= MAX_CACHED) read.clear()
  read.set(value, color)
  return color
}

function converters(): typeof convert {
  for (const mode of [
    modeRgb,
    modeHsl,
    modeHwb,
    modeXyz50,
    modeXyz65,
    modeLab,
    modeLch,
    modeOklab,
    modeOklch,
    modeLrgb,
  ])
    addMode(mode as typeof modeRgb)
  const [toRgb, toLrgb] = [converter('rgb'), converter('lrgb')]
  return {
    toRgb: (text) => {
      const color = parse(text)
      // A saturation below 0 is 0: else it would be that of the opposite hue.
      return color && toRgb(color.mode === 'hsl' ? { ...color, s: Math.max(color.s ?? 0, 0) } : color)
    },
    toLinear: (color) => {
      const { r, g, b } = toLrgb(color)
      return [r, g, b]
    },
  }
}

/** One that is written `none` is absent, and shown as 0. */
function partOf(part: number | undefined): number {
  return part ?? 0
}

function byteOf(part: number): number {
  return Math.round(Math.min(Math.max(part, 0), 1) * 255)
}

function unreadable(value: unknown): RangeError {
  return new RangeError(`not a CSS colour: ${String(value)}; such as 'tomato', '#ff6347', 'rgb(255 99 71 / 50%)'`)
}
